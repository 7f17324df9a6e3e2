"""Commands that are hit, forged and replayed: no crash, no effect that nobody signed."""

import json
import random

import pytest

from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_fuzz as fuzz
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House

DONE = ("ok", "scheduled", "duplicate")
PURPOSES = ("relay", "credit", "config", "up")


class Gated(House):
    gate_key = jws.GATE_SECRET


def house():
    built = Gated(credit=10, linked=True)
    built.run(1)
    built.talk()
    built.link.take()
    return built


def challenge(built):
    return built.agent.desk._challenge.now


def ask(built, message, retained=False):
    """The signed answers to one message on the command topic."""
    if built.agent.desk.is_silent():
        built.pass_ms(60_000)
    built.agent.desk._taken = 0  # how many are too many in a minute is others' to test
    built.link.put(message, retained)
    built.talk(3)
    answers = [json.loads(jws.unsign(data)) for _, data, _ in built.link.take("ack")]
    return [answer for answer in answers if answer["of"] == jws.reference(message)]


def standing(built):
    """All that a command could have changed."""
    agent = built.agent
    return (
        agent.journal.balance,
        agent.account.purchases.highest,
        agent.account.debt.pack(),
        agent.supply.state,
        agent.supply.reasons,
        agent.control.credit.keep_power_s,
        agent.control.remote_opens,
        agent.control.remote and agent.control.remote.opens_at,
        agent.control.limits.load_limit_w,
        agent.message,
        agent.time.signed,
        agent.sender.acknowledged,
        built.storage.size("settings"),
    )


def is_command(payload):
    """True for plain JSON of a command, by CPython's own reader made strict."""

    def once(pairs):
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys)
        return dict(pairs)

    def never(text):
        raise ValueError(text)

    try:
        found = json.loads(
            payload.decode(), object_pairs_hook=once, parse_float=never, parse_constant=never
        )
    except (ValueError, AssertionError, RecursionError):
        return False
    return isinstance(found, dict) and set(found) <= {"m", "op", "ch", "ctr", "a"}


def fuzzed(count):
    built = house()
    done = 0
    for seed in range(count):
        message, payload, op = fuzz.command(seed, challenge(built))
        before = standing(built)
        answers = ask(built, message)
        if op == "journal.ack" and not answers:
            assert is_command(payload), (seed, payload)  # one that is taken is never answered
            assert standing(built) == before, (seed, payload)
            continue
        assert len(answers) == 1, (seed, payload)
        if answers[0]["result"] in DONE:
            assert is_command(payload), (seed, payload)
            done += 1
        else:
            assert standing(built) == before, (seed, payload)
    assert 0 < done < count // 5  # the draw reaches what is taken, and mostly is not
    assert built.relay.contact()
    built.run(2, 3_600)
    assert built.agent.meter.quality == 0


def test_fuzzed_payloads_are_answered_and_change_nothing():
    fuzzed(1_500)


@pytest.mark.nightly
def test_many_fuzzed_payloads():
    fuzzed(20_000)


@pytest.mark.parametrize("gated", [False, True])
def test_no_flipped_bit_of_a_command_is_accepted(gated):
    built = house()
    good = jws.credit(1, 5 * UNIT) if not gated else jws.open_(challenge(built), 1)
    before = standing(built)
    for bit in range(len(good) * 8):
        hit = bytearray(good)
        hit[bit // 8] ^= 1 << bit % 8
        assert ask(built, bytes(hit))[0]["result"] == "bad signature", bit
        # The silence that follows ten of them must not be what refuses the rest.
        built.agent.desk._bad_at = []
    assert standing(built) == before
    assert ask(built, good)[0]["result"] == ("scheduled" if gated else "ok")


def test_no_wrong_key_does_anything_for_any_op():
    built = house()
    before = standing(built)
    for op in sorted(fuzz.OPS):
        for purpose in PURPOSES:
            for gated in (False, True):
                if purpose == fuzz.OPS[op][1] and gated == (op == "relay.open"):
                    continue
                text = '{"m":"%s","op":"%s","ch":"%s","ctr":1,"a":%s}'
                payload = text % (jws.METER, op, challenge(built), arguments_of(op))
                message = jws.sign(payload, purpose + ".1")
                answer = ask(built, jws.wrap(message) if gated else message)[0]
                assert answer["result"] not in DONE, (op, purpose, gated)
                built.agent.desk._bad_at = []
    assert standing(built) == before


def arguments_of(op):
    return "{" + ",".join(f'"{key}":{value}' for key, value in fuzz.GOOD.get(op, {}).items()) + "}"


def test_each_wrong_type_of_each_argument_is_refused():
    built = house()
    before = standing(built)
    for op in sorted(set(fuzz.GOOD) - {"ledger.open", "token.enter"}):
        for key, good in fuzz.GOOD[op].items():
            for value in fuzz.VALUES:
                if value[:1] == '"' if good[0] == '"' else value.isdecimal():
                    continue  # of the right type: its range is others' to test
                text = '{"m":"%s","op":"%s","ch":"%s","ctr":1,"a":%s}'
                payload = text % (jws.METER, op, challenge(built), fuzz.near(op, key, value))
                message = jws.sign(payload, fuzz.OPS[op][1] + ".1")
                if op == "relay.open":
                    message = jws.wrap(message)
                answer = ask(built, message)[0]
                assert answer["result"] not in DONE, (op, key, value)
                built.agent.desk._challenge.renew()
                built.agent.desk._bad_at = []
    assert standing(built) == before


def replayed(count, seed):
    """Recorded messages come again: twice, later, in another order, retained, after a reboot."""
    draw = random.Random(seed)
    built = house()
    recorded = []
    paid = {}
    counter = opened = 0
    for _ in range(count):
        what = draw.random()
        if what < 0.15 or not recorded:
            n = len(paid) + 1
            amount = draw.randrange(1, 1_000)
            message = jws.credit(n, amount)
            paid[n] = amount * 1_000
            assert ask(built, message)[0]["result"] == "ok"
            recorded.append(message)
        elif what < 0.2:
            counter += 1
            message = jws.open_(challenge(built), counter)
            result = ask(built, message)[0]["result"]
            assert result in ("scheduled", "rate"), result
            opened += result == "scheduled"
            recorded.append(message)
            counter += 1
            message = jws.arm(challenge(built), counter)
            assert ask(built, message)[0]["result"] == "ok"
            recorded.append(message)
        elif what < 0.22:
            built.link.number += 1  # a new connection: a new challenge
            built.talk()
        elif what < 0.23:
            built.agent.stop()
            built.boot()
            built.talk()
        elif what < 0.25:
            built.coast(draw.choice((20, 660, 1_300)))
        else:
            message = draw.choice(recorded[-40:] if draw.random() < 0.5 else recorded)
            retained = draw.random() < 0.1
            answers = ask(built, message, retained)
            assert not (retained and answers)
            assert retained or len(answers) == 1
        remote = built.agent.control.remote
        assert remote is None or remote.opens_at is None  # armed since: nothing schedules again
        assert built.relay.contact()
        built.link.take()
    built.agent.keeper.now()
    assert built.agent.journal.balance == 10 * 10**9 + sum(paid.values())
    credits = [entry.amount for entry in built.entries(records.CREDIT)]
    assert credits == [paid[n] for n in sorted(paid)]
    assert opened


def test_recorded_messages_have_no_second_effect():
    replayed(2_000, 1)


@pytest.mark.nightly
def test_many_recorded_messages_have_no_second_effect():
    for seed in range(2, 7):
        replayed(2_000, seed)
