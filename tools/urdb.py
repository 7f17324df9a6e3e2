"""`wattledger tariff import-urdb`: a rate of OpenEI's Utility Rate Database as a document.

What a document cannot say is told as a note with its place, never dropped in silence. Energy
prices that cannot be converted are an error: a document with wrong ones is worse than none.
Source: the fields of the URDB rate format, versions 7 and 8.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.agent.units import QUARTER_S
from wattledger.tools import output, places
from wattledger.tools.places import Path_
from wattledger.tools.urdb_charges import Charges
from wattledger.tools.urdb_energy import STRUCTURE, Energy
from wattledger.tools.urdb_reader import Note, Reader

# A rate knows nothing of prepayment: these rules are the importer's, and a note says so.
CREDIT = {
    "low": [20000000, 5000000],
    "emergency": 0,
    "reconnect_above": 0,
    "max": 1000000000,
    "friendly": [],
}
ID_LENGTH = 32


class Import(NamedTuple):
    """One rate as a document, the bytes it takes, and what it could not say."""

    document: dict[str, Any]
    size: int
    notes: list[Note]

    def report(self) -> dict[str, Any]:
        """This for --json."""
        notes = [
            {"path": list(note.path), "line": note.line, "column": note.column, "says": note.says}
            for note in self.notes
        ]
        return {"document": self.document, "bytes": self.size, "notes": notes}


class Options(NamedTuple):
    """What a document needs and a rate does not say; `start` None takes the rate's own."""

    zone: str
    currency: str = "USD"
    n: int = 1
    start: int | None = None


def read(path: str | Path, options: Options) -> list[Import]:
    """The rates in a file: one rate, or an answer of the API with `items`.

    PlaceError at the first value that makes a rate impossible to charge by.
    """
    text = places.decode(path, places.read(path))
    value, offsets = places.parse(path, text)
    roots: list[Path_] = [()]
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        roots = [("items", index) for index in range(len(value["items"]))]
    if not roots:
        raise Reader(path, text, offsets, ("items",), []).error((), "holds no rate")
    found = []
    for root in roots:
        rate = value["items"][root[1]] if root else value
        reader = Reader(path, text, offsets, root, rate)
        if not isinstance(rate, dict) or STRUCTURE not in rate:
            raise reader.error((), f"is no URDB rate: it lacks {STRUCTURE}; fetch detail=full")
        found.append(_convert(reader, options))
    return found


def _convert(reader: Reader, options: Options) -> Import:
    energy = Energy(reader)
    charges = Charges(reader)
    document: dict[str, Any] = {
        "v": 1,
        "id": _id(reader.rate),
        "n": options.n,
        "currency": options.currency,
        "tz": options.zone,
        "from": _start(reader) if options.start is None else options.start,
        "cycle": "month",
        "cycle_start": 1,
        "blocks": energy.limits,
        "bands": energy.bands,
        "fallback": energy.commonest,
        "price": energy.prices,
        "days": energy.days,
        "seasons": energy.seasons,
        "weekend": [0, 6],
        "export": energy.export,
        "net": charges.net,
        "standing_day": charges.standing_day,
        "demand": charges.demand,
        "minimum": charges.minimum,
        "credit": CREDIT,
    }
    fallback = energy.bands[energy.commonest]
    reader.note((), f"has no fallback band: {fallback}, that of most hours, is taken")
    reader.note((), "has no holidays and no rules of credit: set your own in the document")
    data = json.dumps(document, separators=(",", ":")).encode()
    try:
        tariffs.load(data)
    except TariffError as error:
        raise reader.error((), f"gives a document that a meter refuses: {error}") from None
    return Import(document, len(data), reader.notes)


def _id(rate: dict[str, Any]) -> str:
    """An id from URDB's own key of the rate, or from its name."""
    name = str(rate.get("label") or rate.get("name") or "urdb").lower()
    return re.sub(r"[^a-z0-9]+", "-", name)[:ID_LENGTH].strip("-") or "urdb"


def _start(reader: Reader) -> int:
    """The rate's own start, at a quarter of an hour."""
    found = reader.rate.get("startdate")
    if isinstance(found, int) and found >= 0:
        return found - found % QUARTER_S
    reader.note((), "has no startdate: `from` is 0, in force at once; --from sets another")
    return 0


def text(document: dict[str, Any]) -> str:
    """A document for people, a key a line."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def show(found: Sequence[Import], out: Path | None) -> None:
    """Print the documents, or write each into the folder `out`; the notes go to stderr.

    FileError where a file is there already: a document is never written over.
    """
    for one in found:
        for note in one.notes:
            output.note(note.says)
        if out is None:
            print(text(one.document), end="")
            continue
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"{one.document['id']}.json"
        if path.exists():
            raise places.FileError(f"{path}: is there already; move it, or give another --out")
        path.write_text(text(one.document), encoding="utf-8")
        print(f"{path}: {one.size} bytes as sent, {len(one.notes)} notes")
