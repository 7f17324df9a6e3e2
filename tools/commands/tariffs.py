"""Commands that show tariff documents and make them of other forms."""

from pathlib import Path
from typing import Annotated

import typer

from wattledger.tools import output
from wattledger.tools.commands.options import File, Json


def tariff_show(
    file: File,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="Draw the weeks too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The week of each season, hour by hour, with prices by block and the special days."""
    from wattledger.tools import tariff_picture, tariff_show, tariff_week

    if png is not None:
        tariff_picture.require()
    week = tariff_week.Week(file)
    if as_json:
        output.result(week.report())
    else:
        tariff_show.show(week)
    if png is not None:
        tariff_picture.draw(week, png)
        output.note(f"the picture is {png}")


def tariff_import_urdb(
    file: File,
    zone: Annotated[
        str,
        typer.Option(
            "--tz", metavar="POSIX", help="The place's time zone, as EST5EDT,M3.2.0,M11.1.0."
        ),
    ],
    currency: Annotated[str, typer.Option(metavar="CCC", help="Three capitals.")] = "USD",
    n: Annotated[int, typer.Option("--n", metavar="N", min=1, help="The version.")] = 1,
    start: Annotated[
        int | None,
        typer.Option("--from", metavar="UNIX", min=0, help="In force from; else the rate's own."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write a file a rate here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Documents of a rate from OpenEI's Utility Rate Database, with notes on what is lost."""
    from wattledger.tools import urdb

    found = urdb.read(file, urdb.Options(zone, currency, n, start))
    if as_json:
        output.result({"imports": [one.report() for one in found]})
    else:
        urdb.show(found, out)
