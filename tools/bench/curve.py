"""A PNG of error over current: the size of each chip's error under the limit of class 1."""

from pathlib import Path
from typing import Any

from wattledger.tools.bench import loads
from wattledger.tools.bench.rows import Report

STYLES = ("o-", "s-", "^-", "v--", "D-", "P-", "X-", "o:", "s:")  # told apart without colours
COLOURS = (
    "#1f6f5c",
    "#b2182b",
    "#2166ac",
    "#67a9cf",
    "#7a5195",
    "#d95f02",
    "#5b5b5b",
    "#a6761d",
    "#111111",
)
LEAST = 1e-4  # %, less is drawn as this: a logarithm has no zero
MOST = 30
LIMIT = "#222222"
GRID = "#dde4e2"


def draw(report: Report, path: Path) -> None:
    """Write the picture: |error| in per cent over A, both logarithmic, at unity and 0.5 lag."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(11, 6.2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    plain = FuncFormatter(lambda value, _: f"{value:g}")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, factor, title in zip(
        panels, (1, 2), ("power factor 1", "power factor 0.5, inductive"), strict=True
    ):
        _limit(axes, factor)
        for index, (name, curve) in enumerate(report.curves.items()):
            points = [(each[0] / 1000, each[factor]) for each in curve]
            shown = [(amps, abs(error) / 1e4) for amps, error in points if error is not None]
            if not shown:
                continue
            axes.plot(
                [amps for amps, _ in shown],
                [max(error, LEAST) for _, error in shown],
                STYLES[index % len(STYLES)],
                color=COLOURS[index % len(COLOURS)],
                markersize=4,
                linewidth=1.2,
                label=name if factor == 1 else None,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(LEAST * 0.8, MOST)
        axes.xaxis.set_major_formatter(plain)
        axes.yaxis.set_major_formatter(plain)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel("current, A")
        axes.set_title(title, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("size of the energy's error, % (0.0001 and less at the bottom)")
    figure.suptitle(
        "Simulated chips after calibration, and IEC 62053-21 class 1", x=0.01, ha="left"
    )
    figure.legend(loc="outside lower center", frameon=False, ncols=4, fontsize=9)
    canvas.print_figure(str(path), format="png", dpi=140)


def _limit(axes: Any, factor: int) -> None:
    """The limit of class 1 as it steps over the currents, and a fifth of it."""
    if factor == 1:
        first, steps = loads.START_MA, (loads.IB_MA // 10,)
    else:
        first, steps = loads.IB_MA // 10, (loads.IB_MA // 5,)
    currents = [first * 1.02**index for index in range(500) if first * 1.02**index < steps[0]]
    currents += [steps[0] * 0.9999, steps[0], loads.IMAX_MA]
    limits = [loads.limit_ppm(ma, factor == 2) / 1e4 for ma in currents]
    amps = [ma / 1000 for ma in currents]
    label = factor == 1
    axes.plot(amps, limits, color=LIMIT, linewidth=2.4, label="class 1" if label else None)
    axes.plot(
        amps,
        [limit / 5 for limit in limits],
        color=LIMIT,
        linewidth=1.2,
        linestyle=(0, (6, 3)),
        label="a fifth of it" if label else None,
    )
