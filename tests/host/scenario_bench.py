"""Scenarios for tests: made in a few words, drawn at random, and run in a folder."""

import subprocess
import sys
from pathlib import Path

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.host_sim.noise import between
from wattledger.tools import scenario_file, sim
from wattledger.tools.scenario import FOLDER, Scenario

ROOT = Path(__file__).parents[2]
HOUR_S = 3600
# The demo tariff's first block by local hour, micro per kWh, written down from its document.
VALLEY, FLAT, PEAK = 310_000, 530_000, 780_000
WORKDAY = [VALLEY] * 7 + [FLAT] + [PEAK] * 3 + [FLAT] * 7 + [PEAK] * 3 + [FLAT] + [VALLEY] * 2
WEEKEND = [VALLEY] * 8 + [FLAT] * 14 + [VALLEY] * 2
LOADS = ("household", {"watts": 150}, {"watts": 2000}, {"watts": 9000}, {"watts": -1500})
TICKS = (10, 10, 10, 5)
MOST = {
    "cuts": 4,
    "brown_outs": 3,
    "broker_outages": 2,
    "credits": 4,
    "commands": 8,
    "clock_jumps": 2,
    "clock_silences": 2,
    "welds": 1,
    "bit_errors": 12,
    "write_cuts": 4,
}


def scenario(**content):
    """A Scenario from keys as in YAML; a day of 1000 W unless they say otherwise."""
    found = {"name": "test", "load": {"watts": 1000}, **content}
    if "hours" not in found:
        found.setdefault("days", 1)
    made = Scenario.model_validate(found)
    made.settle(Path("."))
    return made


def play(folder, interpreter="cpython", **content):
    """The Outcome of such a scenario."""
    folder.mkdir(exist_ok=True)
    return sim.run(scenario(**content), folder, interpreter)


def drawn(seed):
    """Keys of a short scenario full of faults, drawn from a seed."""

    def draw(low, high, what):
        return between(low, high, seed, 401, what)

    faults = {name: draw(0, most, 10 + n) for n, (name, most) in enumerate(MOST.items())}
    content = {
        "name": f"random {seed}",
        "hours": draw(2, 5, 0),
        "tick_s": TICKS[draw(0, len(TICKS) - 1, 1)],
        "seed": seed,
        "load": LOADS[draw(0, len(LOADS) - 1, 2)],
        "credit": f"0.{draw(1, 99, 3):02d}" if draw(0, 1, 4) else "20.00",
        "start": f"2027-01-{draw(12, 30, 5):02d} {draw(0, 23, 6):02d}:{draw(0, 11, 7) * 5:02d}",
        "events": [{"at": "10 min", "random": faults}],
    }
    if draw(0, 3, 8) == 0:
        content["pv"] = {"kwp": draw(1, 8, 9)}
    return content


def cli(*arguments):
    """The finished `wattledger` command with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "wattledger.tools.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def shipped(folder, name, days=None):
    """The Outcome of a shipped scenario; nothing may break a promise."""
    path = FOLDER / f"{name}.yaml"
    found = scenario_file.load(path)
    if days:
        found = scenario_file.shorten(found, days, path)
    outcome = sim.run(found, folder)
    assert {key: problems for key, problems in outcome.problems.items() if problems} == {}
    return outcome


def price_at(unix):
    """Micro per kWh of the first block; 2027-01-18, 00:00 at UTC+8, is a Monday."""
    hours = (unix - 1_800_201_600) // HOUR_S
    days, hour = divmod(hours, 24)
    return (WEEKEND if days % 7 >= 5 else WORKDAY)[hour]


def told(outcome, code):
    """Seconds from the start at which an event was written down."""
    entries = outcome.evidence.entries
    return [
        entry.time - entries[0].time
        for entry in entries
        if entry.kind == records.EVENT and readers.unpack_event(entry.payload)[0] == code
    ]


def moves(outcome):
    """(seconds from the start, closing) of the relay entries."""
    entries = outcome.evidence.entries
    return [
        (entry.time - entries[0].time, readers.unpack_relay(entry.payload)[0] == 2)
        for entry in entries
        if entry.kind == records.RELAY
    ]


def of_kind(outcome, kind):
    """(seconds from the start, entry) of the entries of a kind."""
    entries = outcome.evidence.entries
    return [(entry.time - entries[0].time, entry) for entry in entries if entry.kind == kind]


def value_of(outcome, code):
    """What the only event of a code says."""
    found = [readers.unpack_event(entry.payload) for _, entry in of_kind(outcome, records.EVENT)]
    (value,) = [value for each, value in found if each == code]
    return value
