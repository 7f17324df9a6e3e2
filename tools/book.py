"""`wattledger book`: purchases, messages, events and tariffs of a meter, queried.

The book file beside the journal is read and what it lacks comes from the journal itself, so a
copy without a book answers the same. Never writes.
"""

from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal.book import BookFeed
from wattledger.agent.supply import rules, states
from wattledger.hal.storage.book_tinydb import NAME, TABLES, TinyBook
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import entries, ledger, output
from wattledger.tools.errors import ToolError
from wattledger.tools.period import Period, Source


class _Head(NamedTuple):
    """What the feed asks of a journal."""

    durable: int


class _ReadOnly(TinyBook):
    """A book that never reaches the disk."""

    def save(self, now: bool = False) -> None:
        pass


def find(state: str | Path, table: str, period: Period) -> list[dict[str, Any]]:
    """Documents of `table` in a period, oldest first; ToolError names what cannot be asked."""
    if table not in TABLES:
        raise ToolError(f"{table}: no such table; ask for {', '.join(TABLES)}")
    folder = ledger.storage_folder(state)
    scan = ledger.verify(state)
    book = _ReadOnly(folder / NAME)
    if scan.last:  # else nothing of the journal can be believed, and the feed has no end
        BookFeed(book, PosixStorage(folder), _Head(scan.last), Source(state).meter).finish()
    found: list[dict[str, Any]] = book.find(table, period.start, period.until)
    return found


def show(state: str | Path, table: str, found: list[dict[str, Any]]) -> None:
    """Documents as a table for a person."""
    zone = Source(state).zone
    rows = [
        (str(row["sequence"]), output.local(row["time"], zone), row["kind"], _describe(row))
        for row in found
    ]
    output.table(f"{table}, {len(rows)}", ["#>", "time", "kind", "what"], rows)


def _describe(row: dict[str, Any]) -> str:
    if "amount_micro" in row:
        number = f" purchase {row['n']}" if "n" in row else ""
        balance = output.money(row["balance_micro"] * 1000)
        return f"{output.money(row['amount_micro'] * 1000)}{number}, balance {balance}"
    if "code" in row:
        if "snapshot" in row:
            payload = payloads.pack_condition(row["code"], row["value"], *row["snapshot"])
        else:
            payload = payloads.pack_event(row["code"], row["value"])
        return entries.describe("event", payload)
    if "text" in row:
        return str(row["text"])
    if "operation" in row:
        cause = rules.CAUSES.get(row["cause"], str(row["cause"]))
        return f"{states.NAMES[row['operation']]} by {cause}"
    return f"{row['id']} n={row['n']} {row['sha256'][:16]}"
