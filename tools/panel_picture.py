"""Frames of a small screen (1024 bytes, MONO_VLSB) for a terminal, a document or an image file."""

from collections.abc import Sequence

WIDTH, HEIGHT = 128, 64
SCALE = 2
MARGIN, GAP, CAPTION = 16, 14, 18
HALVES = " ▀▄█"  # neither, upper, lower, both
STYLE = """\
    text { font: 12px system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #46574f; }
    .glass { fill: #06090f; }
    .lit { fill: none; stroke: #cfe8ff; }
    @media (prefers-color-scheme: dark) { text { fill: #b4c6be; } }"""


def is_lit(frame: bytes, x: int, y: int) -> bool:
    """True where the glass is bright."""
    return bool(frame[(y >> 3) * WIDTH + x] >> (y & 7) & 1)


def blocks(frame: bytes) -> str:
    """32 lines of 128 half blocks, in a frame."""
    lines = ["┌" + "─" * WIDTH + "┐"]
    for y in range(0, HEIGHT, 2):
        row = [HALVES[is_lit(frame, x, y) + 2 * is_lit(frame, x, y + 1)] for x in range(WIDTH)]
        lines.append("│" + "".join(row) + "│")
    return "\n".join([*lines, "└" + "─" * WIDTH + "┘"])


def pbm(frames: Sequence[bytes]) -> bytes:
    """Frames one below the other as a portable bitmap (P4); 1 is black there, so bright is 0."""
    rows = bytearray()
    for frame in frames:
        for y in range(HEIGHT):
            for x in range(0, WIDTH, 8):
                bits = sum(is_lit(frame, x + bit, y) << (7 - bit) for bit in range(8))
                rows.append(bits ^ 0xFF)
    return b"P4\n%d %d\n" % (WIDTH, HEIGHT * len(frames)) + bytes(rows)


def sheet(title: str, screens: Sequence[tuple[str, bytes]], columns: int = 3) -> str:
    """(caption, frame) side by side as an SVG that stands alone."""
    wide = WIDTH * SCALE
    high = HEIGHT * SCALE
    rows = -(-len(screens) // columns)
    width = 2 * MARGIN + columns * wide + (columns - 1) * GAP
    height = 2 * MARGIN + rows * (high + CAPTION) + (rows - 1) * GAP
    parts = []
    for index, (caption, frame) in enumerate(screens):
        x = MARGIN + index % columns * (wide + GAP)
        y = MARGIN + index // columns * (high + CAPTION + GAP)
        parts.append(f'  <text x="{x}" y="{y + 12}">{caption}</text>')
        parts.append(
            f'  <rect class="glass" x="{x - 4}" y="{y + CAPTION - 4}" width="{wide + 8}" '
            f'height="{high + 8}" rx="4"/>'
        )
        parts.append(
            f'  <path class="lit" transform="translate({x} {y + CAPTION}) scale({SCALE}) '
            f'translate(0 .5)" '
            f'd="{_path(frame)}"/>'
        )
    words = ", ".join(caption for caption, _ in screens)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="t d">'
    )
    head = [opening, f'  <title id="t">{title}</title>', f'  <desc id="d">{words}.</desc>']
    return "\n".join([*head, f"  <style>\n{STYLE}\n  </style>", *parts, "</svg>"]) + "\n"


def _path(frame: bytes) -> str:
    """A stroke of one pixel for each run of bright ones in a row."""
    found = []
    for y in range(HEIGHT):
        x = 0
        while x < WIDTH:
            start = x
            while x < WIDTH and is_lit(frame, x, y):
                x += 1
            if x > start:
                found.append(f"M{start} {y}h{x - start}")
            x += 1
    return "".join(found)
