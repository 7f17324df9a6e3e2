"""The load profile as CSV: out of a meter's journal, and in for `bill`.

    start_utc,import_wh[,export_wh][,trust]

`start_utc` is unix seconds or ISO 8601 with Z, energy is whole Wh, `trust` that of the meter's
clock. A row lasts to the start of the next, the last as long as the one before it.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.units import QUARTER_S
from wattledger.hal.sample import TRUST_NAMES, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import ledger, output, places

COLUMNS = ("start_utc", "import_wh", "export_wh", "trust")
REQUIRED = COLUMNS[:2]
MOST_WH = 0xFFFFFFFF  # what the meter's registers hold
MOST_UNIX = 4102444800  # 2100-01-01, the last time a meter's clock takes
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z", re.ASCII)


class Row(NamedTuple):
    """Energy from `start` (unix seconds) to the next row; `line` where a file holds it."""

    start: int
    import_wh: int
    export_wh: int
    trust: int
    line: int = 0


# Reading.


class _Line:
    """One line of a file, cut into fields with their columns."""

    def __init__(self, path: str | Path, number: int, text: str) -> None:
        self._path = path
        self.number = number
        self.fields: list[tuple[int, str]] = []
        column = 1
        # No value of this form has a comma in it, so quotes need no more care than this.
        for field in text.split(","):
            bare = field.strip()
            place = column + len(field) - len(field.lstrip())
            if len(bare) > 1 and bare[0] == bare[-1] == '"':
                bare = bare[1:-1]
                place += 1
            self.fields.append((place, bare))
            column += len(field) + 1

    def error(self, column: int, message: str) -> places.PlaceError:
        return places.PlaceError(self._path, self.number, column, message)


def read(path: str | Path) -> list[Row]:
    """The rows of a CSV file; PlaceError at the first field that cannot be used."""
    lines = _lines(path)
    header = next(lines, None)
    if header is None:
        raise places.PlaceError(path, 1, 1, f"is empty; give the header {','.join(COLUMNS)}")
    order = _order(header)
    rows = [_row(line, order) for line in lines]
    if not rows:
        raise places.PlaceError(path, header.number + 1, 1, "has no rows; give at least one")
    return rows


def _lines(path: str | Path) -> Iterator[_Line]:
    text = places.decode(path, places.read(path)).removeprefix("\ufeff")
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _Line(path, number, line.rstrip("\r"))


def _order(header: _Line) -> list[str]:
    names: list[str] = []
    for column, name in header.fields:
        if name not in COLUMNS:
            raise header.error(
                column, f"unknown column {name!r}; the header is {','.join(COLUMNS)}"
            )
        if name in names:
            raise header.error(column, f"column {name} stands twice; remove one of them")
        names.append(name)
    for name in REQUIRED:
        if name not in names:
            raise header.error(1, f"lacks the column {name}; the header is {','.join(COLUMNS)}")
    return names


def _row(line: _Line, order: list[str]) -> Row:
    if len(line.fields) != len(order):
        raise line.error(
            1, f"has {len(line.fields)} fields, the header {len(order)}; give every column"
        )
    values = {"export_wh": 0, "trust": TRUST_SYNCED}
    for name, (column, text) in zip(order, line.fields, strict=True):
        if name == "start_utc":
            values[name] = _start(line, column, text)
        elif name == "trust":
            if text not in TRUST_NAMES:
                raise line.error(
                    column, f"trust: must be {', '.join(TRUST_NAMES)}, is {text!r}; correct it"
                )
            values[name] = TRUST_NAMES.index(text)
        else:
            values[name] = _wh(line, column, name, text)
    return Row(
        values["start_utc"],
        values["import_wh"],
        values["export_wh"],
        values["trust"],
        line.number,
    )


def _start(line: _Line, column: int, text: str) -> int:
    if re.fullmatch(r"[0-9]{1,12}", text) and int(text) <= MOST_UNIX:
        return int(text)
    if _ISO.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc)
            if 0 <= moment.timestamp() <= MOST_UNIX:
                return int(moment.timestamp())
        except ValueError:
            pass
    raise line.error(
        column,
        f"start_utc: must be unix seconds or a UTC time such as 2027-01-31T08:00:00Z, is {text!r};"
        " correct it (1970 to 2099)",
    )


def _wh(line: _Line, column: int, name: str, text: str) -> int:
    if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= MOST_WH:
        return int(text)
    decimal = re.fullmatch(r"[0-9]*[.,][0-9]+", text)
    remedy = "round so that the sum stays right" if decimal else f"give 0 to {MOST_WH}"
    raise line.error(column, f"{name}: must be whole Wh, is {text!r}; {remedy}")


# Out of a journal.


def text(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of the CSV file, header first."""
    yield ",".join(COLUMNS)
    for row in rows:
        yield f"{row.start},{row.import_wh},{row.export_wh},{TRUST_NAMES[row.trust]}"


class Profile(NamedTuple):
    """The rows of a journal, and what its cycle had used before the first."""

    rows: list[Row]
    used_wh: int
    intervals: int
    gaps: int

    def summary(self) -> dict[str, Any]:
        """What `profile --json` prints."""
        rows = self.rows
        return {
            "intervals": self.intervals,
            "gaps": self.gaps,
            "rows": len(rows),
            "from": output.utc(rows[0].start) if rows else None,
            "last": output.utc(rows[-1].start) if rows else None,
            "import_wh": sum(row.import_wh for row in rows),
            "export_wh": sum(row.export_wh for row in rows),
        }


def of_journal(state: str | Path) -> Profile:
    """The closed intervals in a state directory, such that `bill` charges what the journal did.

    A row of 0 Wh begins each gap. A row of 0 Wh also stands where a standing charge fell due after
    the last interval, and where the last row would otherwise be taken to last over a boundary.
    """
    folder = ledger.storage_folder(state)
    profile = _Builder()
    meter = ledger.meter_of(folder)
    for _, entry in walk(PosixStorage(folder), records.first_hash(meter)):
        profile.take(entry)
    return profile.finish()


class _Builder:
    """Collects rows from journal entries, in order."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._registers = (0, 0)
        self._used_wh = 0
        self._intervals = self._gaps = 0
        self._end: int | None = None  # of the last interval
        self._standing: int | None = None  # when the last standing charge was posted

    def take(self, entry: records.Record) -> None:
        """Add what an entry says of energy or of the standing charge."""
        if entry.kind == records.OPENING:
            *registers, self._used_wh, _ = readers.unpack_opening(entry.payload)
            self._registers = (registers[0], registers[1])
        elif entry.kind == records.INTERVAL:
            self._take_interval(entry.time, entry.trust, readers.unpack_interval(entry.payload))
        elif entry.kind == records.STANDING:
            self._standing = entry.time

    def _take_interval(self, end: int, trust: int, interval: readers.Interval) -> None:
        start = end - interval.duration_s
        if self._end is not None and start > self._end:
            # Nobody measured there, so it is no part of a demand window.
            self._add(self._end, 0, 0, TRUST_UNKNOWN)
            self._gaps += 1
        now = (interval.import_wh, interval.export_wh)
        moved = [after - before for after, before in zip(now, self._registers, strict=True)]
        self._add(start, moved[0], moved[1], trust)
        self._registers = now
        self._end = end
        self._intervals += 1

    def _add(self, start: int, import_wh: int, export_wh: int, trust: int) -> None:
        self._rows.append(Row(start, import_wh, export_wh, trust))

    def finish(self) -> Profile:
        """The profile with all rows, with those of 0 Wh that the end needs."""
        end, standing = self._end, self._standing
        if standing is not None and (end is None or standing >= end):
            if end is not None and standing > end:
                self._add(end, 0, 0, self._rows[-1].trust)
            self._add(standing, 0, 0, TRUST_SYNCED)
            end = standing + 1
        if end is not None:
            self._end_by(-(-end // QUARTER_S) * QUARTER_S, end)
        return Profile(self._rows, self._used_wh, self._intervals, self._gaps)

    def _end_by(self, latest: int, end: int) -> None:
        """Keep the last row, which lasts as long as the one before it, from passing `latest`: the
        first boundary, of a band or of a day, that no entry speaks of yet."""
        last = self._rows[-1].start
        if len(self._rows) == 1:
            self._add(last + max((end - last) // 2, 1), 0, 0, self._rows[-1].trust)
        elif 2 * last - self._rows[-2].start > latest:
            before = self._rows[-2]
            self._rows.insert(-1, Row(2 * last - latest, 0, 0, before.trust))
