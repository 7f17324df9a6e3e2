"""The test card of a small screen: its edges are numbered, so that a chip of another kind shows.

All four edges are whole and the columns read 0 to 7 from the left: the chip is the one that is
configured. The left edge is missing and there is dirt at the right: it is an SH1106 taken for an
SSD1306. The picture stands two columns too far right: the other way round.
"""

WIDTH, HEIGHT = 128, 64
LCD_CARD = (
    "1    test card     1",
    "2   all 4 edges?   2",
    "3  in this order?  3",
    "4     hd44780      4",
)


def draw(canvas, chip):
    """Draw the card of `chip` on a canvas of framebuf's calls."""
    canvas.fill(0)
    canvas.rect(0, 0, WIDTH, HEIGHT, 1)
    for index in range(8):
        x = index * 16
        canvas.vline(x, 2, 4, 1)
        canvas.text(str(index), x + 5, 3)
    # A stair at each side: how many of its four steps are seen tells how far the picture is off.
    for step in range(4):
        canvas.hline(0, 56 - 2 * step, step + 1, 1)
        canvas.hline(WIDTH - 1 - step, 56 - 2 * step, step + 1, 1)
    canvas.text("chip", 40, 24)
    canvas.text(chip, 40, 34)
    canvas.text("all 4 edges?", 20, 48)
