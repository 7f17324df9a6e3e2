"""F1, N4: ten thousand meters whose keys are stolen, or whose broker goes down at once."""

import inspect
import random
import types

import pytest

from wattledger.agent.comms import orders
from wattledger.agent.comms.challenge import Challenge
from wattledger.agent.comms.commands import CommandDesk
from wattledger.agent.comms.envelope import Keyring, derive
from wattledger.agent.comms.remote_open import RemoteOpening
from wattledger.agent.supply import rules, states
from wattledger.hal.network.backoff import next_delay
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.tests.both.fixtures_agent import START
from wattledger.tests.host.fault_bench import sign

METERS = 10_000
HOUR = 3_600
DAY = 24 * HOUR
PURPOSES = ("relay", "credit", "config")


class Meter:
    """The desk, the real remote opening and the real supply state of one meter, without the rest.

    `powered_s` is its time; `opened` has the powered seconds of each opening.
    """

    def __init__(self, number):
        self.name = "m%05d" % number
        self.secret = random.Random(number).randbytes(32)
        self.gate = random.Random(-number - 1).randbytes(32)
        keyring = Keyring(self.secret, PURPOSES)
        keyring.add("gate", self.gate)
        entropy = SeededEntropy(number)
        clock = VirtualClock(0)
        self.challenge = Challenge(entropy, clock)
        self.desk = CommandDesk(
            self.name, keyring, self.challenge, clock, {}, lambda code, value: None, self._find
        )
        self.supply = states.Supply()
        self.supply.state = states.CONNECTED
        self.control = types.SimpleNamespace(
            credit=types.SimpleNamespace(keep_power_s=0), remote_opens=0
        )
        self.time = types.SimpleNamespace(
            powered_s=0, unix=lambda: START + self.time.powered_s, trust=lambda: TRUST_SYNCED
        )
        self.ledger = types.SimpleNamespace(fault=None)
        self.keeper = types.SimpleNamespace(failed=0)
        self.account = types.SimpleNamespace(debt=types.SimpleNamespace(owed=0), tariff=None)
        self.config = types.SimpleNamespace(never_cut=False)
        self.remote = RemoteOpening(self, MemoryStorage(), entropy)
        self.control.remote = self.remote
        self.opened = []
        self.counter = 0

    def report(self, code, value):
        pass

    def _find(self, op):
        return orders.RARE[op] + (self.remote.order,) if op == "relay.open" else None

    def hear(self, message):
        """The result of a command."""
        return self.desk.handle(message, False)["result"]

    def opening(self):
        """relay.open with the relay key alone."""
        self.counter += 1
        payload = {"m": self.name, "op": "relay.open", "ch": self.challenge.now}
        payload.update(ctr=self.counter, a={"reason": "request"})
        return sign(payload, "relay.1", derive(self.secret, "relay.1"))

    def gated(self):
        """relay.open with both keys."""
        return sign(self.opening(), "gate.1", derive(self.gate, "gate.1"))

    def advance(self, powered_s):
        """Time passes; what is due then is carried out when it is."""
        due = self.remote.opens_at
        if due is not None and due <= powered_s:
            self.time.powered_s = due
            self.remote.judge()
            assert self.supply.must_open()
            self.supply.opened(due)
            self.opened.append(due)
        self.time.powered_s = powered_s
        self.remote.judge()

    def close(self):
        """The household has the supply armed, and closes it."""
        self.remote.end()
        self.supply.settle()
        self.supply.closed(self.time.powered_s)


@pytest.fixture(scope="module")
def fleet():
    return [Meter(number) for number in range(METERS)]


def test_a_stolen_relay_key_opens_no_supply_of_ten_thousand(fleet):
    for meter in fleet:
        alone = meter.opening()
        assert meter.hear(alone) == "denied locally"
        # And every gate that the same stolen secret makes.
        for kid, purpose in (("gate.1", "gate.1"), ("gate.1", "relay.1"), ("relay.1", "relay.1")):
            forged = sign(meter.opening(), kid, derive(meter.secret, purpose))
            assert meter.hear(forged) in ("bad signature", "range")
        meter.advance(DAY)
    assert sum(len(meter.opened) for meter in fleet) == 0
    assert all(meter.remote.opens_at is None for meter in fleet)


def test_both_keys_stolen_spread_the_openings_over_a_quarter_of_an_hour(fleet):
    for meter in fleet:
        meter.time.powered_s = DAY
        meter.desk._bad_at = []
        assert meter.hear(meter.gated()) == "scheduled"
        meter.advance(DAY + rules.WARNED_S - 1)
    assert sum(len(meter.opened) for meter in fleet) == 0  # everybody is warned for 5 minutes
    for meter in fleet:
        meter.advance(DAY + 2 * HOUR)
    opened = [meter.opened[0] - DAY for meter in fleet]
    assert min(opened) >= 300
    assert max(opened) <= 300 + 900
    assert max(opened) - min(opened) >= 890
    # 10 000 / 901 are 11.1 a second; four standard deviations above are 24.4.
    counts = [opened.count(second) for second in range(300, 1_201)]
    print("spread %d s, at most %d in a second" % (max(opened) - min(opened), max(counts)))
    assert max(counts) <= 28


def test_both_keys_stolen_open_each_supply_twice_a_day_and_four_times_a_month(fleet):
    some = fleet[::200]
    for meter in some:
        meter.close()
    for hour in range(3, 32 * 24):
        now = DAY + hour * HOUR
        for meter in some:
            meter.advance(now)
            if meter.supply.state != states.CONNECTED:
                meter.close()
            if hour % 3 == 0 and meter.remote.opens_at is None:
                meter.desk._taken = 0
                meter.hear(meter.gated())
    for meter in some:
        opened = meter.opened
        assert 4 <= len(opened) <= 8
        for first, third in zip(opened, opened[2:], strict=False):
            assert third - first >= 24 * HOUR
        for first, fifth in zip(opened, opened[4:], strict=False):
            assert fifth - first >= 30 * DAY


def attempts(bounds, down_s, seed):
    """Attempts to connect in each second after a broker went down, of all meters; and the last."""
    draw = random.Random(seed)
    seconds = {}
    last = 0
    for _ in range(METERS):
        now = wait = 0
        while now <= down_s:
            wait = next_delay(wait, *bounds, uniform=draw.uniform)
            now += wait
            seconds[int(now)] = seconds.get(int(now), 0) + 1
        last = max(last, now)
    return seconds, last


@pytest.mark.parametrize("down_s", [0, 10, 60, 600, 3_600])
def test_ten_thousand_meters_come_back_at_two_in_a_hundred_a_second_at_most(down_s):
    bounds = inspect.signature(PahoLink).parameters["backoff_s"].default
    seconds, last = attempts(bounds, down_s, 1)
    share = 100 * max(seconds.values()) / METERS
    print("down %d s: at most %.2f %% a second, all back after %d s" % (down_s, share, last))
    assert share <= 2
    assert last <= (down_s + 900 if down_s else 75)
