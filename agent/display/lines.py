"""Layouts as four lines of twenty letters, for a text display, which has no hanzi."""

from wattledger.agent.display.layout import cut, wrap

COLUMNS = 20
ROWS = 4
STEPS = ("", "#", "##", "###")


class Lines:
    """`show(lines)` takes four texts of twenty letters."""

    charts = False  # they are no text

    def __init__(self, show):
        self._show = show

    def draw(self, layout):
        """Show `layout`; a generator, as that of Screens."""
        self._show(lines_of(layout))
        yield


def lines_of(layout):
    """Four texts of exactly twenty letters."""
    rows = []
    if layout.fine is not None:
        rows = [(row, "") for row in wrap(" ".join(layout.fine), COLUMNS, ROWS - 1)]
    elif layout.sentence:
        rows = [(row, "") for row in wrap(layout.sentence, COLUMNS, ROWS - 1)]
    else:
        if layout.big:
            rows.append((layout.big, STEPS[layout.level or 0]))
        rows += layout.rows
    if layout.progress is not None:
        rows.append(("#" * (layout.progress * COLUMNS // 1000), ""))
    lines = [_line(layout.title, layout.corner)] + [_line(left, right) for left, right in rows]
    return tuple((lines + [" " * COLUMNS] * ROWS)[:ROWS])


def _line(left, right):
    right = cut(right, COLUMNS)
    left = cut(left, COLUMNS - len(right) - (1 if right else 0))
    return left + " " * (COLUMNS - len(left) - len(right)) + right
