"""A day (nightly thirty) at 1 s ticks through the real driver: no count is lost."""

import pytest

from wattledger.agent.agent import Agent
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.load import Household
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.world import World
from wattledger.tests.both.fixtures_agent import START, UNIT, config_of, tariff_of
from wattledger.tests.both.fixtures_jws import METER

CONSTANTS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
DAY_S = 86_400
MWS_A_COUNT = 11_250
FLAT = 500_000  # micro-units a kWh


class Meter:
    """An agent with the real driver; the caller lets the world pass."""

    def __init__(self, chip, phases=1, relay=None):
        self.storage = MemoryStorage()
        self.clock = VirtualClock(START * 1000)
        self.relay = relay or LatchingRelay()
        commission(self.storage, METER, START, TRUST_SYNCED, 900 * UNIT, CONNECTED)
        self.agent = Agent(
            config_of(),
            Atm90e32(chip, lambda ms: None, [CONSTANTS] * phases),
            self.relay,
            self.clock,
            VirtualClock(0),
            SeededEntropy(1),
            self.storage,
        )
        self.agent.start(tariff_of(price=[[FLAT]], export=[FLAT // 2]))

    def second(self):
        self.clock.advance(1000)
        self.agent.tick()
        self.agent.step()

    def counts(self):
        """(import, export) counts the register holds."""
        register = self.agent.meter.register
        return (
            register.import_wh * 320 + register.import_rest,
            register.export_wh * 320 + register.export_rest,
        )

    def intervals(self):
        found = walk(self.storage, records.first_hash(METER))
        return [
            readers.unpack_interval(entry.payload)
            for _, entry in found
            if entry.kind == records.INTERVAL
        ]


@pytest.mark.parametrize("days", [1, pytest.param(30, marks=pytest.mark.nightly)])
def test_a_household_ends_with_no_count_of_difference(days):
    chip = Chip(**CONSTANTS)
    meter = Meter(chip)
    world = World(START * 1000, chip, Household(1), Mains(1), meter.relay)
    for _ in range(days * DAY_S):
        world.advance(1000)
        meter.second()
    assert meter.counts() == (chip.total_counts(0), 0)
    assert chip.held_counts(0) == 0
    # The truth of the world, kept apart from the chip: short of it by less than one count.
    assert 0 <= world.import_mws - meter.counts()[0] * MWS_A_COUNT < MWS_A_COUNT
    assert 8_000 < meter.agent.meter.register.import_wh // days < 12_000
    assert meter.agent.meter.rejected == 0 and meter.agent.meter.interval_quality == 0
    # 96 quarters of an hour a day, and their price from the floored register alone.
    closed = meter.intervals()
    assert len(closed) == days * 96
    assert {interval.quality for interval in closed} == {0}
    assert meter.agent.journal.balance == 900 * 10**9 - closed[-1].import_wh * FLAT
    assert meter.relay.operations == 0


@pytest.mark.parametrize("hours", [6])
def test_three_phases_are_a_vector_sum_split_once(hours):
    """A roof that exports at noon on one phase while others import: signs by hand."""
    chip = Chip(**CONSTANTS)
    meter = Meter(chip, phases=3)
    before = [0, 0, 0]
    imported = exported = 0
    for second in range(hours * 3600):
        if second % 60 == 0:
            minute = second // 60
            # A: sun from -3 kW to +1 kW; B: steady 700 W; C: a kettle in every seventh minute.
            chip.set_phase(0, 230_000, 8_000, (minute * 37 % 4001 - 3000) * 1000)
            chip.set_phase(1, 231_000, 3_030, 700_000)
            chip.set_phase(2, 229_000, 8_734, 2_000_000 if minute % 7 == 0 else 0)
        chip.feed(1000)
        now = [chip.total_counts(phase) for phase in range(3)]
        net = sum(now) - sum(before)
        before = now
        if net > 0:
            imported += net
        else:
            exported -= net
        meter.second()
    assert imported > 100_000 and exported > 100_000
    assert meter.counts() == (imported, exported)
    assert imported - exported == sum(chip.total_counts(phase) for phase in range(3))
    register = meter.agent.meter.register
    last = meter.intervals()[-1]
    assert (last.import_wh, last.export_wh) == (register.import_wh, register.export_wh)
    expected = 900 * 10**9 - register.import_wh * FLAT + register.export_wh * FLAT // 2
    assert meter.agent.journal.balance == expected


def test_a_day_with_a_bad_wire_ends_with_no_count_of_difference():
    """Four hours in which one answer in about a hundred is misheard and the chip falls silent."""
    chip = Chip(**CONSTANTS)
    meter = Meter(chip)
    for second in range(4 * 3600):
        chip.set_phase(0, 230_000, 9_000, (second * 7919 % 4_000_000) - 500_000)
        chip.feed(1000)
        if second % 3 == 0:
            register = (0x81, 0x85, 0x78, 0x00)[second // 3 % 4]
            chip.corrupt_next(1 << second % 16, register)
        chip.silent = second % 1000 in (500, 501)
        meter.second()
    chip.silent = False
    meter.second()
    imported, exported = meter.counts()
    assert imported - exported == chip.total_counts(0)
    assert meter.agent.meter.rejected == 0
