"""The utility's side of a rotation: what it signs by, before, during and after."""

import json

import pytest

from wattledger.tests.host.mqtt_bench import Book, Signer, SoftMeter, running_broker
from wattledger.tests.host.test_tools_signing import is_good
from wattledger.tests.host.test_tools_utility import Wire
from wattledger.tools import cli, jws, keys, orders, rotate, signing
from wattledger.tools.errors import KeysError, VendError
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

METER = "m-1"
CHALLENGE = "00112233445566ff"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    keys.create(tmp_path / "keys", METER)
    orders.create_gate(tmp_path / "gate", METER)
    signing.create(tmp_path / "keys", signing.ROOT_KID)
    return tmp_path / "keys"


def held(folder):
    found = keys.load(folder, METER)
    return found.generation, found.next, sorted(found.uplink())


def payload_of(token):
    return json.loads(jws.decode(token.split(b".")[1]))


class Rotating(SoftMeter):
    """A meter that takes rotations; it answers by the generation it then has."""

    def __init__(self, port, folder, answer):
        self.generation = 1
        signer = Signer(METER, keys.load(folder, METER).device_key)
        self.orders = []
        self._answer = answer
        super().__init__(port, signer, None)
        self.hello(CHALLENGE)

    def on_message(self, topic, payload, retain):
        command = payload_of(payload)
        self.orders.append((payload, command))
        result = self._answer(self, command)
        if result is not None:
            self.ack(payload, {"result": result}, f"up.{self.generation}")


def rotated(meter, command):
    meter.generation = command["a"]["generation"]
    return "ok"


def turn(folder, port, hours=24, timeout_s=10, floors=None):
    signer = signing.load(folder, signing.ROOT_KID)
    url = f"mqtt://127.0.0.1:{port}"
    return rotate.rotate(METER, hours, signer, url, folder, floors, timeout_s)


def test_the_root_key_signs_it_and_everything_after_is_signed_by_the_new_generation(folder):
    assert held(folder) == (1, 1, ["up.1"])
    with running_broker("auto") as broker, Rotating(broker.port, folder, rotated) as meter:
        answer = turn(folder, broker.port, 12)
        assert (answer["result"], answer["generation"]) == ("ok", 2)
        token, command = meter.orders[0]
        assert command["op"] == "key.rotate" and command["ch"] == CHALLENGE
        assert command["a"] == {"generation": 2, "hours": 12} and command["m"] == METER
        assert is_good(signing.public_keys(folder)["root.1"], token)
    assert held(folder) == (2, 2, ["up.2"])
    found = keys.load(folder, METER)
    for order, kid in ((orders.keep(1), "relay.2"), (orders.read_config(), "config.2")):
        token = order.signed(found, CHALLENGE)
        assert jws.verify(token, {kid: keys.derive(found.device_key, kid)})["op"] == order.op
    gate = orders.gate_key(folder.parent / "gate", folder, METER)
    secret = orders.load_gate(folder.parent / "gate", METER)
    assert gate == keys.derive(secret, "gate.2")
    token = orders.opening("request", None, gate).signed(found, CHALLENGE)
    assert jws.decode(token.split(b".")[0]) == b'{"alg":"HS256","kid":"gate.2"}'


def test_a_lost_answer_leaves_it_able_to_hear_the_meter_whichever_it_has(folder):
    def silent(meter, command):
        meter.generation = command["a"]["generation"]

    with running_broker("auto") as broker:
        with Rotating(broker.port, folder, silent), pytest.raises(VendError, match="generation"):
            turn(folder, broker.port, timeout_s=1)
        assert held(folder) == (1, 2, ["up.1", "up.2"])
        with Rotating(broker.port, folder, rotated) as meter:
            meter.generation = 2
            answer = turn(folder, broker.port)
            assert answer["generation"] == 3
            assert [command["a"]["generation"] for _, command in meter.orders] == [3]
    assert held(folder) == (3, 3, ["up.3"])


def test_a_refused_rotation_changes_nothing(folder):
    with running_broker("auto") as broker:
        with Rotating(broker.port, folder, lambda meter, command: "denied locally"):
            answer = turn(folder, broker.port)
    assert (answer["result"], answer["generation"]) == ("denied locally", 1)
    assert keys.load(folder, METER).present("relay.1") == "relay.1"


def test_a_lost_store_names_its_floors(folder, capsys):
    keys.claim_vend(folder, METER, 41)
    words = ["key", "rotate", METER, "--broker", "mqtt://127.0.0.1:1", "--keys", str(folder)]
    assert cli.run([*words, "--lost", "--balance", "3.50", "--dry-run", "--json"]) == 0
    shown = json.loads(json.loads(capsys.readouterr().out)["detail"])
    assert shown["op"] == "key.rotate"
    wanted = {"generation": 2, "hours": 24, "credit": 41, "want": 0, "balance": 3_500_000}
    assert shown["a"] == wanted
    assert held(folder) == (1, 1, ["up.1"])  # nothing was asked for
    assert cli.run([*words, "--balance", "1"]) == 2
    assert cli.run([*words, "--hours", "721", "--dry-run"]) == 1
    assert "721 hours is not from 0 to 720" in capsys.readouterr().err


def test_a_keys_file_with_a_generation_that_is_none(folder):
    path = folder / f"{METER}.json"
    document = json.loads(path.read_text())
    for wrong in (0, -1, "2", True, 1.5):
        path.write_text(json.dumps({**document, "generation": wrong}))
        with pytest.raises(KeysError, match="restore the file"):
            keys.load(folder, METER)


def test_a_head_end_that_runs_follows_a_rotation(folder, tmp_path):
    book = Book(METER).add(1_000_000_000).add(500_000_000)
    replica, wire, lines = Replica(tmp_path / "state", METER), Wire(), []
    found = keys.load(folder, METER)
    head_end = Utility(found, replica, wire, lines.append, lambda: keys.load(folder, METER))
    signer = Signer(METER, found.device_key)
    base = f"wl/1/demo/m/{METER}/"

    def acknowledged(generation, leaf, data):
        wire.waiting.append((base + leaf, data, False))
        head_end.step()
        return signer.open(f"config.{generation}", wire.sent[-1][1])["a"]["sequence"]

    def hello(generation):
        return signer.sign(f"up.{generation}", {"m": METER, "head": book.head()})

    assert acknowledged(1, "journal", book.message(1, 1)) == 1
    rotate.claim(folder, METER)  # another tool asks for a rotation, and its answer is lost
    assert acknowledged(1, "hello", hello(1)) == 1
    assert acknowledged(2, "hello", hello(2)) == 1
    assert acknowledged(2, "journal", book.message(2, 2)) == 2
    rotate.take(folder, METER, 2)
    assert acknowledged(2, "hello", hello(2)) == 2
    assert lines == []
    wire.waiting.append((base + "hello", hello(7), False))
    head_end.step()
    assert lines == [f"{METER}: hello refused: protected header is not one of up.2"]
    replica.close()
