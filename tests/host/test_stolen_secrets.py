"""What a thief can do: with the broker, with a relay key, with another meter's certificate.

The thief of the broker is the link itself: it hears all, holds back, repeats, reorders, retains.
"""

import json
import time

import pytest

from wattledger.agent import events
from wattledger.agent.comms import rotation
from wattledger.agent.errors import TariffError
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, UNIT, tariff_of
from wattledger.tests.both.fixtures_linked import body
from wattledger.tests.both.houses_rotation import MINUTE, ROOT_KEY, RotatingHouse
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.provision_bench import BASE, NAME, Client, Site, context
from wattledger.tools import jws as utility_jws
from wattledger.tools import keys, orders

GROUP = "wl/1/demo/g/homes"
WANT = "wl/1/demo/m/%s/want" % jws.METER


class Meter:
    """A meter on a link that the test is: what it says is in `said`."""

    def __init__(self):
        self.house = RotatingHouse(credit=10, linked=True)
        self.house.run(1)
        self.house.talk()
        self.counter = 0
        self.challenge = ""
        self.said = []

    def hear(self, topic, message, retained=False, rounds=6):
        self.house.link.inbox.append((topic, message, retained))
        self.house.talk(rounds)

    def command(self, message, retained=False, rounds=6):
        """The results of a message on the command topic."""
        self.house.link.take()
        self.hear(self.house.link.topics[0], message, retained, rounds)
        acks = [data for leaf, data, _ in self.house.link.take() if leaf == "ack"]
        return [json.loads(jws.unsign(data))["result"] for data in acks]

    def payload(self, op, arguments="{}"):
        """As the utility would sign it now: with the present challenge and the next counter."""
        self.counter += 1
        challenge = self.house.agent.desk._challenge.now
        return body(op, arguments, jws.METER, '"ch":"%s","ctr":%d,' % (challenge, self.counter))

    def standing(self):
        """Everything that a message can move."""
        agent = self.house.agent
        held = agent.documents.want
        tariff = agent.account.tariff
        return {
            "balance": agent.journal.balance,
            "owed": agent.account.debt.owed,
            "contact": self.house.relay.contact(),
            "moves": self.house.relay.operations,
            "state": agent.supply.state,
            "scheduled": agent.control.remote and agent.control.remote.opens_at,
            "tariff": (tariff.id, tariff.n),
            "documents": agent.ledger.shelf.digests(),
            "want": held and held.version,
            "keep": agent.control.credit.keep_power_s,
            "load_limit_w": agent.config.load_limit_w,
            "signed time": agent.time.signed,
            "message": agent.message,
            "acknowledged": agent.sender.acknowledged,
        }


def want_of(version, id="plain", n=1):
    text = '{"m":"%s","v":%d,"id":"%s","n":%d,"group":"homes","fw":0}'
    return es256.sign(text % (jws.METER, version, id, n))


def days_of_traffic(meter):
    """(topic, message) of a life in which every command and document was used as it should be."""
    traffic = []

    def send(topic, message, rounds=6):
        traffic.append((topic, message))
        meter.hear(topic, message, rounds=rounds)
        meter.house.link.take()

    cmd = meter.house.link.topics[0]
    for version in (1, 2):
        meter.house.coast(MINUTE)
        send(WANT, want_of(version, n=version), 90)
        meter.house.coast(MINUTE)
        send(GROUP + "/tariff", es256.sign(tariff_of(n=version + 1)), 90)
    for n in (1, 2, 3):
        send(cmd, jws.credit(n, UNIT))
    send(cmd, jws.sign(meter.payload("debt.set", '{"id":1,"total":5000000}'), "config.1"))
    send(cmd, jws.sign(meter.payload("message.show", '{"text":"old"}'), "config.1"))
    setting = '{"key":"load_limit_w","value":9000}'
    send(cmd, jws.sign(meter.payload("config.set", setting), "config.1"))
    send(cmd, jws.sign(meter.payload("supply.keep", '{"hours":5}'), "relay.1"))
    send(cmd, jws.sign(meter.payload("supply.keep", '{"hours":0}'), "relay.1"))
    opening = jws.sign(meter.payload("relay.open", '{"reason":"request"}'), "relay.1")
    send(cmd, jws.wrap(opening))
    send(cmd, jws.sign(meter.payload("relay.arm"), "relay.1"))
    meter.house.coast(MINUTE)
    rotation = meter.payload("key.rotate", '{"generation":2,"hours":720}')
    traffic.append((cmd, es256.sign(rotation, ROOT_KEY, "root.1")))  # held back by the thief
    # What the household has since done away with.
    send(cmd, jws.sign(meter.payload("message.show", '{"text":""}'), "config.1"))
    setting = '{"key":"load_limit_w","value":0}'
    send(cmd, jws.sign(meter.payload("config.set", setting), "config.1"))
    return traffic


def test_a_stolen_broker_gets_nothing():
    meter = Meter()
    traffic = days_of_traffic(meter)
    meter.house.link.number += 1  # a connect, and with it a new challenge
    meter.house.talk()
    meter.house.link.number += 1
    meter.house.coast(20 * MINUTE)  # the newest tariff is in force
    meter.house.talk()
    before = meter.standing()
    assert before["balance"] == 13 * 10**9  # 10 at first and three purchases of one
    assert (before["tariff"], before["want"]) == (("plain", 3), 2)
    cmd = meter.house.link.topics[0]
    own = {leaf: data for leaf, data, _ in meter.house.link.take()}  # the newest of each
    again = traffic + traffic[::-1] + [(cmd, data) for data in own.values()]
    # A broker may deliver any message on any topic.
    moved = [
        (place, message) for topic, message in traffic for place in (cmd, WANT) if place != topic
    ]
    for retained, messages in ((False, again + moved), (True, traffic)):
        for topic, message in messages:
            deliver(meter, topic, message, retained)
            assert meter.standing() == before, (topic, message)
    for key, kid in ((es256.OTHER_KEY, "tariff.1"), (es256.OTHER_KEY, "root.1")):
        for document in (tariff_of(n=9), tariff_of(id="cheap", n=9)):
            deliver(meter, GROUP + "/tariff", es256.sign(document, key, kid))
        for op, arguments in (
            ("key.rotate", '{"generation":9,"hours":0}'),
            ("ledger.correct", '{"n":1,"amount":900000000,"reason":"gift"}'),
        ):
            deliver(meter, cmd, es256.sign(meter.payload(op, arguments), key, kid))
            assert rotation.load(meter.house.storage) is None
    # Two that the tariff key did sign: for another group, and older than the one wanted.
    deliver(meter, GROUP + "/tariff", es256.sign(tariff_of(id="cheap", n=9)))
    deliver(meter, GROUP + "/tariff", es256.sign(tariff_of(n=1)))
    assert meter.standing() == before


def deliver(meter, topic, message, retained=False):
    """A minute later, time enough for a verification; a topic that was silenced is open again."""
    meter.house.once(MINUTE * 1000)
    meter.hear(topic, message, retained, rounds=90)
    meter.house.agent.desk._bad_at = []
    meter.house.agent.desk._silent_since = None


def test_what_lies_on_a_broker_signs_and_opens_nothing(tmp_path):
    site = Site(tmp_path)
    folder = site.meter("m-1")
    place = site.broker()
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    secrets = [
        keys.load(site.keys, "m-1").device_key.hex(),
        orders.load_gate(site.gate, "m-1").hex(),
        (folder / "display.pin").read_text().strip(),
    ]
    for path in [*site.tenant.ca.glob("*.key"), *site.keys.glob("*.pem"), folder / "client.key"]:
        secrets.append(path.read_text().splitlines()[1])
    assert len(secrets) == 3 + 2 + 3 + 1
    for secret in secrets:
        assert secret.encode() not in everything


def test_a_stolen_relay_key_gets_nothing():
    meter = Meter()
    house = meter.house
    before = meter.standing()
    opening = '{"reason":"request"}'
    thief = jws.key_of("relay.1")  # what was stolen, with the newest challenge besides

    def signed(op, arguments, kid="relay.1"):
        return jws.sign(meter.payload(op, arguments), kid, key=thief)

    bare = signed("relay.open", opening)
    gate = jws.wrap(signed("relay.open", opening), thief)
    for message in (
        bare,
        gate,
        jws.wrap(signed("relay.open", opening), thief, "relay.1"),  # around itself
        jws.sign(meter.payload("relay.open", opening), "gate.1", key=thief),
        signed("credit.add", '{"n":1,"amount":1000000}'),
        signed("credit.add", '{"n":1,"amount":1000000}', "credit.1"),
        signed("credit.refund", '{"n":1,"amount":1000000}'),
        signed("token.enter", '{"token":"12345678901234567890"}'),
        signed("debt.set", '{"id":1,"total":1000000}'),
        signed("config.set", '{"key":"load_limit_w","value":100}'),
        signed("config.set", '{"key":"load_limit_w","value":100}', "config.1"),
        signed("time.set", '{"unix":1900000000}'),
        signed("message.show", '{"text":"pay me"}'),
        signed("journal.ack", '{"sequence":1,"hash":"0011223344556677"}'),
        signed("key.rotate", '{"generation":9,"hours":0}'),
        signed("ledger.open", '{"credit":0,"want":0,"balance":900000000}'),
        signed("ledger.correct", '{"n":1,"amount":900000000,"reason":"gift"}'),
    ):
        assert meter.command(message)[0] in ("denied locally", "bad signature", "range"), message
        house.agent.desk._bad_at = []
    house.coast(3600)  # a delayed opening would have come
    assert meter.standing() == before
    assert house.relay.operations == 0 and house.told(events.REMOTE_SCHEDULED) == []
    # What it can do, arm and keep power on, ends with a rotation.
    assert meter.command(signed("supply.keep", '{"hours":1}')) == ["ok"]
    assert meter.command(signed("supply.keep", '{"hours":0}')) == ["ok"]
    rotation = meter.payload("key.rotate", '{"generation":2,"hours":0}')
    meter.hear(house.link.topics[0], es256.sign(rotation, ROOT_KEY, "root.1"), rounds=90)
    for op, arguments in (("relay.arm", "{}"), ("supply.keep", '{"hours":9}')):
        house.link.take()
        meter.hear(house.link.topics[0], signed(op, arguments))
        ack = [data for leaf, data, _ in house.link.take() if leaf == "ack"][0]
        assert json.loads(jws.unsign(ack, "up.2"))["result"] == "bad signature"
    assert meter.standing() == before


def test_a_stolen_config_key_opens_by_a_load_limit_and_moves_money_by_a_debt():
    """What docs/security.md says it can: neither is a relay.open or a credit."""
    limited = Meter()
    for key, value in (("load_limit_w", 1), ("load_limit_s", 1), ("load_tries", 0)):
        setting = limited.payload("config.set", '{"key":"%s","value":%d}' % (key, value))
        assert limited.command(jws.sign(setting, "config.1")) == ["ok"]
    limited.house.run(2, 720)
    assert not limited.house.relay.contact()
    limited.house.coast(24 * 3600)
    assert not limited.house.relay.contact()  # no closing without a person is left
    indebted = Meter()
    debt = '{"id":4294967295,"total":30000000,"per_day":30000000}'
    debt = indebted.payload("debt.set", debt)
    assert indebted.command(jws.sign(debt, "config.1")) == ["ok"]
    assert indebted.house.relay.contact()
    indebted.house.coast(18 * 3600 + 60)  # 06:00 to midnight
    assert indebted.house.agent.journal.balance == (10 - 30) * 10**9
    assert not indebted.house.relay.contact()
    # And no debt of a higher id can follow.
    further = indebted.payload("debt.set", '{"id":4294967294,"total":1}')
    assert indebted.command(jws.sign(further, "config.1")) == ["range"]
    for meter in (limited, indebted):
        for op, arguments in (
            ("relay.open", '{"reason":"request"}'),
            ("credit.add", '{"n":1,"amount":1000000}'),
            ("credit.refund", '{"n":1,"amount":1000000}'),
            ("read.live", '{"scope":"live"}'),
        ):
            message = jws.sign(meter.payload(op, arguments), "config.1")
            assert meter.command(message)[0] in ("denied locally", "range"), op


def test_a_stolen_vending_key_uses_the_numbers_of_purchases_up():
    meter = Meter()
    assert meter.command(jws.credit((1 << 53) - 1, 1)) == ["ok"]
    assert meter.command(jws.credit(2, UNIT)) == ["range"]
    rotation = meter.payload("key.rotate", '{"generation":2,"hours":0}')
    meter.hear(meter.house.link.topics[0], es256.sign(rotation, ROOT_KEY, "root.1"), rounds=90)
    meter.house.link.take()
    purchase = body("credit.add", '{"n":2,"amount":1000000}')
    meter.hear(meter.house.link.topics[0], jws.sign(purchase, "credit.2"))
    ack = [data for leaf, data, _ in meter.house.link.take() if leaf == "ack"][0]
    assert json.loads(jws.unsign(ack, "up.2"))["result"] == "range"


def test_a_stolen_tariff_key_comes_to_the_local_bounds_in_steps_or_at_once():
    house = RotatingHouse(credit=10)
    agent = house.agent
    limit = agent.config.price_limit_micro
    house.use(4)  # what a correction can make dearer
    house.coast(900)
    price, steps = 1_000_000_000, 0  # that of tariff_of()
    while price < limit:
        steps += 1
        price = min(price * 3 // 2, limit)
        start = agent.time.unix() // 900 * 900 + 900
        document = {"n": 1 + steps, "price": [[price]], "from": start}
        with pytest.raises(TariffError):  # no more than half as much again
            agent.accept_document(tariff_of(**dict(document, price=[[price * 2]])))
        assert agent.accept_document(tariff_of(**document)) == "next"
        house.coast(901)
        assert agent.account.tariff.price == [[price]]
    assert steps == 6  # of a quarter of an hour each
    # The charges beside energy, what has been, and dynamic prices are held to the bounds alone.
    dear = {"n": 90, "price": [[limit]], "standing_day": limit, "from": START}
    assert agent.accept_document(tariff_of(**dear)) == "next"
    past = {"from": START, "until": START + 900}
    assert agent.accept_document(tariff_of(**dict(dear, n=91, correct=past))) == "correction"
    slots = {"v": 1, "prices_of": "plain", "n": 1, "step": 900, "prices": [-limit, limit]}
    slots["start"] = agent.time.unix() // 900 * 900 + 900
    assert agent.accept_document(json.dumps(slots).encode()) == "prices"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("tenant"))
    for name in ("m-1", "thief"):
        made.meter(name)
    made.head_end()
    made.broker()
    made.start()
    yield made
    made.stop()


def test_another_meters_certificate_gets_nothing(site):
    def as_meter(name, client_id, topics):
        return Client(site.ports[0], client_id, context(site.folder / name), topics)

    own = [f"{BASE}/m-1/{leaf}" for leaf in ("cmd", "want")]
    secret = keys.load(site.keys, "m-1")
    hello = utility_jws.sign({"m": "m-1", "challenge": "0" * 16}, secret.key("up.1"), "up.1")
    with (
        as_meter("m-1", "m-1", own) as meter,
        Client(site.ports[1], "desk", context(site.folder / "head"), ("#",)) as desk,
    ):
        meter.publish(f"{BASE}/m-1/hello", hello, retain=True)
        # By its own name and by the meter's; as many as it likes.
        for client_id in ("thief", "m-1", "", "desk"):
            with as_meter("thief", client_id, ("#", *own, f"{BASE}/m-1/hello")) as thief:
                desk.publish(f"{BASE}/m-1/cmd", b"order")
                for leaf in ("hello", "state", "journal", "ack", "status", "cmd", "want"):
                    thief.publish(f"{BASE}/m-1/{leaf}", b"forged", retain=True)
                for leaf in ("tariff", "price"):
                    thief.publish(f"wl/1/{NAME}/g/homes/{leaf}", b"forged", retain=True)
                assert until(lambda: meter.received)
                time.sleep(0.1)
                assert thief.received == []  # neither the order nor what the meter says
                assert meter.received == [(f"{BASE}/m-1/cmd", b"order")]
                assert meter.is_in()
                meter.received.clear()
        assert [payload for _, payload in desk.received] == [hello]
    # And should a broker let them through, its keys are no keys of the other meter.
    other = keys.load(site.keys, "thief")
    for kid in ("up.1", "relay.1", "credit.1", "config.1"):
        forged = utility_jws.sign({"m": "m-1"}, other.key(kid), kid)
        with pytest.raises(utility_jws.JwsError):
            utility_jws.verify(forged, {kid: secret.key(kid)})
