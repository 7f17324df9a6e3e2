"""M1, M2: what was recorded on the wire comes again in every way a broker can think of.

One run of a meter with commands of every op, documents and tokens is recorded. Whatever is
delivered of it later does nothing: the state is the one that the allowed messages gave.
"""

import json
import random

import pytest

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, tariff_of
from wattledger.tests.both.houses_tokens import NOW_TID, token
from wattledger.tests.host.fault_bench import OWNERS, ROOT_KEY, Everything

DONE = ("ok", "scheduled")
ANSWERED = ("stale", "duplicate", "rate", "range", "denied locally", "ok", "scheduled")
LATER = START + 86_400


class Recorder(Everything):
    """A house that keeps what it was sent: `recorded` has (leaf, group, message)."""

    def __init__(self):
        self.recorded = []
        self.acks = set()  # journal.ack commands: a cursor that only rises, never answered
        self.paid = {}
        super().__init__()

    def put(self, message, retained=False, leaf="cmd", group=None):
        self.recorded.append((leaf, group, message))
        super().put(message, retained, leaf, group)

    def order(self, op, arguments, **more):
        """A command that is done."""
        message = self.command(op, arguments, **more)
        (answer,) = self.ask(message)
        assert answer["result"] in DONE, (op, answer)

    def root(self, op, arguments):
        """A command of the root key, judged in slices; its result."""
        self.coast(60)
        self.counter += 1
        payload = {"m": jws.METER, "op": op, "ch": self.challenge(), "ctr": self.counter}
        message = es256.sign(json.dumps({**payload, "a": arguments}), ROOT_KEY, "root.1")
        self.answers()
        self.put(message)
        self.talk(90)
        (answer,) = self.answers(message)
        return answer["result"]

    def sell(self, amount):
        """A purchase; below zero a refund, of the same numbers."""
        n = len(self.paid) + 1
        self.paid[n] = amount * 1000
        op = "credit.add" if amount > 0 else "credit.refund"
        self.order(op, {"n": n, "amount": abs(amount)}, fresh=False)

    def live(self):
        """Every op, and documents; what is scheduled is cancelled at the end."""
        self.document("want", es256.sign(WANT % (jws.METER, 1)))
        for n in (2, 3):
            document = tariff_of(n=n, **{"from": LATER + n})
            self.document("tariff", es256.sign(document), "homes")
        prices = '{"v":1,"prices_of":"plain","n":4,"start":%d,"step":3600,"prices":[5,6]}'
        self.document("price", es256.sign(prices % LATER), "homes")
        for turn in range(8):
            for _ in range(6):
                self.sell(100 + turn)
            self.sell(-5)
            digits = token(NOW_TID + turn, 1)
            self.order("token.enter", {"token": digits}, fresh=False)
            self.order("time.set", {"unix": self.clock.true_ms() // 1000 + turn})
            self.run(1)
            self.order("debt.set", {"id": 1 + turn, "total": 5_000, "per_day": 10})
            self.order("message.show", {"text": "message %d" % turn})
            self.order("config.set", {"key": "state_s", "value": 10 + turn})
            self.order("config.set", {"key": "load_limit_w", "value": 9_000 + turn})
            self.order("read.config", {})
            self.order("read.journal", {"from": 1, "to": 3})
            self.order("tamper.clear", {})
            until = self.clock.unix_s() + 900
            self.order("assist.start", {"scope": "live", "until": until})
            for op in ("read.live", "read.display"):  # nobody at the meter has agreed
                message = self.command(op, {})
                assert self.ask(message)[0]["result"] == "denied locally"
            self.order("supply.keep", {"hours": 1 + turn})
            self.order("supply.keep", {"hours": 0})
            if turn < 2:
                self.order("relay.open", {"reason": "request"})
            self.order("relay.arm", {})
            self.agent.keeper.now()
            head = self.agent.journal
            last = {"sequence": head.durable, "hash": head.durable_hash.hex()}
            self.hold(last)
            self.link.number += 1  # a new connection: a new challenge
            self.talk()
        assert self.root("ledger.correct", {"n": 1, "amount": 7, "reason": "a test"}) == "ok"
        # Refused: the ledger is in order.
        assert self.root("ledger.open", {"credit": 9, "want": 9}) == "denied locally"

    def hold(self, arguments):
        """The head end acknowledges the journal."""
        message = self.command("journal.ack", arguments, fresh=False)
        self.acks.add(message)
        assert self.ask(message) == []
        assert self.agent.sender.acknowledged == arguments["sequence"]


WANT = '{"m":"%s","v":%d,"id":"plain","n":2,"group":"homes","fw":0}'


@pytest.fixture(scope="module")
def recorded():
    house = Recorder()
    house.live()
    # Two connections later no challenge of the record is good.
    for _ in range(2):
        house.link.number += 1
        house.talk()
    house.link.take()
    return house


def test_the_record_has_every_op_and_every_document(recorded):
    commands = {message for leaf, _, message in recorded.recorded if leaf == "cmd"}
    assert len(commands) > 150
    ops = {op_of(message) for message in commands}
    assert ops == set(OWNERS) - {"key.rotate"}  # which test_faults_rotation.py has
    assert {leaf for leaf, _, _ in recorded.recorded} == {"cmd", "want", "tariff", "price"}
    done = {entry.payload for entry in recorded.entries(records.COMMAND)}
    assert len(done) > 100
    assert recorded.agent.account.purchases.highest == 56


def op_of(message):
    """The op that is signed, inside the gate or not."""
    payload = jws.unletters(message.split(b".")[1].decode())
    return json.loads(payload)["op"] if payload[:1] == b"{" else op_of(payload)


def attack(house, count, seed):
    """Deliver `count` recorded messages, badly; how many were refused, by how."""
    draw = random.Random(seed)
    old = list(house.recorded)
    documents = [item for item in old if item[0] != "cmd"]
    judged = {"answered": 0, "retained": 0, "document": 0}
    delivered = 0
    while delivered < count:
        way = draw.random()
        if way < 0.55:  # again, as it was
            batch = [draw.choice(documents if draw.random() < 0.3 else old)]
        elif way < 0.6:  # two to a hundred times
            batch = [draw.choice(old)] * draw.choice((2, 3, 5, 10, 100))
        elif way < 0.85:  # a window of 32 in another order
            at = draw.randrange(len(old) - 32)
            batch = draw.sample(old[at : at + 32], 32)
        elif way < 0.93:  # late
            wait_ms = draw.choice((61, 660, 3_600, 7 * 86_400)) * 1000
            for _ in range(2):  # in halves: ticks tell no more than six days
                house.link_clock.advance(wait_ms // 2)
                house.coast(draw.choice((20, 40, 660)))
            batch = [draw.choice(old)]
        else:
            if draw.random() < 0.5:
                house.link.number += 1
            else:
                house.agent.stop()
                house.boot()
            batch = [draw.choice(old)]
        retained = draw.random() < 0.15
        judged_now = deliver(house, batch, retained)
        for how, number in judged_now.items():
            judged[how] += number
        delivered += len(batch)
    return judged


def deliver(house, batch, retained):
    """Put the messages in, and see each of them judged."""
    desk = house.agent.desk
    found = {"answered": 0, "retained": 0, "document": 0}
    house.talk(4)
    house.answers()
    for leaf, group, message in batch:
        desk._taken = 0
        refused = desk.refused
        house.link.inbox.append((topic_of(leaf, group), message, retained))
        house.agent.step()
        while house.agent._unanswered:
            house.agent.step()
        if leaf != "cmd":
            while house.agent.documents.work():
                pass
            found["document"] += 1
        elif retained:
            assert desk.refused == refused + 1
            found["retained"] += 1
        else:
            answers = [] if message in house.acks else answer_to(house, message)
            assert all(answer["result"] in ANSWERED for answer in answers)
            found["answered"] += 1
    return found


def topic_of(leaf, group):
    place = "m/" + jws.METER if group is None else "g/" + group
    return "wl/1/demo/%s/%s" % (place, leaf)


def answer_to(house, message):
    """The one signed answer; a hello, or a document's turn, may come before it."""
    for _ in range(100):
        house.agent.step()
        answers = house.answers(message)
        if answers:
            assert len(answers) == 1
            return answers
    raise AssertionError("%r is not answered" % message)


def test_ten_thousand_recorded_messages_have_no_effect(recorded):
    house = recorded
    before = house.state()
    balance = house.agent.journal.balance
    judged = attack(house, 10_000, 1)
    print(judged)
    assert sum(judged.values()) >= 10_000
    assert judged["retained"] > 500
    assert judged["document"] > 100
    house.agent.keeper.now()
    assert house.state() == before
    assert house.agent.journal.balance == balance
    money = [e.amount for e in house.entries() if e.kind in (records.CREDIT, records.REFUND)]
    assert money == [house.paid[n] for n in sorted(house.paid)]
    assert [entry.amount for entry in house.entries(records.ADJUST)] == [7_000]
    tokens = [entry.amount for entry in house.entries(records.TOKEN)]
    assert len(tokens) == 8
    assert house.relay.contact()
    assert house.told(events.REMOTE_OPENED) == []
    assert house.told(events.RETAINED_COMMAND)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 7))
def test_recorded_messages_of_other_seeds_have_no_effect(seed):
    house = Recorder()
    house.live()
    for _ in range(2):
        house.link.number += 1
        house.talk()
    before = house.state()
    attack(house, 10_000, seed)
    assert house.state() == before
