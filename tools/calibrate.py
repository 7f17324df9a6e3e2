"""`wattledger calibrate`: the steps with a person, the table before and after, and the file.

Offset, gains, phase and power, and the energy of a count where it has a gain of its own, are found
(tools/calibration), applied to the running chip, verified at another load by what it shows and by
what it counts, and only then saved. Whatever fails restores the constants that were before.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wattledger.hal.meter import calibration as files
from wattledger.tools import durable, output
from wattledger.tools.calibration import auto
from wattledger.tools.calibration.reading import CalibrationError, Reading, counted, measure
from wattledger.tools.errors import ToolError

WARNING = (
    "Mains voltage kills. Connect loads and the reference only as a licensed person would, with "
    "the supply off, and never work on a board whose ground is not isolated."
)
LIMIT = 0.002  # error allowed at the second reading: a fifth of class 1
AMPS_STEP = 0.0015  # the current is read in whole mA
ASKED = {
    "offset": "switch every load off; the voltage stays on",
    "gain": "switch on a steady resistive load of about 5 A (power factor 1)",
    "phase": "switch on a load of about 5 A at power factor 0.5 inductive",
    "count": "leave the load of the gain on; energy is counted for up to seven minutes, in which "
    "the reference records and nobody touches anything",
    "energy": "what the reference recorded, the means of those minutes",
    "verify": "switch on another load, not one of those before, and leave it on: its energy is "
    "counted too",
}
# A chip that cannot correct a phase is right at power factor 1 and no better than its sensor else.
RESISTIVE = (
    "switch on another load, resistive (power factor 1), and leave it on: its energy is "
    "counted too"
)
SHOWN = ("voltage", "current", "power", "energy", "power factor")


@dataclass
class Result:
    """What a calibration found: errors in percent by phase, and the constants."""

    constants: list[dict[str, int]]
    before: list[tuple[float, ...]]
    after: list[tuple[float, ...]]


class Guide:
    """One calibration with a person. `bench` has build, wait_ms, load, table, nominal."""

    def __init__(self, bench: Any, reference: Any, say: Callable[[str], None]) -> None:
        self._bench = bench
        self._reference = reference
        self._say = say
        self._shown: dict[tuple[str, int], Reading] = {}

    def run(self) -> Result:
        """Find, apply, verify. CalibrationError: the constants of before are in the chip again."""
        bench = self._bench
        before = [
            auto.full(bench.table, constants, phase)
            for phase, constants in enumerate(bench.nominal)
        ]
        try:
            found = auto.calibrate(
                bench.build,
                bench.table,
                self._step,
                bench.wait_ms,
                bench.nominal,
                bench.options,
            )
            errors = [self._verify(before, found, phase) for phase in range(len(found))]
        except (ToolError, KeyboardInterrupt):
            bench.build(before)
            raise
        return Result(found, [pair[0] for pair in errors], [pair[1] for pair in errors])

    def _step(self, step: str, phase: int) -> Reading:
        key = (step, phase)
        if key in self._shown:
            # The same load again, with new constants in the chip.
            self._bench.load(step, phase)
            return self._shown[key]
        resistive = step == "verify" and not hasattr(self._bench.table, "angle")
        self._say(f"phase {phase + 1}, {step}: {RESISTIVE if resistive else ASKED[step]}")
        shown = self._bench.load(step, phase)
        if step in ("offset", "count"):
            self._reference.wait()
            return shown
        self._shown[key] = self._reference.read(step, phase, shown)
        return self._shown[key]

    def _verify(
        self, before: list[dict[str, int]], found: list[dict[str, int]], phase: int
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        bench = self._bench
        driver = bench.build(found)
        measured, shown = auto.loaded(
            driver, bench.table, self._step, bench.wait_ms, "verify", phase
        )
        new = _errors(measured, shown, counted(driver, bench.wait_ms, phase))
        for name, error in zip(SHOWN[:4], new[:4], strict=True):
            limit = LIMIT + (AMPS_STEP / shown.amps if name == "current" else 0)
            if abs(error) > limit:
                raise CalibrationError(
                    f"verification failed: the {name} of phase {phase + 1} is off by "
                    f"{error:+.2%}, at most {limit:.2%} is allowed; nothing was saved and the "
                    "old constants are back. Check the reference's numbers, and that the load "
                    "did not change"
                )
        driver = bench.build(before)
        measured = measure(driver, bench.wait_ms, phase)
        old = _errors(measured, shown, counted(driver, bench.wait_ms, phase))
        bench.build(found)
        return old, new


def _errors(measured: Reading, reference: Reading, watts: float) -> tuple[float, ...]:
    """In the order of SHOWN; `watts` are those that were counted as energy."""
    return (
        measured.volts / reference.volts - 1,
        measured.amps / reference.amps - 1,
        measured.watts / reference.watts - 1,
        watts / reference.watts - 1,
        measured.factor - reference.factor,
    )


def document(chip: str, result: Result, when: int, against: str, by: str) -> dict[str, Any]:
    """The calibration file's content."""
    found: dict[str, Any] = {"v": files.VERSION, "chip": chip, "constants": result.constants}
    found.update({"when": when, "against": against, "by": by})
    found["crc"] = files.crc_of(found)
    return found


def save(path: Path, content: dict[str, Any], table: Any) -> None:
    """Write the file, durably, after its own reader took it."""
    text = json.dumps(content, indent=1) + "\n"
    files.load(text.encode(), content["chip"], table)
    durable.replace(path, text)


def show(result: Result) -> None:
    """Errors at the second reading, before and after."""
    for phase, (before, after) in enumerate(zip(result.before, result.after, strict=True)):
        rows = [
            (name, f"{old:+.3%}", f"{new:+.3%}")
            for name, old, new in zip(SHOWN, before, after, strict=True)
        ]
        output.table(f"Phase {phase + 1}, at the second reading", ("", "before>", "after>"), rows)
