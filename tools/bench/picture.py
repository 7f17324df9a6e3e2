"""A PNG of a report: its bars beside their references. matplotlib is asked for only here."""

import importlib.util
from pathlib import Path

from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Report, Row

DRAWN = ("accuracy", "heap", "ledger", "sim")
WIDTH_IN = 9
ROW_IN = 0.42
FRAME_IN = 1.3
OURS = "#1f6f5c"
OTHER = "#c9d3d0"


def require(name: str) -> None:
    """BenchError when bench `name` cannot be drawn: asked before anything is measured."""
    if name not in DRAWN:
        raise BenchError(f"bench {name} has no picture: its table says it all")
    if importlib.util.find_spec("matplotlib") is None:
        raise BenchError("--png needs matplotlib: pip install 'wattledger[bench]'")


def draw(report: Report, path: Path) -> None:
    """Write the picture of a report of one of the benches in DRAWN."""
    if report.curves:
        from wattledger.tools.bench import curve

        curve.draw(report, path)
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = report.picture[::-1]  # the first at the top
    figure = Figure(figsize=(WIDTH_IN, FRAME_IN + ROW_IN * len(rows)), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(rows))
    shared = len({row.reference for row in rows}) == 1
    peers = sorted({row.against for row in rows})
    if not shared:
        peer = peers[0] if len(peers) == 1 else "reference"
        axes.barh(places, [row.reference for row in rows], 0.72, color=OTHER, label=peer)
    axes.barh(places, [row.measured for row in rows], 0.4, color=OURS, label="measured")
    axes.set_yticks(list(places), [_label(row, shared, len(peers) > 1) for row in rows])
    axes.set_xlabel(rows[0].unit)
    axes.set_title(report.title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    if not shared:
        figure.legend(loc="outside lower right", frameon=False, ncols=2)
    canvas.print_figure(str(path), format="png", dpi=140)


def _label(row: Row, shared: bool, peers: bool) -> str:
    """With one reference for all the ratio is a share; one of several peers is named."""
    if shared:
        return f"{row.name}  {row.ratio:.0%}"
    return f"{row.name} / {row.against}" if peers else row.name
