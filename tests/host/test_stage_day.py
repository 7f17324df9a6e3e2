"""One day with everything in it, on CPython and in real MicroPython: the same bytes on storage.

The tariff is flat, 0.500000 a kWh, so 1 Wh costs 500 000 nano-units.
"""

import pytest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.host.stage_bench import PRICE, UNIT, House
from wattledger.tools import mpy

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("stage_day")

HOUR = 3600
DAY = 24 * HOUR
NANO = 1000  # in a micro-unit
WH = 3_600_000  # mWs
# What a power cut may lose: 10 s or 10 Wh, one tick and the write.
BOUND_WH = 11


def live(folder, interpreter, heap=False):
    """A day from 06:00 on: credit twice, a power cut, a reboot, running out, and back again."""
    house = House(folder, interpreter, credit=2 * UNIT, heap=heap)
    stage = house.stage
    stage.boot()
    house.at(2 * HOUR)
    house.command(jws.credit(1, UNIT // 2))
    house.at(2 * HOUR + 10)
    house.command(jws.credit(1, UNIT // 2))  # the very same again
    house.command(jws.arm("0" * 16, 1))  # a challenge nobody gave
    house.acknowledge()
    house.at(4 * HOUR + 7)
    house.blackout(300)
    house.at(7 * HOUR)
    house.network.disconnect()
    house.at(8 * HOUR)
    house.network.connect()
    house.at(9 * HOUR)
    stage.stop()
    stage.boot()
    # Evening: the credit runs out, and is topped up an hour later.
    hour = 9
    while house.relay.contact() and hour < 23:
        hour += 1
        house.at(hour * HOUR)
    house.ran_out_at = hour
    house.command(jws.credit(2, 5 * UNIT))
    house.at(hour * HOUR + 10)
    house.command(jws.arm(house.challenge(), 1))
    house.at(hour * HOUR + 120)
    house.world.button = True
    house.at(hour * HOUR + 125)
    house.world.button = False
    house.at(DAY)
    stage.stop()
    return house


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return live(tmp_path_factory.mktemp("cpython"), "cpython")


def test_the_day_went_as_it_was_written(day):
    assert day.stage.failures == 0
    assert 10 < day.ran_out_at < 23
    assert day.relay.operations == 2 and day.relay.contact()
    assert day.results() == ["ok", "ok", "stale", "ok", "ok"]


def test_the_books_of_the_day_add_up(day):
    entries = day.entries()
    credits = [entry.amount for entry in entries if entry.kind == records.CREDIT]
    assert credits == [UNIT // 2 * NANO, 5 * UNIT * NANO]
    intervals = [entry for entry in entries if entry.kind == records.INTERVAL]
    last = readers.unpack_interval(intervals[-1].payload)
    assert sum(entry.amount for entry in intervals) == -last.import_wh * PRICE
    assert sum(entry.amount for entry in entries) == entries[-1].balance
    # What the world says has passed; the reboot cost nothing.
    truth = day.world.import_mws // WH
    assert truth - BOUND_WH <= last.import_wh <= truth
    assert 3000 < truth < 12_000
    moves = [readers.unpack_relay(e.payload)[0] for e in entries if e.kind == records.RELAY]
    assert len(moves) == 2


def test_micropython_writes_the_same_bytes(day, tmp_path):
    """The whole day at 1 s ticks; its heap does not grow from the first hour to the last."""
    if mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    other = live(tmp_path, "micropython", heap=True)
    assert other.files() == day.files()
    assert other.stage.failures == 0
    assert other.world.state() == day.world.state()
    assert len(other.network.log) == len(day.network.log)
    early, late = other.stage.heap
    assert abs(early - late) <= 2048


@pytest.mark.nightly
def test_thirty_days_at_ten_seconds_are_the_same_bytes(tmp_path):
    if mpy.find_tool("micropython") is None:
        pytest.skip("no micropython: no wheel for this platform and none on PATH")
    found = []
    for interpreter in ("cpython", "micropython"):
        house = House(
            tmp_path / interpreter, interpreter, credit=500 * UNIT, tick_ms=10_000, heap=True
        )
        house.stage.boot()
        for hour in range(2, 30 * 24, 2):
            house.at(hour * HOUR)
            if hour % 24 == 12:
                house.command(jws.credit(hour // 24 + 1, UNIT))
            house.acknowledge()
            house.network.log.clear()  # a gigabyte by the end
            if hour % (7 * 24) == 84:
                house.blackout(60)
        house.at(30 * DAY)
        house.stage.stop()
        assert house.stage.failures == 0
        found.append((house.files(), house.world.state()))
    assert found[0] == found[1]
    early, late = house.stage.heap
    assert abs(early - late) <= 2048
