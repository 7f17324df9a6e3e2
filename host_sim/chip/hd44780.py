"""A simulated text display of 20x4 (HD44780) at the pins of a PCF8574, half byte by half byte.

`faults` counts what a real one would not have understood: a half byte while it was busy. `lines()`
is what a person sees. Written from Hitachi's HD44780U (ADE-207-272), table 6 and figures 23, 24.
Not modelled: reading back, shifts, the cursor.
"""

RS, RW, ENABLE, LIGHT = 0x01, 0x02, 0x04, 0x08
POWER_UP_US = 40000
FIRST_US, SECOND_US, WRITE_US, CLEAR_US = 4100, 100, 37, 1520
ROWS = (0x00, 0x40, 0x14, 0x54)
COLUMNS = 20


class Hd44780:
    """The pins of the PCF8574 call port(); time passes by pass_us()."""

    def __init__(self):
        self.faults = 0
        self.brown_out()

    def brown_out(self):
        """Supply lost and back: eight bits wide, off, memory unknown."""
        self._now = 0
        self._busy_until = POWER_UP_US
        self._four_bits = False
        self._half = None
        self._wakes = 0
        self._last = 0
        self._address = 0
        self._in_signs = False
        self._memory = bytearray(b"?" * 0x80)
        self.signs = bytearray(64)
        self.on = False
        self.two_lines = False
        self.lit = False

    def pass_us(self, us):
        """Let time pass."""
        self._now += us

    def pulled(self, byte):
        """Nothing drives the pins: R/W is low."""
        return 0xFF

    def slip(self):
        """A disturbance made it see a half byte that nobody sent."""
        self._take(0, 0)

    def port(self, byte):
        """The pins have changed: a falling enable takes what stands there."""
        self.lit = bool(byte & LIGHT)
        falling = self._last & ENABLE and not byte & ENABLE
        self._last = byte
        if falling and not byte & RW:
            self._take(byte >> 4, byte & RS)

    def _take(self, half, letter):
        if self._now < self._busy_until and self._half is None:
            self.faults += 1
            return
        if not self._four_bits:
            self._instruct(half << 4)
            return
        if self._half is None:
            self._half = (half, letter)
            return
        (high, letter), self._half = self._half, None
        byte = high << 4 | half
        if letter:
            self._busy(WRITE_US)
            self._store(byte)
        else:
            self._instruct(byte)

    def _store(self, byte):
        if self._in_signs:
            self.signs[self._address & 63] = byte
            self._address = self._address + 1 & 63
        else:
            self._memory[self._address & 0x7F] = byte
            self._address = self._address + 1 & 0x7F

    def _instruct(self, code):
        time = WRITE_US
        if code >= 0x80:
            self._in_signs, self._address = False, code & 0x7F
        elif code >= 0x40:
            self._in_signs, self._address = True, code & 0x3F
        elif code >= 0x20:
            if code & 0x10:
                self._wakes += 1
                time = FIRST_US if self._wakes == 1 else SECOND_US
            self._four_bits = not code & 0x10
            self.two_lines = bool(code & 0x08)
            self._half = None
        elif code >= 0x08:
            if code < 0x10:
                self.on = bool(code & 0x04)
        elif code == 1:
            self._memory = bytearray(b" " * 0x80)
            self._in_signs, self._address = False, 0
            time = CLEAR_US
        self._busy(time)

    def _busy(self, us):
        self._busy_until = self._now + us

    def lines(self):
        """Four texts of twenty letters; own signs are the letters 0 to 7. Dark: spaces."""
        if not self.on or not self.lit or not self.two_lines:
            return (" " * COLUMNS,) * 4
        return tuple(
            ["".join([chr(self._memory[row + at]) for at in range(COLUMNS)]) for row in ROWS]
        )
