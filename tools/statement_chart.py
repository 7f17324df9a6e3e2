"""The chart of a statement: energy by day, a bar of bands on top of each other, as inline SVG."""

from html import escape

from wattledger.agent.billing.totals import Totals
from wattledger.tools.statement import date_text, kwh

WIDTH, HEIGHT = 720, 150
LEFT, TOP, BOTTOM = 34, 6, 18  # room for the scale and the dates
MOST_DATES = 16
# By price, cheapest first; with white between them they stay apart without colours too.
COLOURS = ("#2f9e77", "#d08700", "#cf3a2f", "#5b6bbf", "#8a4fa3", "#3c8fae", "#7a6a55", "#4d5a55")
EXPORTED = "#7fa7d6"


def spread(count: int) -> list[str]:
    """Colours for `count` bands from the cheapest to the dearest."""
    if count == 2:
        return [COLOURS[0], COLOURS[2]]
    return [COLOURS[index % len(COLOURS)] for index in range(count)]


def svg(days: list[Totals], bands: list[tuple[tuple[int, int], str]], label: str) -> str:
    """The chart; `bands` are ((tariff n, band), colour) from the bottom up."""
    most = max(max(day.import_wh, 1) for day in days)
    step = _step(most)
    top = -(-most // step) * step
    plot = HEIGHT - TOP - BOTTOM
    out = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}" '
        'font-size="9" fill="#50625b">'
    ]
    for mark in range(0, top + 1, step):
        y = TOP + plot - plot * mark / top
        out.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH}" stroke="#d3ddd8" stroke-width=".6"/>'
            f'<text x="{LEFT - 5}" y="{y + 3:.1f}" text-anchor="end">{_scale(mark, step)}</text>'
        )
    slot = (WIDTH - LEFT) / len(days)
    bar = min(slot * 0.72, 26)
    every = -(-len(days) // MOST_DATES)
    for index, day in enumerate(days):
        x = LEFT + slot * index + (slot - bar) / 2
        y = float(TOP + plot)
        shown = date_text(day.day)
        out.append(f"<g><title>{shown}: {kwh(day.import_wh)} kWh</title>")
        for (n, band), colour in bands:
            wh = sum(
                line.wh
                for line in day.lines()
                if (line.n, line.band()) == (n, band) and not line.is_export()
            )
            if wh:
                height = plot * wh / top
                y -= height
                out.append(
                    f'<rect x="{x:.1f}" y="{y:.2f}" width="{bar:.1f}" height="{height:.2f}" '
                    f'fill="{colour}" stroke="#fff" stroke-width=".4"/>'
                )
        out.append("</g>")
        if index % every == 0:
            out.append(
                f'<text x="{x + bar / 2:.1f}" y="{HEIGHT - 5}" text-anchor="middle">'
                f"{shown[5:]}</text>"
            )
    out.append("</svg>")
    return "".join(out)


def _step(most: int) -> int:
    """Wh between two marks: 1, 2 or 5 times a power of ten, at most five marks."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= step * factor * 5:
                return step * factor
        step *= 10


def _scale(wh: int, step: int) -> str:
    """A mark in kWh with as many decimals as the step needs."""
    return f"{wh / 1000:g}" if step < 1000 else str(wh // 1000)
