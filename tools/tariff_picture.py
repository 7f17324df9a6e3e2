"""The week of a tariff as a PNG: a clock of seven days for each season. Asks for matplotlib."""

import importlib.util
from pathlib import Path
from typing import Any

from wattledger.tools import output, tariff_colours
from wattledger.tools.errors import ToolError
from wattledger.tools.tariff_week import DAYS, MINUTES, Season, Week, clock

HOUR = 60
TICK_HOURS = 3
SEASON_IN, HEIGHT_IN = 4.6, 5.2  # of one season's panel
MOST_ACROSS = 3
NAMED_FROM = 90  # minutes: a lower cell has no room for its band's name
WHITE = 1.5
APART = 0.3  # of a day's width, between the week and the special days
LONGEST = 9  # letters of a band's name in a cell
DPI = 140


class PictureError(ToolError):
    """The picture cannot be drawn; the message says what to install."""


def require() -> None:
    """PictureError where matplotlib is missing: asked before anything is printed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise PictureError("--png needs matplotlib: pip install 'wattledger[bench]'")


def draw(week: Week, path: Path) -> None:
    """Write the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    across = min(len(week.seasons), MOST_ACROSS)
    down = -(-len(week.seasons) // across)
    wide = max(across * SEASON_IN, 1.6 * SEASON_IN)
    figure = Figure(figsize=(wide, down * HEIGHT_IN + 1), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    colours = tariff_colours.of_bands(week.by_price())
    panels = figure.subplots(down, across, squeeze=False)
    for panel in panels.flat[len(week.seasons) :]:
        panel.set_axis_off()
    for season, panel in zip(week.seasons, panels.flat, strict=False):
        _draw_season(week, season, panel, colours)
    document = week.document
    title = f"{document['id']} n {document['n']}, {document['currency']} per kWh"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    labels = [
        Patch(facecolor=colours[band], label=f"{week.bands[band]}  {_prices(week, band)}")
        for band in week.by_price()
    ]
    figure.legend(
        handles=labels,
        loc="outside lower left",
        ncols=1 if len(labels) < 4 else 2,
        frameon=False,
        title=_legend_title(week),
        alignment="left",
    )
    canvas.print_figure(str(path), format="png", dpi=DPI)


def _draw_season(week: Week, season: Season, panel: Any, colours: dict[int, str]) -> None:
    """One panel: a column a kind of day, the hours from midnight down."""
    places = [day if day < len(DAYS) else day + APART for day in range(len(season.days))]
    for place, column in zip(places, season.days, strict=True):
        for start, end, band in column.spans():
            colour = colours[band]
            panel.bar(
                place, end - start, 1, start, color=colour, edgecolor="white", linewidth=WHITE
            )
            if end - start >= NAMED_FROM:
                panel.text(
                    place,
                    (start + end) / 2,
                    _short(week.bands[band]),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color=tariff_colours.letters_on(colour),
                    clip_on=True,
                )
    panel.set_xlim(-0.5, places[-1] + 0.5)
    panel.set_ylim(MINUTES, 0)
    names = [column.name.replace(" ", "\n") for column in season.days]
    panel.set_xticks(places, names, fontsize=8)
    marks = range(0, MINUTES + 1, TICK_HOURS * HOUR)
    panel.set_yticks(list(marks), [clock(minute) for minute in marks], fontsize=8)
    panel.xaxis.tick_top()
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set_title(_title(week, season), loc="left", fontsize=10)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "\u2026"


def _title(week: Week, season: Season) -> str:
    title = season.dates() if len(week.seasons) > 1 else "all year"
    if week.own_blocks():
        title += f", blocks to {', '.join(map(str, season.blocks))} kWh"
    return title


def _prices(week: Week, band: int) -> str:
    """The prices of a band by block, then what export earns in it."""
    found = " / ".join(output.price(row[band]) for row in week.document["price"])
    export = week.export()
    return found + (f", export {output.price(export[band])}" if export else "")


def _legend_title(week: Week) -> str | None:
    limits = week.document["blocks"]
    if not limits:
        return None
    if week.own_blocks():
        return "prices by block"
    cycle = week.document["cycle"]
    of = f" of a {cycle}" if cycle != "none" else ""
    return f"prices up to {', '.join(map(str, limits))} kWh{of} / above"
