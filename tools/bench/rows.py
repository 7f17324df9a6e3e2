"""What a bench prints: rows of a figure beside the peer or limit it was measured against."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from wattledger.tools import output


@dataclass(frozen=True)
class Row:
    """`measured` and `reference` in `unit`; `against` says what the reference is.

    `wanted` is what the ratio should keep to, where the project has set itself a bound.
    """

    name: str
    measured: float
    reference: float
    unit: str
    against: str
    wanted: str = ""

    @property
    def ratio(self) -> float:
        """Measured over reference."""
        return self.measured / self.reference

    def report(self) -> dict[str, Any]:
        """The row as JSON."""
        return {
            "name": self.name,
            "measured": _short(self.measured),
            "reference": _short(self.reference),
            "ratio": _short(self.ratio),
            "unit": self.unit,
            "against": self.against,
            "wanted": self.wanted,
        }


@dataclass
class Report:
    """One bench: its rows, what else it found, and the rows worth a picture."""

    name: str
    title: str
    rows: list[Row]
    details: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    picture: list[Row] = field(default_factory=list)
    # By name: mA, error in ppm at unity, and at 0.5 inductive where there is such a thing.
    curves: dict[str, list[tuple[int, float, float | None]]] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """The whole as one JSON object."""
        return {
            "bench": self.name,
            "rows": [row.report() for row in self.rows],
            **self.details,
            "notes": self.notes,
        }

    def show(self) -> None:
        """A table for a person, the notes on stderr."""
        columns = ["", "measured>", "reference>", "ratio>", "unit", "against", "wanted"]
        output.table(self.title, columns, [_cells(row) for row in self.rows])
        for note in self.notes:
            output.note(note)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _words(row.measured),
        _words(row.reference),
        _words(row.ratio),
        row.unit,
        row.against,
        row.wanted,
    )


def _short(value: float) -> float:
    """Six digits: more would be noise of the machine."""
    return float(f"{value:.6g}")


def _words(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def best(rounds: int, measures: Iterable[Callable[[], float]]) -> list[float]:
    """The least of `rounds` results of each measure, taken in turns.

    The least, because other work on the machine only ever adds time; in turns, so that a busy
    moment does not fall on one of them alone.
    """
    todo = list(measures)
    taken = [[measure() for measure in todo] for _ in range(rounds)]
    return [min(results) for results in zip(*taken, strict=True)]


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of this process that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def wall_s(work: Callable[[], object]) -> float:
    """Wall seconds that `work` takes, waiting for the disk included."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
