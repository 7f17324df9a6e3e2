"""docs/asyncapi.yaml: a valid document whose examples hold and whose exchanges a meter plays."""

import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jsonschema import Draft7Validator

from wattledger.agent import overrides
from wattledger.agent.comms import assistance, commands, orders, remote_open
from wattledger.agent.supply import rules, states
from wattledger.hal.sample import QUALITY_NAMES, TRUST_NAMES
from wattledger.tests.host import asyncapi_bench as contract

OPS = {**commands.OPS, **orders.RARE}
EXCHANGES = contract.document()["x-exchanges"]


def references(node):
    """Every $ref below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere():
    found = set(references(contract.document()))
    assert len(found) > 40
    for reference in found:
        node = contract.document()
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_schema_is_json_schema_and_used():
    used = {reference.rsplit("/", 1)[1] for reference in references(contract.document())}
    details = {"LiveReading", "ReadSettings"}  # carried as JSON in a text
    for name, schema in contract.schemas().items():
        Draft7Validator.check_schema(schema)
        assert name in used | details, name


def test_no_object_lets_an_unknown_key_pass():
    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object":
                yield node
            for value in node.values():
                yield from objects(value)
        elif isinstance(node, list):
            for value in node:
                yield from objects(value)

    found = list(objects(contract.schemas()))
    assert len(found) > 50
    for schema in found:
        assert schema["additionalProperties"] is not None
        assert schema["additionalProperties"] is not True


@pytest.mark.parametrize("name", [n for n, s in contract.schemas().items() if "examples" in s])
def test_examples_hold(name):
    schema = contract.schemas()[name]
    for example in schema["examples"]:
        assert contract.faults(name, example) == []
        # And the schema is strict: not one key more, nor one that is needed less.
        assert contract.faults(name, {**example, "more": 1})
        for key in schema.get("required", ()):
            assert contract.faults(name, {k: v for k, v in example.items() if k != key})


def test_it_knows_every_command_and_its_key():
    found = {
        op: (schema["x-key"], schema["x-fresh"]) for op, schema in contract.commands().items()
    }
    assert found == {op: row[1:] for op, row in OPS.items()}
    gated = [op for op, schema in contract.commands().items() if schema.get("x-gate")]
    assert gated == [op for op, row in OPS.items() if row[0] == commands.OPENING]
    for op, schema in contract.commands().items():
        assert ("ch" in schema["required"]) == schema["x-fresh"], op


def test_its_words_are_the_meters():
    schemas = contract.schemas()
    state = schemas["State"]["properties"]
    supply = state["supply"]["properties"]
    assert schemas["Result"]["enum"] == list(commands.RESULTS)
    assert schemas["Scope"]["enum"] == list(assistance.SCOPES)
    assert schemas["Trust"]["enum"] == list(TRUST_NAMES)
    assert state["quality"]["enum"] == list(QUALITY_NAMES)
    assert supply["state"]["enum"] == list(states.NAMES)
    assert schemas["Reason"]["enum"] == [row[1] for row in rules.OPENS]
    assert supply["closes"]["enum"] == [row[0] for row in rules.CLOSES]
    asked = contract.commands()
    assert asked["relay.open"]["properties"]["a"]["properties"]["reason"]["enum"] == list(
        remote_open.REASONS
    )
    keys = asked["config.set"]["properties"]["a"]["properties"]["key"]["enum"]
    assert keys == list(overrides.KEYS)


# --- the signed examples ---

MESSAGES = contract.document()["components"]["messages"]
WIRE = [(name, one["payload"]) for name, m in MESSAGES.items() for one in m.get("examples", ())]


def key_of(kid):
    """A key as the file derives it, of the file's own test keys."""
    secret = contract.document()["x-test-keys"]["gate_key" if kid[:5] == "gate." else "device_key"]
    return hmac.digest(bytes.fromhex(secret), b"wattledger/1/" + kid.encode(), "sha256")


def opened(token):
    """Header, payload and signature of a token, bytes."""
    return [contract.unpadded(part.encode()) for part in token.split(".")]


def is_signed(token):
    """By the algorithm of its header, with libraries that are not ours."""
    head, _, mark = opened(token)
    found = json.loads(head)
    signed = token.rpartition(".")[0].encode()
    if found["alg"] == "HS256":
        return hmac.digest(key_of(found["kid"]), signed, "sha256") == mark
    point = b"\x04" + bytes.fromhex(contract.document()["x-test-keys"][found["kid"]])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    r, s = (int.from_bytes(mark[at : at + 32], "big") for at in (0, 32))
    public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    return True


@pytest.mark.parametrize(("name", "payload"), WIRE, ids=[name for name, _ in WIRE])
def test_an_example_of_the_wire_is_what_its_message_says(name, payload):
    message = MESSAGES[name]
    assert contract.faults(contract.name_of(message["payload"]), payload) == []
    if "x-signed-payload" not in message:
        return
    assert is_signed(payload)
    inner = opened(payload)[1].decode()
    if name == "GatedCommand":
        assert is_signed(inner)
        inner = json.dumps(contract.payload_of(inner.encode()))
        assert contract.faults("RelayOpen", json.loads(inner)) == []
    else:
        assert (
            contract.faults(contract.name_of(message["x-signed-payload"]), json.loads(inner)) == []
        )


def test_there_is_one_for_each_way_to_sign():
    assert {"Command", "GatedCommand", "RootCommand", "Ack", "Want"} <= {name for name, _ in WIRE}


# --- what the meter answers ---


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[one["name"] for one in EXCHANGES])
def test_the_meter_answers_as_the_file_says(exchange):
    payload, ack = contract.played(exchange)
    assert contract.faults("Ack", ack) == []
    wanted = exchange["answer"]
    assert {key: ack[key] for key in wanted} == wanted
    if ack["result"] in ("ok", "scheduled"):
        assert contract.faults("Command", payload) == []
    if payload["op"] == "read.config":
        assert contract.faults("ReadSettings", json.loads(ack["detail"])) == []


def test_every_command_is_played_once_at_least():
    done = {one["payload"]["op"] for one in EXCHANGES if one["answer"]["result"] != "range"}
    # Answered by going on (journal.ack), or by meters that take tokens.
    assert set(OPS) - done == {"journal.ack", "token.enter"}


def test_what_the_schema_forbids_the_meter_refuses():
    """A command that breaks its schema is never done: each required argument left out or bent."""
    tried = 0
    for op, schema in contract.commands().items():
        example = schema["examples"][0]
        kids = [schema["x-key"] + ".1"] + ["gate.1"] * bool(schema.get("x-gate"))
        for payload in bent(example):
            if not contract.faults("Command", payload):
                continue
            if "ch" in payload:
                payload["ch"] = "current"
            result = refused(payload, kids)
            # An acknowledgement that says nothing new is answered by sending on.
            assert result in REFUSED or (op, result) == ("journal.ack", ""), (op, payload, result)
            tried += 1
    assert tried > 60
    assert HOUSES["one"].agent.sender.acknowledged == 0
    assert HOUSES["one"].agent.journal.balance == 10_000_000_000


def bent(example):
    """A command with a key too many, and each argument left out, or of another kind."""
    arguments = example["a"]
    yield {**example, "more": 1}
    yield {**example, "a": {**arguments, "more": 1}}
    for key, value in arguments.items():
        yield {**example, "a": {k: v for k, v in arguments.items() if k != key}}
        other = 5 if isinstance(value, str) else "5"
        for wrong in (other, None, True, -(2**60)):
            yield {**example, "a": {**arguments, key: wrong}}


HOUSES = {}
REFUSED = ("range", "stale", "denied locally")


def refused(payload, kids):
    """The result word; one house for all, as nothing may change it."""
    if not HOUSES:
        house = HOUSES["one"] = contract.Meter(credit=10, linked=True)
        house.run(1)
        house.talk()
        HOUSES["ctr"] = 0
    house = HOUSES["one"]
    house.link_clock.advance(61_000)  # a minute for each: no limit of a minute is in the way
    house.talk(3)
    for _, data, _ in house.link.take("hello"):
        HOUSES["hello"] = contract.payload_of(data)
    HOUSES["ctr"] += 1
    if "ch" in payload:
        payload.update(ch=HOUSES["hello"]["challenge"], ctr=HOUSES["ctr"])
    house.link.put(contract.signed(json.dumps(payload), kids))
    house.talk(90)
    acks = house.link.take("ack")
    return contract.payload_of(acks[0][1])["result"] if acks else ""
