"""`wattledger tariff show`: the week of each season as a table, the prices, the special days."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from wattledger.tools import output, tariff_colours
from wattledger.tools.tariff_week import DAYS, MINUTES, Season, Week, clock

CYCLES = {"month": "a month from day {}", "year": "a year from {}", "none": "none"}
PIPE_WIDTH = 200  # a pipe has no edge to cut at
LABEL = 12


def show(week: Week, console: Console | None = None) -> None:
    """Print it. Where there are no colours the cells' words say the same."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = console or Console(highlight=False, width=width)  # minds NO_COLOR
    colours = tariff_colours.of_bands(week.by_price())
    styles = {
        band: f"{tariff_colours.letters_on(colour)} on {colour}"
        for band, colour in colours.items()
    }
    document = week.document
    console.print(Text(f"{document['id']} n {document['n']}", style="bold"))
    for label, value in _facts(week):
        console.print(Text(f"{label:{LABEL}}{value}"))
    for season in week.seasons:
        console.print()
        console.print(Text(_season_title(week, season), style="bold"))
        console.print(_season_table(week, season, styles))
    console.print()
    console.print(Text(f"{document['currency']} per kWh", style="bold"))
    console.print(_price_table(week, styles))


def _facts(week: Week) -> Iterator[tuple[str, str]]:
    document, currency = week.document, week.document["currency"]
    start = output.local(week.tariff.start, week.tariff.zone) if week.tariff.start else "at once"
    yield "from", f"{start}, zone {document['tz']}"
    start = str(document.get("cycle_start", ""))
    start = f"{start[:2]}-{start[2:]}" if document["cycle"] == "year" else start
    yield "cycle", CYCLES[document["cycle"]].format(start)
    yield "fallback", f"{week.bands[document['fallback']]}, while the clock is not synced"
    if document.get("standing_day"):
        yield "standing", f"{output.price(document['standing_day'])} {currency} a day"
    if document.get("minimum"):
        yield "minimum", f"{output.price(document['minimum'])} {currency} a whole cycle"
    if document.get("demand"):
        each = f"{output.price(document['demand']['price'])} {currency} a kW"
        yield "demand", f"{each} of the cycle's highest {document['demand']['minutes']} minutes"
    if document.get("net"):
        yield "net", "import less export of each interval is charged once"
    for holiday, label in ((True, "holidays"), (False, "make-up")):
        days = [str(special) for special in week.specials if special.holiday is holiday]
        for at in range(0, len(days), 4):
            yield label if not at else "", ", ".join(days[at : at + 4])


def _season_title(week: Week, season: Season) -> str:
    """`all year` or `06-01 to 09-30`, with blocks where they differ from season to season."""
    title = "all year"
    if len(week.seasons) > 1:
        title = season.dates()
    if week.own_blocks():
        title += f", blocks to {', '.join(map(str, season.blocks))} kWh"
    if season.resets:
        title += ", blocks count from here"
    return title


def _season_table(week: Week, season: Season, styles: dict[int, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    columns = season.grouped()
    for column in columns:
        table.add_column(_plain(column.name), no_wrap=True)
    edges = sorted({start for column in columns for start, _ in column.table}) + [MINUTES]
    wide = max(map(len, week.bands))
    for start, end in zip(edges, edges[1:], strict=False):
        cells = []
        for column in columns:
            band = column.band_at(start)
            cells.append(Text(f" {week.bands[band]:{wide}} ", style=styles[band]))
        table.add_row(f"{clock(start)}-{clock(end)}", *cells)
    return table


def _plain(name: str) -> str:
    return "every day" if name == f"{DAYS[0]}-{DAYS[-1]}" else name


def _price_table(week: Week, styles: dict[int, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    limits = week.document["blocks"]
    own = week.own_blocks()
    names = [f"block {n}" if own else f"to {kwh} kWh" for n, kwh in enumerate(limits, 1)]
    names.append("every kWh" if not limits else f"block {len(limits) + 1}" if own else "above")
    export = week.export()
    for name in names + (["export earns"] if export else []):
        table.add_column(name, justify="right", no_wrap=True)
    wide = max(map(len, week.bands))
    for band in week.by_price():
        cells = [output.price(row[band]) for row in week.document["price"]]
        if export:
            cells.append(output.price(export[band]))
        table.add_row(Text(f" {week.bands[band]:{wide}} ", style=styles[band]), *cells)
    return table
