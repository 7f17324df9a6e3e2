"""A simulated OLED behind its I2C pins: SSD1306, or SH1106, on a glass of 128x64. Portable.

`i2c_write` and `i2c_read` take the bytes after the address; `frame()` is what a person sees.
Written from the datasheets: Solomon SSD1306 rev 1.1, 8.1.5 and 9 (commands), Sino Wealth SH1106
v2.3. Not modelled: contrast, timing, fades and scrolling, other multiplex ratios than 64.
"""

WIDTH, PAGES = 128, 8
# Commands with as many parameters, of both chips; the rest has none.
PARAMETERS = {0x81: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1, 0xAD: 1}
OF_SSD1306 = {0x20: 1, 0x21: 2, 0x22: 2, 0x8D: 1}
HORIZONTAL, VERTICAL, PAGE_MODE = 0, 1, 2


class Oled:
    """`chip` is "ssd1306" (memory of 128 columns) or "sh1106" (132, the glass on 2 to 129)."""

    def __init__(self, chip):
        self.chip = chip
        self._columns = WIDTH if chip == "ssd1306" else 132
        self._first = 0 if chip == "ssd1306" else 2
        self._parameters = dict(PARAMETERS)
        if chip == "ssd1306":
            self._parameters.update(OF_SSD1306)
        self.silent = False  # set: nobody acknowledges
        self.longest = 0  # bytes of the longest message so far
        self.bytes = 0  # of all messages
        self.brown_out()

    def brown_out(self):
        """Supply lost and back: every register has its default, the memory is noise."""
        self.ram = bytearray([index * 37 & 0xFF for index in range(self._columns * PAGES)])
        self._page = self._column = 0
        self._mode = PAGE_MODE
        self._column_range = (0, self._columns - 1)
        self._page_range = (0, PAGES - 1)
        self._waiting = []  # a command and its parameters so far
        self.on = False
        self.pumped = self.chip == "sh1106"  # its converter follows the display from the start
        self._mirrored = False  # the left of the memory on the left of the glass
        self._from_top = False
        self._inverse = False
        self._all_on = False
        self._start_line = 0
        self._shift = 0

    def i2c_write(self, data):
        """Control bytes and what they announce; False: not acknowledged."""
        if self.silent:
            return False
        self.longest = max(self.longest, len(data))
        self.bytes += len(data)
        at = 0
        while at < len(data):
            control = data[at]
            at += 1
            last = not control & 0x80  # Co = 0: all that follows is of this kind
            while at < len(data):
                if control & 0x40:
                    self._take_data(data[at])
                else:
                    self._take_command(data[at])
                at += 1
                if not last:
                    break
        return True

    def i2c_read(self, into):
        """The status: bit 6 is set while the display is off. False: not acknowledged."""
        if self.silent:
            return False
        for index in range(len(into)):
            into[index] = 0x03 if self.on else 0x43
        return True

    def _take_data(self, byte):
        self.ram[self._page * self._columns + self._column] = byte
        if self.chip == "sh1106":
            self._column = min(self._column + 1, self._columns - 1)  # stays at the end
        elif self._mode == PAGE_MODE:
            self._column = (self._column + 1) % self._columns
        elif self._mode == HORIZONTAL:
            self._column, carried = _next(self._column, self._column_range)
            if carried:
                self._page = _next(self._page, self._page_range)[0]
        else:
            self._page, carried = _next(self._page, self._page_range)
            if carried:
                self._column = _next(self._column, self._column_range)[0]

    def _take_command(self, byte):
        waiting = self._waiting
        waiting.append(byte)
        if len(waiting) <= self._parameters.get(waiting[0], 0):
            return
        self._waiting = []
        code = waiting[0]
        paged = self.chip == "sh1106" or self._mode == PAGE_MODE
        if not paged and (code <= 0x1F or 0xB0 <= code <= 0xB7):
            return  # commands of page addressing, and another mode is set
        if code <= 0x0F:
            self._column = min(self._column & 0xF0 | code, self._columns - 1)
        elif code <= 0x1F:
            self._column = min(self._column & 0x0F | (code & 0x0F) << 4, self._columns - 1)
        elif code == 0x20 and len(waiting) == 2:
            self._mode = min(waiting[1] & 3, PAGE_MODE)
        elif code == 0x21 and len(waiting) == 3:
            self._column_range = (waiting[1], waiting[2])
            self._column = waiting[1]
        elif code == 0x22 and len(waiting) == 3:
            self._page_range = (waiting[1], waiting[2])
            self._page = waiting[1]
        elif 0x40 <= code <= 0x7F:
            self._start_line = code & 0x3F
        elif code == 0x8D and len(waiting) == 2:
            self.pumped = bool(waiting[1] & 4)
        elif code == 0xAD and self.chip == "sh1106":
            self.pumped = bool(waiting[1] & 1)
        elif code in (0xA0, 0xA1):
            self._mirrored = code == 0xA0
        elif code in (0xA4, 0xA5):
            self._all_on = code == 0xA5
        elif code in (0xA6, 0xA7):
            self._inverse = code == 0xA7
        elif code in (0xAE, 0xAF):
            self.on = code == 0xAF
        elif 0xB0 <= code <= 0xB7:
            self._page = code & 7
        elif 0xC0 <= code <= 0xCF:
            self._from_top = bool(code & 8)
        elif code == 0xD3:
            self._shift = waiting[1] & 0x3F

    def frame(self):
        """1024 bytes of what is lit (8 pixels one below the other, the lowest bit on top), on a
        module mounted as they are sold: upright with remapped columns and rows."""
        found = bytearray(WIDTH * PAGES)
        if not self.on or not self.pumped:
            return found
        for y in range(8 * PAGES):
            row = y if self._from_top else 8 * PAGES - 1 - y
            row = (row + self._start_line + self._shift) % (8 * PAGES)
            for x in range(WIDTH):
                column = self._first + (WIDTH - 1 - x if self._mirrored else x)
                lit = self.ram[(row >> 3) * self._columns + column] >> (row & 7) & 1
                if self._all_on or lit != self._inverse:
                    found[(y >> 3) * WIDTH + x] |= 1 << (y & 7)
        return found


def _next(value, span):
    """The next one in a span, and whether it began anew."""
    return (span[0], True) if value >= span[1] else (value + 1, False)
