"""A board's wires as an SVG that stands alone: no font, script or picture from elsewhere."""

from types import ModuleType
from xml.sax.saxutils import escape

from wattledger.tools import wiring

WIDTH = 860
LEFT, RIGHT = 250, 560  # where wires leave the computer and reach the other side
ROW, HEAD, GAP = 24, 34, 22
TOP = 92
STYLE = """\
    .ground { fill: #f3f7f5; }
    text { font: 13px system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #10201b; }
    .head { font-weight: 650; font-size: 15px; }
    .end { text-anchor: end; }
    .small { font-size: 11.5px; fill: #46574f; }
    .box { fill: #ffffff; stroke: #a9bbb2; stroke-width: 1.2; }
    .bad { fill: #fce1de; stroke: #cf3a2f; stroke-width: 1.4; }
    .wire { fill: none; stroke: #2b5d8a; stroke-width: 1.8; }
    .supply { fill: none; stroke: #8a2b2b; stroke-width: 1.8; stroke-dasharray: 7 3; }
    .earth { fill: none; stroke: #46574f; stroke-width: 1.8; stroke-dasharray: 2 3; }
    .wall { fill: none; stroke: #cf3a2f; stroke-width: 2.4; stroke-dasharray: 10 5; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #101816; }
      text { fill: #ebf3ef; }
      .small { fill: #b4c6be; }
      .box { fill: #1a2522; stroke: #4d6058; }
      .bad { fill: #461712; stroke: #f0665a; }
      .wire { stroke: #6ea3d8; }
      .supply { stroke: #e58a8a; }
      .earth { stroke: #b4c6be; }
      .wall { stroke: #f0665a; }
    }"""
COMPUTERS = {"pi": "Raspberry Pi header", "esp32": "ESP32 module"}
MAINS = {
    "mcp3208": "through a 9 V transformer and a current transformer",
    "atm90e32": "through voltage and current transformers",
    "ade7953": "on the mains side of its isolator",
    "bl0942": "on the mains side of its isolator",
}


def draw(board: ModuleType) -> str:
    """The drawing as text, ending with a line end."""
    ends = wiring.far_ends(board)
    by_group: dict[str, list[wiring.Wire]] = {group: [] for group in ends}
    for wire in wiring.wires(board):
        by_group[wire.group].append(wire)
    parts: list[str] = []
    top = TOP
    for group, found in by_group.items():
        height = HEAD + ROW * len(found) + 6
        parts.append(_box(RIGHT, top, WIDTH - RIGHT - 24, height))
        parts.append(_text(RIGHT + 14, top + 22, ends[group], "head"))
        for index, wire in enumerate(found):
            parts += _row(wire, top + HEAD + ROW * index + 14)
        if group == "meter":
            parts += _barrier(board, top + height)
            top += 62
        top += height + GAP
    bottom = top - GAP
    frame = [
        _box(24, TOP, LEFT - 24, bottom - TOP),
        _text(38, TOP + 22, COMPUTERS[board.PLATFORM], "head"),
    ]
    return _whole(board, frame + parts, bottom + 56)


def _row(wire: "wiring.Wire", y: int) -> list[str]:
    kind = "wire"
    if "GND" in wire.here:
        kind = "earth"
    elif " V)" in wire.here or wire.here in ("3V3", "VIN (5 V)"):
        kind = "supply"
    found = [
        f'  <path class="{kind}" d="M{LEFT} {y}H{RIGHT}"/>',
        _text(LEFT - 12, y + 4, wire.here, "end"),
        _text(RIGHT + 14, y + 4, wire.there),
    ]
    if wire.note:
        found.append(_text((LEFT + RIGHT) // 2 - 118, y - 4, wire.note, "small"))
    return found


def _barrier(board: ModuleType, y: int) -> list[str]:
    right = WIDTH - 24
    box = f'x="{RIGHT}" y="{y + 22}" width="{right - RIGHT}" height="36" rx="6"'
    return [
        f'  <path class="wall" d="M{RIGHT} {y + 14}H{right}"/>',
        f'  <rect class="bad" {box}/>',
        _text(RIGHT + 14, y + 38, "mains, beyond reinforced isolation:"),
        _text(RIGHT + 14, y + 52, MAINS[board.CHIP], "small"),
    ]


def _whole(board: ModuleType, parts: list[str], height: int) -> str:
    described = "; ".join(f"{w.here} to {w.there}" for w in wiring.wires(board))
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="t d">'
    )
    return (
        "\n".join(
            [
                opening,
                f'  <title id="t">Wires of {escape(board.NAME)}</title>',
                f'  <desc id="d">{escape(described)}.</desc>',
                f"  <style>\n{STYLE}\n  </style>",
                f'  <rect class="ground" width="{WIDTH}" height="{height}"/>',
                _text(24, 34, board.NAME, "head"),
                _text(24, 56, "Mains voltage kills: everything beyond the red line is a licensed"),
                _text(
                    24, 74, "electrician's work. Simulated, not tried on hardware yet.", "small"
                ),
                *parts,
                _text(
                    24, height - 20, "signal: solid   supply: long dashes   ground: dots", "small"
                ),
                "</svg>",
            ]
        )
        + "\n"
    )


def _box(x: int, y: int, width: int, height: int) -> str:
    return f'  <rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'  <text x="{x}" y="{y}"{named}>{escape(text)}</text>'
