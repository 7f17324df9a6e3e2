"""Everything a running meter and its utility say, held against docs/asyncapi.yaml.

A schema that lacks a key the meter sends, or asks for one it does not, fails here.
"""

import json
import threading

import pytest

from wattledger.tests.both.fixtures_agent import START, House, tariff_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, GATE_SECRET, METER
from wattledger.tests.host import asyncapi_bench as contract
from wattledger.tests.host.demo_process import DemoProcess
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until
from wattledger.tests.host.test_tools_push import Meter
from wattledger.tools import debt, desk_orders, keys, orders, push, root_orders, signing, vend
from wattledger.tools.replica import Replica
from wattledger.tools.utility import Utility

WAIT_S = 20
LATER = START + 86_400
LEAVES = {"status", "hello", "state", "journal", "ack", "cmd", "want", "tariff", "price"}


def faults_of(topic, data):
    """What is wrong with one message of the wire, by the file."""
    leaf = topic.rsplit("/", 1)[1]
    if leaf == "status":
        return contract.faults("Status", data.decode())
    if leaf in ("state", "journal"):
        return contract.faults(leaf.capitalize(), json.loads(data))
    kid = json.loads(contract.unpadded(data.split(b".")[0]))["kid"]
    form = "Es256" if kid.startswith(("tariff.", "root.")) else "Hs256"
    found = contract.faults(form, data.decode())
    payload = contract.unpadded(data.split(b".")[1])
    if kid.startswith("gate."):
        payload = contract.unpadded(payload.split(b".")[1])
    name = {"cmd": "Command", "price": "Prices"}.get(leaf, leaf.capitalize())
    return found + contract.faults(name, json.loads(payload))


def judged(received):
    """{leaf: messages}; fails at the first message that is not as the file says."""
    count = {}
    for topic, data, _ in received:
        leaf = topic.rsplit("/", 1)[1]
        assert faults_of(topic, data) == [], (leaf, data)
        count[leaf] = count.get(leaf, 0) + 1
    return count


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keys").mkdir()
    document = {"meter": METER, "note": "test key", "device_key": DEVICE_KEY.hex()}
    (tmp_path / "keys" / f"{METER}.json").write_text(json.dumps(document))
    (tmp_path / "keys" / f"{METER}.counter").write_text("0\n")
    signing.create(tmp_path / "keys", signing.TARIFF_KID)
    signing.create(tmp_path / "keys", signing.ROOT_KID)
    return tmp_path / "keys"


def test_a_meter_and_its_utility_say_what_the_file_says(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(desk_orders, "_now", lambda: START + 3600)
    monkeypatch.setattr(orders, "ROOT_REST_S", 0.3)

    class OfUtility(House):
        gate_key = GATE_SECRET
        public_keys = signing.public_keys(folder)

    with running_broker("iotcore") as broker, Peer(broker.port, "wl/1/#") as peer:
        with Meter(broker.url, OfUtility()) as meter:
            house = meter.house
            stop = threading.Event()
            utility = a_utility(broker, folder, tmp_path)
            thread = threading.Thread(target=utility.serve, args=(stop,))
            thread.start()
            try:
                converse(broker, folder, house, tmp_path)
                assert until(lambda: utility.proven > 10, WAIT_S)
            finally:
                stop.set()
                thread.join()
    count = judged(peer.received)
    assert set(count) == LEAVES, count
    asked = {command["op"] for command in sent(peer.received)}
    # Those that only a meter in trouble, or one with tokens, is sent.
    assert set(contract.commands()) - asked == {"token.enter", "ledger.open", "key.rotate"}


def sent(received):
    for topic, data, _ in received:
        if topic.endswith("/cmd"):
            payload = contract.unpadded(data.split(b".")[1])
            if not payload.startswith(b"{"):
                payload = contract.unpadded(payload.split(b".")[1])
            yield json.loads(payload)


def a_utility(broker, folder, tmp_path):
    from wattledger.tools import mqtt

    (tmp_path / "utility").mkdir()
    link = mqtt.connect(broker.url, "utility")
    replica = Replica(tmp_path / "utility", METER)
    return Utility(keys.load(folder, METER), replica, link, lambda line: None)


def converse(broker, folder, house, tmp_path):
    """One of everything that the tools send, to a house that has credit."""

    def done(order):
        return orders.send(METER, order, broker.url, folder, WAIT_S)["result"]

    assert vend.credit(METER, "20", broker.url, folder)["result"] == "ok"
    assert vend.refund(METER, "1", broker.url, folder)["result"] == "ok"
    terms = debt.Terms(1, "5", "0.5", 20, "1")
    for order in (
        debt.order(terms),
        orders.message("停电 09:00"),
        orders.keep(1),
        orders.keep(0),
        desk_orders.time_set(START + 4000),
        desk_orders.config_set("load_limit_w", 9000),
        orders.read_config(),
        orders.read_journal(1, 2),
        desk_orders.tamper_clear(),
        desk_orders.assistance("live", 200),
    ):
        assert done(order) == "ok", order.op
    house.page.requests.append(("assist", True))
    assert until(lambda: house.page.view["assist"]["state"] == "on", WAIT_S)
    answer = orders.send(METER, desk_orders.read_live(), broker.url, folder, WAIT_S)
    assert contract.faults("LiveReading", json.loads(answer["detail"])) == []
    assert done(desk_orders.read_display()) == "denied locally"
    assert done(orders.opening("works", None, gate())) == "scheduled"
    assert done(orders.arming()) == "ok"
    root = signing.load(folder, signing.ROOT_KID)
    assert done(root_orders.correct(root, 1, "1", None, "late reading")) == "ok"
    tariff = signing.load(folder, signing.TARIFF_KID)
    wish = {"id": "plain", "n": 1, "group": "homes"}
    assert push.want(METER, wish, tariff, broker.url, folder, WAIT_S)["held"]
    prices = {"v": 1, "prices_of": "plain", "n": 1, "start": LATER, "step": 3600}
    for data in (
        tariff_of(n=2, **{"from": LATER}),
        json.dumps({**prices, "prices": [1, -2]}).encode(),
    ):
        path = tmp_path / "document.json"
        path.write_bytes(data)
        document = push.Document(path)
        token = document.signed(tariff)
        found = push.push(document, token, "homes", [METER], broker.url, folder, WAIT_S)
        assert found["held"] == [METER], found


def gate():
    return keys.derive(GATE_SECRET, orders.GATE_KID)


def test_the_demo_says_what_the_file_says(tmp_path):
    """Real drivers and a house with loads: every field of the state is there."""
    state = tmp_path / "state"
    demo = DemoProcess("--speed", 600, "--headless", "--state", state)
    try:
        demo.wait_ready()
        url = demo.said("broker")
        with Peer(int(url.rsplit(":", 1)[1]), "wl/1/#") as peer:
            assert vend.credit("demo-0001", "1.50", url, state / "keys")["result"] == "ok"
            assert until(lambda: [t for t, _, _ in peer.received if t.endswith("/state")], WAIT_S)
            assert until(lambda: len(peer.received) > 12, 6)
    finally:
        demo.interrupt()
    count = judged(peer.received)
    assert {"status", "hello", "state", "journal", "ack", "cmd"} <= set(count)
    states = [json.loads(data) for topic, data, _ in peer.received if topic.endswith("/state")]
    assert any(one["power_mw"] and one["rate"] and one["next"] for one in states)
