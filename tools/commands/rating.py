"""Commands about load: what it costs, and the profile a meter kept."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import Json, State


def bill(
    tariff: Annotated[
        list[Path],
        typer.Option(metavar="T.json", help="Tariff document; again for each set that follows."),
    ],
    profile: Annotated[
        Path,
        typer.Option(metavar="P.csv", help="Rows start_utc,import_wh[,export_wh][,trust]."),
    ],
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Charge a row that spans a switch by its start."),
    ] = False,
    used: Annotated[
        int, typer.Option(metavar="WH", min=0, help="Used in the cycle before the first row.")
    ] = 0,
    prices: Annotated[
        list[Path] | None,
        typer.Option(metavar="F", help="Dynamic prices: a document or a folder; again for more."),
    ] = None,
    as_json: Json = False,
) -> None:
    """What a load profile costs, by the meter's own engine.

    A row lasts to the start of the next, the last as long as the one before it; one row alone
    lasts 15 minutes. --json counts blocks from 0, as the journal does.
    """
    from wattledger.tools import bill as bills
    from wattledger.tools import bill_prices
    from wattledger.tools import profile as profiles
    from wattledger.tools import tariff as tariffs

    sets = [tariffs.load(path) for path in tariff]
    dynamic = bill_prices.read(prices or [], sets[0].id)
    rows = profiles.read(profile)
    found = bills.bill(sets, rows, profile, used, estimate, dynamic)
    if as_json:
        output.result(found)
    else:
        bills.show(found)


def profile(
    state: State,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows `bill` reads.")] = False,
    as_json: Json = False,
) -> None:
    """The load profile in a meter's journal: a summary, or with --csv its rows."""
    from wattledger.tools import ledger
    from wattledger.tools import profile as profiles

    found = profiles.of_journal(state)
    if csv:
        sys.stdout.writelines(line + "\n" for line in profiles.text(found.rows))
    summary = found.summary()
    if as_json:
        output.result(summary)
    elif not csv:
        for key, value in summary.items():
            print(f"{key:10} {value}")
    if found.used_wh:
        output.note(f"the meter was opened within a cycle: bill needs --used {found.used_wh}")
    ledger.require_whole(state)
