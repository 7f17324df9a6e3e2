"""`wattledger sim`: run a scenario and print what it amounts to, with the promises it kept."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.journal.slots import SlotPair
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import invariants, output, scenario_file
from wattledger.tools.errors import ToolError
from wattledger.tools.evidence import Evidence
from wattledger.tools.scenario import FOLDER, Scenario
from wattledger.tools.sim_run import METER, Run
from wattledger.tools.stage import CPYTHON
from wattledger.tools.summary import MWS_PER_WH, Summary

EXAMPLE = Path(__file__).parent / "data" / "scenario-example.yaml"
PROFILE_S = 900


class SimError(ToolError):
    """A scenario cannot be run here."""


class Outcome:
    """`report` is the JSON object, `problems` what broke a promise, `evidence` its grounds."""

    def __init__(
        self, report: dict[str, Any], problems: dict[str, list[str]], evidence: Evidence
    ) -> None:
        self.report = report
        self.problems = problems
        self.evidence = evidence


def example() -> str:
    """A scenario with every key explained."""
    return EXAMPLE.read_text("utf-8")


def find(name: str) -> Path:
    """The file of a scenario given by path, or by the name of a shipped one."""
    if name in shipped() and not Path(name).exists():
        return FOLDER / f"{name}.yaml"
    if not Path(name).is_file():
        raise SimError(
            f"{name}: no such scenario; give a YAML file (wattledger sim --example) or one of: "
            f"{', '.join(shipped())}"
        )
    return Path(name)


def shipped() -> list[str]:
    """The names of the scenarios that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def simulate(
    path: Path,
    days: int | None = None,
    seed: int | None = None,
    interpreter: str = CPYTHON,
    state: Path | None = None,
) -> Outcome:
    """Run the scenario in a file; its state is kept in `state`, or thrown away."""
    scenario = scenario_file.load(path)
    if days is not None:
        scenario = scenario_file.shorten(scenario, days, path)
    progress = Progress(scenario)
    if state is None:
        with tempfile.TemporaryDirectory() as folder:
            return run(scenario, Path(folder), interpreter, seed, progress)
    if state.exists() and any(state.iterdir()):
        # What a scenario works out holds from its first second, and its world is not kept.
        raise SimError(
            f"{state}: is not empty, and a scenario always begins at its start;"
            " give a new folder, or --days for a longer run"
        )
    state.mkdir(parents=True, exist_ok=True)
    return run(scenario, state, interpreter, seed, progress)


class Progress:
    """Says on stderr which day it is."""

    def __init__(self, scenario: Scenario) -> None:
        self._days = scenario.days
        self._said = -1

    def __call__(self, day: int) -> None:
        if day > self._said and day < self._days:
            self._said = day
            print(f"sim: day {day + 1} of {self._days}", file=sys.stderr, flush=True)


def run(
    scenario: Scenario,
    folder: Path,
    interpreter: str = CPYTHON,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Run a checked scenario in `folder`."""
    before = _cpu_s()
    play = Run(scenario, folder, interpreter, seed, progress)
    play.go()
    cpu_s = _cpu_s() - before
    storage = PosixStorage(play.stage.storage_folder)
    evidence = gather(play, storage)
    problems = invariants.judge(evidence)
    for line in play.stage.complaints:
        problems["I6"].append(line)
    problems["I2"] += play.utility.problems
    summary = Summary(storage, METER, PROFILE_S)
    report = summary.report(evidence.truth[0], evidence.registers[0] / MWS_PER_WH)
    report["invariants"] = {name: not found for name, found in problems.items()}
    passed_s = scenario.seconds
    report["meter_seconds_per_cpu_second"] = round(passed_s / cpu_s) if cpu_s else 0
    report["power_cuts"] = play.cuts
    report["refused_documents"] = play.stage.refusals
    report["memory_growth_bytes"] = evidence.growth
    report["loss_bound_wh"] = round(evidence.loss_bound_mws / MWS_PER_WH, 3)
    return Outcome(report, problems, evidence)


def gather(play: Run, storage: PosixStorage) -> Evidence:
    """The evidence of a run that has ended, with what its storage holds."""
    entries = [entry for _, entry in walk(storage, records.first_hash(METER))]
    slot = SlotPair(storage).load()
    if slot is None:
        raise SimError(f"{play.stage.storage_folder}: holds no snapshot after a clean end")
    count = MWS_PER_WH // Atm90e32.energy_denominator
    return play.evidence(
        entries=entries,
        registers=(
            slot.import_wh * MWS_PER_WH + slot.import_rest * count,
            slot.export_wh * MWS_PER_WH + slot.export_rest * count,
        ),
        chain_ok=bool(entries) and entries[-1].hash == slot.hash,
    )


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def show(outcome: Outcome) -> None:
    """The outcome for a person."""
    rows = []
    for key, value in outcome.report.items():
        if key == "invariants":
            value = " ".join(f"{name} {'ok' if ok else 'BROKEN'}" for name, ok in value.items())
        elif key == "journal_head":
            value = f"{value['sequence']} {value['hash']}"
        elif key.endswith("_nano"):
            value = output.money(value)
            key = key[:-5]
        elif key.endswith("_micro"):
            continue
        rows.append((key, str(value)))
    width = max(len(key) for key, _ in rows)
    for key, value in rows:
        print(f"{key:{width}}  {value}")


def tell_problems(outcome: Outcome) -> int:
    """What broke a promise, on stderr; the exit code."""
    broken = {name: found for name, found in outcome.problems.items() if found}
    for name, found in broken.items():
        for problem in found[:5]:
            print(f"{name}: {problem}", file=sys.stderr)
    return 1 if broken else 0
