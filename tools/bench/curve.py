"""A PNG of error over current, each chip a line between the limits of class 1."""

from pathlib import Path

from wattledger.tools.bench import loads
from wattledger.tools.bench.rows import Report

STYLES = ("-o", "--s", ":^", "-.D")  # told apart without their colours
COLOURS = ("#1f6f5c", "#b2182b", "#2166ac", "#7a5195")


def draw(report: Report, path: Path) -> None:
    """Write the picture: currents on a logarithmic scale, errors in per cent."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    currents = sorted({current for curve in report.curves.values() for current, _ in curve})
    limits = [loads.limit_ppm(current) / 1e4 for current in currents]
    for sign, label in ((1, "class 1"), (-1, None)):
        axes.plot(
            [current / 1000 for current in currents],
            [sign * limit for limit in limits],
            color="#555555",
            linewidth=2,
            label=label,
        )
    for index, (name, curve) in enumerate(report.curves.items()):
        axes.plot(
            [current / 1000 for current, _ in curve],
            [error / 1e4 for _, error in curve],
            STYLES[index % len(STYLES)],
            color=COLOURS[index % len(COLOURS)],
            markersize=4,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_ylim(-3, 3)
    axes.axhline(0, color="#c9d3d0", linewidth=1)
    axes.set_xlabel("current, A (unity power factor, 230 V)")
    axes.set_ylabel("error of the energy, %")
    axes.set_title("Simulated chips after calibration, and IEC 62053-21 class 1", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False, ncols=5)
    canvas.print_figure(str(path), format="png", dpi=140)
