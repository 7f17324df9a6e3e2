"""docs/asyncapi.yaml for tests: its schemas as validators, found by message or by name."""

import base64
import json
from functools import cache

from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.micropython.staging import ROOT

FILE = ROOT / "docs" / "asyncapi.yaml"
ROOT_KEY = 3  # test key


@cache
def document():
    """The whole file."""
    return YAML(typ="safe", pure=True).load(FILE.read_text("utf-8"))


def schemas():
    """Every schema by name."""
    return document()["components"]["schemas"]


@cache
def validator(name):
    """A validator of one schema; its references lead into the whole."""
    whole = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return Draft7Validator(whole)


def faults(name, value):
    """What a value has that its schema does not allow, in words; [] for none."""
    found = sorted(validator(name).iter_errors(value), key=lambda error: list(error.path))
    return ["%s: %s" % (list(error.path), error.message[:200]) for error in found]


def name_of(reference):
    """The last part of a reference."""
    return reference["$ref"].rsplit("/", 1)[1]


def commands():
    """op -> schema of each command."""
    found = {}
    for reference in schemas()["Command"]["oneOf"]:
        schema = schemas()[name_of(reference)]
        found[schema["properties"]["op"]["const"]] = schema
    return found


def payload_of(token):
    """The JSON that a compact JWS carries, whoever signed it."""
    return json.loads(jws.unletters(token.decode().split(".")[1]))


def signed(text, kids):
    """Sign JSON text with each key in turn, the innermost first, as the file says."""
    if kids == ["other"]:
        return jws.sign(text, "credit.1", key=bytes(32))
    if kids[0].startswith("root."):
        return es256.sign(text, ROOT_KEY, kids[0])
    message = text
    for kid in kids:
        secret = jws.GATE_SECRET if kid.startswith("gate.") else jws.DEVICE_KEY
        message = jws.sign(message, kid, key=jws.key_of(kid, secret))
    return message


class Meter(House):
    """The meter that the exchanges of the file are played to."""

    gate_key = jws.GATE_SECRET
    public_keys = {
        "tariff.1": es256.public(es256.TARIFF_KEY),
        "root.1": es256.public(ROOT_KEY),
    }


def played(exchange, sign=None):
    """(payload, signed answer) of a meter of its own to a command of the file."""
    payload, token = _asked(exchange, sign or signed)
    return payload, json.loads(jws.unsign(token, kid_of(token)))


def answered(exchange):
    """The answer as it is sent, a compact JWS."""
    return _asked(exchange, signed)[1]


def _asked(exchange, sign):
    house = Meter(credit=10, linked=True)
    house.run(1)
    house.talk()
    (hello,) = house.link.take("hello")
    payload = dict(exchange["payload"])
    if payload.get("ch") == "current":
        payload["ch"] = payload_of(hello[1])["challenge"]
    house.coast(60)
    house.link.take()
    house.link.put(sign(json.dumps(payload), exchange["sign"]))
    house.talk(90)
    ((_, token, _),) = house.link.take("ack")
    return payload, token


def kid_of(token):
    """The key that a token names."""
    return json.loads(jws.unletters(token.decode().split(".")[0]))["kid"]


def unpadded(text):
    """Bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
