"""Layouts on 128x64 pixels, through the few calls that MicroPython's framebuf and the Pi's have.

The title and three rows are 16 pixels high each: 16 letters of 8x16, or 8 hanzi of 16x16. Drawn
in pieces, for a step has little time.
"""

from wattledger.agent.display import glyphs
from wattledger.agent.display.layout import cells, cut, wrap

WIDTH, HEIGHT = 128, 64
LINE = 16
LETTER = 8
CELLS = WIDTH // LETTER
FINE, FINE_PITCH = 8, 9  # height of the smallest letters, and of their rows
STEP, RISE = 12, 4  # width of a step of the gauge, height that each adds
# A byte of pixels side by side as two, each pixel twice.
TWICE = bytes((0x00, 0x03, 0x0C, 0x0F, 0x30, 0x33, 0x3C, 0x3F))
TWICE += bytes((0xC0, 0xC3, 0xCC, 0xCF, 0xF0, 0xF3, 0xFC, 0xFF))


class Screens:
    """`canvas` is what is shown; `frame_of(buffer, width, height)` makes a frame of rows of bytes
    (MONO_HLSB) to copy from; `wide` is a module of hanzi, None where a language has none."""

    charts = True

    def __init__(self, canvas, frame_of, wide=None):
        self._canvas = canvas
        self._wide = wide
        self._letter = bytearray(LINE)
        self._hanzi = bytearray(2 * LINE)
        self._double = bytearray(4 * LINE)
        self._of_letter = frame_of(self._letter, LETTER, LINE)
        self._of_hanzi = frame_of(self._hanzi, LINE, LINE)
        self._of_double = frame_of(self._double, LINE, 2 * LINE)
        self._bright = frame_of(bytearray(b"\x40"), LETTER, 1)  # what a 0 and a 1 become
        self._dark = frame_of(bytearray(b"\x80"), LETTER, 1)

    def draw(self, layout):
        """Draw `layout`; a generator that stops after each piece."""
        canvas = self._canvas
        canvas.fill(0)
        # Dark letters on a bright bar, so that a title is never taken for a value.
        canvas.fill_rect(0, 0, WIDTH, LINE, 1)
        self.text(layout.title, 0, 0, CELLS, self._dark)
        corner = cut(layout.corner, CELLS - 1 - cells(layout.title))
        self.text(corner, WIDTH - LETTER * cells(corner), 0, CELLS, self._dark)
        yield
        y = LINE
        if layout.bars is not None:
            self._bars(layout.bars)
            return
        if layout.fine is not None:
            for row in layout.fine:
                y += FINE_PITCH
                canvas.text(cut(row, CELLS), 0, y - FINE)
            return
        rows = layout.rows
        if layout.big:
            self._big(layout.big)
            yield
            y += 2 * LINE
        elif layout.sentence:
            rows = [(row, "") for row in wrap(layout.sentence, CELLS, 3)]
        for left, right in rows:
            right = cut(right, CELLS)
            self.text(left, 0, y, CELLS - cells(right) - (1 if right else 0))
            self.text(right, WIDTH - LETTER * cells(right), y, CELLS)
            y += LINE
            yield
        if layout.progress is not None:
            canvas.rect(0, HEIGHT - 12, WIDTH, 12, 1)
            canvas.fill_rect(2, HEIGHT - 10, (WIDTH - 4) * layout.progress // 1000, 8, 1)
        if layout.level:
            self._gauge(layout.level)

    def text(self, text, x, y, most, ink=None):
        """Letters and hanzi at (x, y), at most `most` cells of them."""
        for letter in cut(text, most):
            x += self._glyph(letter, x, y, ink or self._bright)

    def _glyph(self, letter, x, y, ink):
        at = glyphs.CHARACTERS.find(letter)
        if at >= 0:
            self._letter[:] = glyphs.BITS[at * LINE : (at + 1) * LINE]
            self._canvas.blit(self._of_letter, x, y, -1, ink)
            return LETTER
        at = self._wide.CHARACTERS.find(letter) if self._wide else -1
        if at >= 0:
            self._hanzi[:] = self._wide.BITS[at * 2 * LINE : (at + 1) * 2 * LINE]
            self._canvas.blit(self._of_hanzi, x, y, -1, ink)
        else:
            self._canvas.rect(x + 1, y + 2, LINE - 2, LINE - 4, 1)  # a letter nobody drew
        return LINE if letter > "\u2fff" else LETTER

    def _big(self, text):
        """A number of two rows' height, or of one where it is too long for that."""
        if 2 * cells(text) > CELLS:
            self.text(text, max(WIDTH - LETTER * cells(text), 0) // 2, LINE + LETTER, CELLS)
            return
        x = (WIDTH - LINE * len(text)) // 2
        for letter in text:
            at = max(glyphs.CHARACTERS.find(letter), 0) * LINE
            for row in range(LINE):
                bits = glyphs.BITS[at + row]
                for index in (4 * row, 4 * row + 2):
                    self._double[index] = TWICE[bits >> 4]
                    self._double[index + 1] = TWICE[bits & 15]
            self._canvas.blit(self._of_double, x, LINE)
            x += LINE

    def _gauge(self, level):
        for index in range(3):
            x = WIDTH - (3 - index) * STEP
            height = RISE * (index + 1)
            draw = self._canvas.fill_rect if index < level else self._canvas.rect
            draw(x, HEIGHT - height, STEP - 2, height, 1)

    def _bars(self, bars):
        canvas = self._canvas
        canvas.hline(0, HEIGHT - 1, WIDTH, 1)
        most = max(bars) if bars else 0
        for index, value in enumerate(bars):
            if value > 0:
                height = max(value * 44 // most, 1)
                canvas.fill_rect(4 + index * 5, HEIGHT - 1 - height, 4, height, 1)
        for hour in (6, 12, 18):
            canvas.vline(3 + hour * 5, HEIGHT - 3, 3, 1)
