"""The forecast over a year of a house's load: how far off, beside repeating last week, and the
same integers on both interpreters."""

import os
import subprocess
from pathlib import Path

import pytest

from wattledger.agent.billing.forecast import Forecast
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tools import mpy

QUARTERS = 96
FIRST = 2557  # 2007-01-01, in days since 2000-01-01

ON_MICROPYTHON = """
import sys
from wattledger.agent.billing.forecast import Forecast
from wattledger.hal.storage.memory import MemoryStorage
made = Forecast(MemoryStorage())
made.take(%d, 0, None, None, None)
for number, wh in enumerate([int(word) for word in sys.stdin.read().split()]):
    made.take(%d + number, wh, 0, None, 0)
    print(sum(made.day_wh(%d + number + ahead) for ahead in range(1, 8)), made.spread)
"""


@pytest.fixture(scope="module")
def days(reference_data: Path) -> list[int]:
    """Wh of each day of the year."""
    text = (reference_data / "ssc-load-pv" / "residential_load_15min_kW.csv").read_text(
        "utf-8-sig"
    )
    kilowatts = [float(line) for line in text.split()]
    assert len(kilowatts) == 365 * QUARTERS
    return [
        round(sum(kilowatts[at : at + QUARTERS]) * 250)
        for at in range(0, len(kilowatts), QUARTERS)
    ]


def weeks_ahead(days: list[int]) -> list[tuple[int, int]]:
    """(Wh of the next seven days, spread) after each day."""
    made = Forecast(MemoryStorage())
    made.take(FIRST - 1, 0, None, None, None)  # the date it began on is not learnt
    found = []
    for number, wh in enumerate(days):
        made.take(FIRST + number, wh, 0, None, 0)
        week = sum(made.day_wh(FIRST + number + ahead) for ahead in range(1, 8))
        found.append((week, made.spread))
    return found


def percentile(errors: list[float], share: float) -> float:
    return sorted(errors)[int(len(errors) * share)]


def test_the_next_seven_days(days: list[int]) -> None:
    forecasts = weeks_ahead(days)
    ours, last_week, within = [], [], 0
    for known in range(7, len(days) - 7):  # once there is a last week to repeat
        truth = sum(days[known + 1 : known + 8])
        week, spread = forecasts[known]
        ours.append(abs(week - truth) / truth)
        last_week.append(abs(sum(days[known - 6 : known + 1]) - truth) / truth)
        within += abs(week - truth) <= 2 * 7 * spread
    assert percentile(ours, 0.5) <= 0.08
    assert percentile(ours, 0.9) <= 0.25
    assert percentile(ours, 0.5) < percentile(last_week, 0.5)
    assert percentile(ours, 0.9) < percentile(last_week, 0.9)
    assert sum(ours) < sum(last_week)
    # The range people see holds most weeks and is not so wide that it says nothing.
    assert 0.7 < within / len(ours) < 0.95


def test_both_interpreters_give_the_same_integers(days: list[int], tmp_path: Path) -> None:
    micropython = mpy.find_tool("micropython")
    if micropython is None:
        pytest.skip("no micropython on PATH or in a wheel")
    script = tmp_path / "year.py"
    script.write_text(ON_MICROPYTHON % (FIRST - 1, FIRST, FIRST))
    sources = {
        "wattledger/" + name: (mpy.ROOT / name).read_bytes() for name in mpy.portable_files()
    }
    tree = mpy.build_tree(sources, tmp_path / "tree")
    done = subprocess.run(
        [micropython, "-X", "heapsize=256K", str(script)],
        input=" ".join(map(str, days)),
        capture_output=True,
        text=True,
        env={**os.environ, "MICROPYPATH": f"{tree}:.frozen"},
        check=True,
    )
    said = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert said == weeks_ahead(days)
