"""Every exchange of docs/asyncapi.yaml signed by JOSE libraries, and the meter's words read by
them: a utility needs no code of ours."""

import base64
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwcrypto import jwk
from jwcrypto import jws as jose
from jwt.api_jws import PyJWS

from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.host import asyncapi_bench as contract

ROOT = ec.derive_private_key(contract.ROOT_KEY, ec.SECP256R1())  # a test key
EXCHANGES = contract.document()["x-exchanges"]


def key_of(kid):
    """As the file says: HMAC-SHA256(secret, "wattledger/1/" + kid)."""
    secret = jws.GATE_SECRET if kid.startswith("gate.") else jws.DEVICE_KEY
    return hmac.digest(secret, b"wattledger/1/" + kid.encode(), "sha256")


def pyjwt(payload, kid):
    """`typ` is left out: the protected header has alg and kid and nothing else."""
    if kid.startswith("root."):
        key, algorithm = ROOT, "ES256"
    else:
        key, algorithm = (bytes(32) if kid == "other" else key_of(kid)), "HS256"
    head = {"kid": "credit.1" if kid == "other" else kid, "typ": None}
    return PyJWS().encode(payload, key, algorithm, head).encode()


def jwcrypto(payload, kid):
    if kid.startswith("root."):
        key, algorithm = jwk.JWK.from_pyca(ROOT), "ES256"
    else:
        octets = bytes(32) if kid == "other" else key_of(kid)
        text = base64.urlsafe_b64encode(octets).decode().rstrip("=")
        key, algorithm = jwk.JWK(kty="oct", k=text), "HS256"
    head = {"kid": "credit.1" if kid == "other" else kid, "alg": algorithm}
    made = jose.JWS(payload)
    made.add_signature(key, protected=json.dumps(head, separators=(",", ":")))
    return made.serialize(compact=True).encode()


def signer(library):
    """Signs as contract.signed does: the whole token is the payload of the next."""

    def sign(text, kids):
        message = text.encode()
        for kid in kids:
            message = library(message, kid)
        return message

    return sign


@pytest.mark.parametrize("library", [pyjwt, jwcrypto])
@pytest.mark.parametrize("exchange", EXCHANGES, ids=[one["name"] for one in EXCHANGES])
def test_the_meter_answers_as_the_file_says(library, exchange):
    _, ack = contract.played(exchange, signer(library))
    assert {key: ack[key] for key in exchange["answer"]} == exchange["answer"]


def test_every_purpose_of_a_key_is_among_them():
    signed = {kid for exchange in EXCHANGES for kid in exchange["sign"]}
    assert signed == {"credit.1", "relay.1", "config.1", "gate.1", "root.1", "other"}


def test_a_header_with_a_type_is_refused_as_the_file_says():
    """What PyJWT does when it is not told otherwise."""
    exchange = EXCHANGES[0]

    def with_type(text, kids):
        return jwt.encode(json.loads(text), key_of(kids[0]), "HS256", {"kid": kids[0]}).encode()

    assert contract.played(exchange, with_type)[1]["result"] == "bad signature"


def test_both_libraries_believe_the_meter():
    token = contract.answered(EXCHANGES[0])
    found = jwt.decode_complete(token, key_of("up.1"), ["HS256"])
    assert (found["header"]["kid"], found["payload"]["result"]) == ("up.1", "ok")
    text = base64.urlsafe_b64encode(key_of("up.1")).decode().rstrip("=")
    read = jose.JWS()
    read.deserialize(token.decode(), jwk.JWK(kty="oct", k=text))
    assert json.loads(read.payload)["result"] == "ok"
    bent = token[:-1] + (b"A" if token[-1:] != b"A" else b"B")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode_complete(bent, key_of("up.1"), ["HS256"])
