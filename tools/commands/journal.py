"""Commands that read a meter's journal: ledger and statement."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json, State

MOST = 0xFFFFFFFF  # entries of a journal
Start = Annotated[
    str | None,
    typer.Option("--from", metavar="T", help="Local date or time, or unix seconds."),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="T", help="Up to here; a date means its first instant."),
]


def ledger_verify(state: State, as_json: Json = False) -> int:
    """Check a whole journal: chain, checksums, sums, registers, purchases. Never writes."""
    from wattledger.tools import ledger, listing

    scan = ledger.verify(state)
    if as_json:
        output.result(scan.report())
    else:
        listing.show_outcome(scan)
    if scan.problem is not None:
        output.error(f"{state}: {scan.problem}; {ledger.REMEDY}")
        return 1
    return 0


def ledger_list(
    state: State,
    last: Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="Only the last N.")] = 40,
) -> None:
    """The newest entries of a journal."""
    from wattledger.tools import ledger, listing

    listing.show_entries(state, last)
    ledger.require_whole(state)


def ledger_explain(
    state: State, start: Start = None, until: Until = None, as_json: Json = False
) -> int:
    """Why the balance moved between two times: each interval's parts, each charge, each credit.

    --json counts blocks from 0, as the journal does.
    """
    from wattledger.tools import explain, ledger

    found = explain.explain(state, start, until)
    scan = ledger.verify(state)
    if as_json:
        output.result(explain.report(found, scan))
    else:
        explain.show(found)
    if scan.problem is not None:
        output.error(f"{state}: {scan.problem}; {ledger.REMEDY}")
        return 1
    return 0


def ledger_freezes(state: State, as_json: Json = False) -> None:
    """What the last 13 billing cycles came to: registers, energy by band and block, demand."""
    from wattledger.tools import freezes, ledger

    found = freezes.Freezes(state)
    if as_json:
        output.result(found.report())
    else:
        freezes.show(found)
    ledger.require_whole(state)


class Format(str, Enum):
    """What `statement` may write."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class Language(str, Enum):
    """What `statement` may be written in."""

    EN = "en"
    ZH = "zh"


def statement(
    state: State,
    start: Start = None,
    until: Until = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="A calendar month, local time.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="json counts blocks from 0.")] = (
        Format.TEXT
    ),
    language: Annotated[Language, typer.Option("--lang", help="Of text and html.")] = Language.EN,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="F", help="Write to this file.")
    ] = None,
) -> None:
    """What a period cost: balances, days, bands and blocks, top-ups, and each cut's reason."""
    from wattledger.tools import ledger
    from wattledger.tools import statement as statements
    from wattledger.tools.statement_words import Words

    found = statements.collect(state, start, until, month)
    statements.write(found, form.value, Words(language.value), out)
    ledger.require_whole(state)


def book(
    state: State,
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="purchases, messages, events or tariffs.")
    ],
    start: Start = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Purchases, messages, events or tariffs of a meter in a period."""
    from wattledger.tools import book as books
    from wattledger.tools import ledger
    from wattledger.tools.period import Source

    found = books.find(state, table, Source(state).period(start, until))
    if as_json:
        output.result({"table": table, "found": len(found), "documents": found})
    else:
        books.show(state, table, found)
    ledger.require_whole(state)
