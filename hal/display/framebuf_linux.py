"""MicroPython's `framebuf` for CPython, as far as the screens use it, to the byte.

Source: docs.micropython.org/en/v1.28.0/library/framebuf; tests/both/test_agent_screens.py holds
the frames of both side by side.
"""

from wattledger.hal.display.font8x8_linux import BITS

MONO_VLSB = 0  # a byte is 8 pixels one below the other, the lowest bit on top
MONO_HLSB = 3  # a byte is 8 pixels side by side, the highest bit on the left
LETTER = 8
FIRST, LAST = 0x20, 0x7F


class FrameBuffer:
    """Pixels of `width` x `height` in `buffer`; MONO_HLSB takes widths in whole bytes."""

    def __init__(self, buffer, width, height, format):
        self._buffer = buffer
        self._width = width
        self._height = height
        self._vertical = format == MONO_VLSB

    def fill(self, color):
        """Every pixel."""
        self.fill_rect(0, 0, self._width, self._height, color)

    def pixel(self, x, y, color=None):
        """Set a pixel, or read it; None outside."""
        if not (0 <= x < self._width and 0 <= y < self._height):
            return None
        if self._vertical:
            index, bit = (y >> 3) * self._width + x, 1 << (y & 7)
        else:
            index, bit = (y * self._width + x) >> 3, 0x80 >> (x & 7)
        if color is None:
            return 1 if self._buffer[index] & bit else 0
        if color:
            self._buffer[index] |= bit
        else:
            self._buffer[index] &= ~bit & 0xFF
        return None

    def hline(self, x, y, width, color):
        """A line to the right."""
        self.fill_rect(x, y, width, 1, color)

    def vline(self, x, y, height, color):
        """A line downwards."""
        self.fill_rect(x, y, 1, height, color)

    def rect(self, x, y, width, height, color):
        """A frame of one pixel."""
        self.hline(x, y, width, color)
        self.hline(x, y + height - 1, width, color)
        self.vline(x, y, height, color)
        self.vline(x + width - 1, y, height, color)

    def fill_rect(self, x, y, width, height, color):
        """A filled rectangle."""
        top, bottom = max(y, 0), min(y + height, self._height)
        left, right = max(x, 0), min(x + width, self._width)
        if not self._vertical:
            for row in range(top, bottom):
                for column in range(left, right):
                    self.pixel(column, row, color)
            return
        while top < bottom:
            page = top >> 3
            rows = min(bottom - (page << 3), 8)
            mask = (1 << rows) - (1 << (top & 7))
            for index in range(page * self._width + left, page * self._width + right):
                if color:
                    self._buffer[index] |= mask
                else:
                    self._buffer[index] &= ~mask & 0xFF
            top = (page << 3) + rows

    def text(self, text, x, y, color=1):
        """Letters of 8x8; what has none is drawn as 0x7F, once for each byte of it."""
        for code in text.encode():
            start = (code if FIRST <= code <= LAST else LAST) - FIRST
            for column in BITS[start * LETTER : (start + 1) * LETTER]:
                for row in range(LETTER):
                    if column >> row & 1:
                        self.pixel(x, y + row, color)
                x += 1

    def blit(self, source, x, y, key=-1, palette=None):
        """Copy another frame, but for its pixels of the color `key`; `palette` is a frame whose
        first pixels are what its colors become."""
        colors = [0, 1] if palette is None else [palette.pixel(0, 0), palette.pixel(1, 0)]
        for row in range(max(-y, 0), min(source._height, self._height - y)):
            for column in range(max(-x, 0), min(source._width, self._width - x)):
                color = colors[source.pixel(column, row)]
                if color != key:
                    self.pixel(x + column, y + row, color)


def rows_of(buffer, width, height):
    """A frame of rows of bytes, to copy letters from."""
    return FrameBuffer(buffer, width, height, MONO_HLSB)
