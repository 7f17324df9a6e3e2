"""A URDB rate with the places of its values: exact numbers, errors and notes with their place."""

from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.errors import PlacedError
from wattledger.tools import output, places
from wattledger.tools.places import Path_

MICRO = 10**6


class Note(NamedTuple):
    """What a document cannot say of a rate, and where the rate says it."""

    path: Path_
    line: int
    column: int
    says: str


class Reader:
    """Reads values of one rate at `root` in a file, and collects what must be told of them."""

    def __init__(
        self, path: str | Path, text: str, offsets: dict[Path_, int], root: Path_, rate: Any
    ) -> None:
        self._path = path
        self._text = text
        self._offsets = offsets
        self._root = root
        self.rate = rate
        self.notes: list[Note] = []

    def error(self, place: Path_, message: str) -> places.PlaceError:
        """The error to raise for the value at `place` of the rate."""
        fault = PlacedError(self._root + place, message)
        return places.PlaceError(self._path, *self._where(place), str(fault))

    def note(self, place: Path_, message: str) -> None:
        """Something a person must know who charges by the document."""
        line, column = self._where(place)
        fault = PlacedError(self._root + place, message)
        where = f"{self._path}:{line}:{column}: {output.printable(str(fault))}"
        note = Note(self._root + place, line, column, where)
        if note not in self.notes:
            self.notes.append(note)

    def _where(self, place: Path_) -> tuple[int, int]:
        at = self._root + place
        while at not in self._offsets:  # what is missing has no place of its own
            at = at[:-1]
        return places.line_and_column(self._text, self._offsets[at])

    def number(self, value: Any, place: Path_) -> Fraction:
        """A JSON number as it was written, exactly."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(place, f"must be a number, is {value!r}; mend the rate")
        return Fraction(str(value))

    def listing(self, value: Any, place: Path_, length: int | None = None) -> list[Any]:
        """A JSON list, of `length` items where that is given."""
        if not isinstance(value, list) or not value:
            raise self.error(place, f"must be a list, is {value!r:.40}; mend the rate")
        if length is not None and len(value) != length:
            raise self.error(place, f"must have {length} items, has {len(value)}; mend the rate")
        return value

    def micro(self, value: Fraction, place: Path_) -> int:
        """A price in micro-units, to the nearest; a note where that changes it."""
        scaled = value * MICRO
        if scaled.denominator != 1:
            self.note(place, f"{float(value):.10g} is rounded to {round(scaled)} micro-units")
        return round(scaled)

    def tiers(self, structure: Any, place: Path_) -> list[list[dict[str, Any]]]:
        """A rate structure: for each period its tiers."""
        for index, period in enumerate(self.listing(structure, place)):
            for tier, item in enumerate(self.listing(period, place + (index,))):
                if not isinstance(item, dict):
                    raise self.error(place + (index, tier), "must be an object; mend the rate")
        return structure

    def price(self, tier: dict[str, Any], place: Path_) -> Fraction:
        """What a tier charges: its rate with its adjustment."""
        rate = self.number(tier.get("rate", 0), place + ("rate",))
        return rate + self.number(tier.get("adj", 0), place + ("adj",))

    def schedule(self, name: str, periods: int) -> list[list[int]]:
        """Twelve months of 24 hours, each the index of a period."""
        months = self.listing(self.rate.get(name), (name,), 12)
        for month, hours in enumerate(months):
            for hour, period in enumerate(self.listing(hours, (name, month), 24)):
                whole = isinstance(period, int) and not isinstance(period, bool)
                if not whole or not 0 <= period < periods:
                    raise self.error(
                        (name, month, hour), f"must be a period from 0 to {periods - 1}"
                    )
        return months
