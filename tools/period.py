"""A period of a journal: which records it has, in whose days, and how its bands are called.

Names, currency and time zone are those of the tariff document. The journal holds only its SHA-256,
so a document counts only when that is the digest of its file in the state directory.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import typer

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.calendar import day_number
from wattledger.agent.billing.shelf import ACTIVE, NEXT
from wattledger.agent.billing.tariff import Tariff
from wattledger.agent.billing.zone import Zone
from wattledger.agent.errors import RecordError, TariffError
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import walk
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import ledger, output
from wattledger.tools.places import FileError

ANY_PRICE = 10**15  # what the meter accepted is not for a statement to refuse
MOST_UNIX = 253402300799  # the end of the year 9999
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_FORM = "a local date 2027-01-31, a local time 2027-01-31T18:00, or unix seconds"


class Period(NamedTuple):
    """From `start` to before `until`, unix seconds; None: from the first record, to the last."""

    start: int | None
    until: int | None


class Source:
    """A journal, and the tariff documents that lie beside it."""

    def __init__(self, state: str | Path) -> None:
        self.state = state
        self._folder = ledger.storage_folder(state)
        self.meter = ledger.meter_of(self._folder)
        self._tariffs = _documents(self._folder)
        self.tariff = self._tariffs.get(self._last_digest())
        self.zone: Zone = self.tariff.zone if self.tariff else Zone(0)
        self.currency: str = self.tariff.currency if self.tariff else ""

    def entries(self) -> Iterator[records.Record]:
        """The good records, in order."""
        first = records.first_hash(self.meter)
        for _, entry in walk(PosixStorage(self._folder), first):
            yield entry

    def _last_digest(self) -> bytes:
        """The digest of the tariff the journal put in force last."""
        digest = b""
        for entry in self.entries():
            try:
                if entry.kind == records.TARIFF:
                    digest = readers.unpack_tariff(entry.payload)[1]
                elif entry.kind == records.CHECKPOINT:
                    digest = checkpoints.unpack(entry.payload).tariff
            except RecordError:  # told by what reads the whole record
                pass
        return digest

    def document(self, digest: bytes) -> Tariff | None:
        """The tariff document with this SHA-256, when it is here."""
        return self._tariffs.get(digest)

    def band_name(self, digest: bytes, band: int) -> str | None:
        """A band's name in the tariff with this SHA-256, or None when that is not known."""
        found = self.document(digest)
        return found.bands[band] if found and band < len(found.bands) else None

    def notes(self, versions: dict[int, bytes]) -> list[tuple[str, int]]:
        """What a reader must know of names and times: ("utc", 0) and ("unnamed", tariff n)."""
        found = [] if self.tariff else [("utc", 0)]
        unnamed = [n for n in sorted(versions) if self.document(versions[n]) is None]
        return found + [("unnamed", n) for n in unnamed]

    def period(self, start: str | None, until: str | None, month: str | None = None) -> Period:
        """The period that the options name; typer.BadParameter says what is wrong with one."""
        if month is not None:
            if start is not None or until is not None:
                raise _wrong("--month", "stands for --from and --to; give it alone")
            return self._month(month)
        found = Period(self._moment("--from", start), self._moment("--to", until))
        if found.start is not None and found.until is not None and found.start >= found.until:
            raise _wrong("--to", "must be later than --from")
        return found

    def _month(self, text: str) -> Period:
        match = _MONTH.fullmatch(text)
        year, number = (int(match[1]), int(match[2])) if match else (0, 0)
        if year < 1970 or not 1 <= number <= 12:
            raise _wrong("--month", f"must be a year and a month as 2027-01, is {text!r}")
        first = day_number(year, number, 1)
        following = day_number(year + number // 12, number % 12 + 1, 1)
        return Period(self.zone.first_instant(first), self.zone.first_instant(following))

    def _moment(self, option: str, text: str | None) -> int | None:
        if text is None:
            return None
        if re.fullmatch(r"[0-9]{5,12}", text) and int(text) <= MOST_UNIX:
            return int(text)
        match = _LOCAL.fullmatch(text)
        if match is None:
            raise _wrong(option, f"must be {_FORM}, is {text!r}")
        hour, minute, second = (int(field or 0) for field in match.groups()[1:])
        try:
            day = date.fromisoformat(match[1])
        except ValueError:
            raise _wrong(option, f"there is no date {match[1]}; correct it") from None
        if hour > 23 or minute > 59 or second > 59:
            raise _wrong(option, f"there is no such time of day in {text!r}; correct it")
        days = day_number(day.year, day.month, day.day)
        if match[2] is None:
            return self.zone.first_instant(days)
        return self.zone.first_instant(days, hour * 3600 + minute * 60 + second)

    def instant(self, unix: int | None) -> str | None:
        """A time as the source's zone has it."""
        return None if unix is None else output.local(unix, self.zone if self.tariff else None)

    def as_json(self, found: Period) -> dict[str, Any]:
        """The keys by which every report names its meter and its period."""
        return {
            "meter": self.meter,
            "currency": self.currency or None,
            "from": self.instant(found.start),
            "to": self.instant(found.until),
            "from_unix": found.start,
            "to_unix": found.until,
        }


def line_json(source: Source, versions: dict[int, bytes], line: Any) -> dict[str, Any]:
    """A line of energy (a Line or a Part with its n); `amount_nano` as it moves the balance."""
    export = bool(line.code & payloads.EXPORT)
    band = line.code & payloads.BAND_MASK
    return {
        "n": line.n,
        "band": band,
        "band_name": source.band_name(versions.get(line.n, b""), band),
        "block": None if export else line.block,
        "export": export,
        "dynamic": bool(line.code & payloads.DYNAMIC),
        "fallback": bool(line.code & payloads.FALLBACK),
        "net": bool(line.code & payloads.NET),
        "unpriced": bool(line.code & payloads.UNPRICED),
        "wh": line.wh,
        "price": line.price,
        "amount_nano": line.amount,
    }


def _wrong(option: str, message: str) -> typer.BadParameter:
    return typer.BadParameter(message, param_hint=option)


def _documents(folder: Path) -> dict[bytes, Tariff]:
    found = {}
    for name in (ACTIVE, NEXT):
        try:
            document = tariffs.load((folder / name).read_bytes(), ANY_PRICE)
        except FileNotFoundError:
            continue
        except TariffError:
            continue  # the meter does not rate by it either
        except OSError as error:
            raise FileError(f"{folder / name}: cannot be read ({error.strerror})") from None
        found[document.digest] = document
    return found
