"""What a reference meter shows, typed by a person or from its CSV file."""

import csv
import io
import math
from pathlib import Path

from wattledger.tools import places, question
from wattledger.tools.calibration.reading import CalibrationError, Reading, mean

COLUMNS = ("time", "step", "voltage", "current", "power")


class Typed:
    """Numbers typed at the prompt; `shown` is offered as the answer when there is one."""

    name = "typed numbers"

    def wait(self) -> None:
        """Until the person has done as told."""
        question.ask("  press Enter when it is so", "")

    def read(self, step: str, phase: int, shown: Reading | None) -> Reading:
        """Ask for volts, amperes and watts."""
        asked = []
        for what, field in (
            ("voltage, V", "volts"),
            ("current, A", "amps"),
            ("power, W", "watts"),
        ):
            default = None if shown is None else round(getattr(shown, field), 3)
            asked.append(question.number(f"  reference {what}", default))
        return Reading(*asked)


class FromCsv:
    """A file with the columns time, step, voltage, current, power, and phase if more than one.

    `step` is gain, phase, energy or verify, as the chip needs them; the rows of a step are
    averaged.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._rows: dict[tuple[str, int], list[Reading]] = {}
        text = places.decode(path, places.read(path)).removeprefix("\ufeff")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        try:
            self._take(path, rows)
        except csv.Error as error:
            raise CalibrationError(f"{path}:{rows.line_num}: {error}; is it a CSV file?") from None

    def _take(self, path: Path, rows: "csv.DictReader[str]") -> None:
        missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
        if missing:
            raise CalibrationError(
                f"{path}: lacks the column {missing[0]}; it needs {', '.join(COLUMNS)}"
            )
        for row in rows:
            try:
                key = (row["step"].strip(), int(row.get("phase") or 1) - 1)
                numbers = [float(row[name]) for name in COLUMNS[2:]]
                if key[1] < 0 or not all(map(math.isfinite, numbers)):
                    raise ValueError
            except (AttributeError, TypeError, ValueError):
                raise CalibrationError(
                    f"{path}:{rows.line_num}: a cell is empty or no number; mend or remove the row"
                ) from None
            self._rows.setdefault(key, []).append(Reading(*numbers))

    def wait(self) -> None:
        """The file was written beforehand: nothing to wait for."""

    def read(self, step: str, phase: int, shown: Reading | None) -> Reading:
        """The mean of a step's rows. CalibrationError when there are none or they are noisy."""
        rows = self._rows.get((step, phase))
        if not rows:
            raise CalibrationError(
                f"{self.name}: no row of step {step}, phase {phase + 1}; add one or more"
            )
        return mean(rows, "the reference")
