"""A simulated PCF8574: eight pins on I2C, and what is wired to them. Portable.

`wired` has port(byte), told each byte at the pins; pulled(byte) -> the pins that something holds
low as 0, the rest as 1; and pass_us(us), told the time of each byte on the bus. Source: NXP
PCF8574 rev 5: every byte of a write goes to the pins, a 0 is driven, a 1 is a weak pull-up.
"""

from wattledger.hal.errors import BusError

BITS = 9  # of a byte on the bus, with its acknowledge


class Pcf8574:
    """One chip on a bus at `hz`."""

    def __init__(self, wired, hz=100000):
        self._wired = wired
        self._byte_us = BITS * 1000000 // hz
        self.latch = 0xFF
        self.silent = False  # set: nobody acknowledges
        self.longest = 0  # bytes of the longest message so far

    def i2c_write(self, data):
        """Bytes after the address; False: not acknowledged."""
        if self.silent:
            return False
        self.longest = max(self.longest, len(data))
        for byte in data:
            self._wired.pass_us(self._byte_us)
            self.latch = byte
            self._wired.port(byte)
        return True

    def i2c_read(self, into):
        """The pins, as often as asked. False: not acknowledged."""
        if self.silent:
            return False
        for index in range(len(into)):
            self._wired.pass_us(self._byte_us)
            into[index] = self.latch & self._wired.pulled(self.latch)
        return True

    def read_into(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        if not self.i2c_write(bytes((register,))) or not self.i2c_read(buffer):
            raise BusError("no acknowledge")

    def write(self, register, buffer):
        """The face of hal/contract.py's I2cDevice. BusError when nobody acknowledges."""
        if not self.i2c_write(bytes((register,)) + bytes(buffer)):
            raise BusError("no acknowledge")


class KeyMatrix:
    """A keypad at the pins: rows at 0 to 3, columns at 4 to 7; `down` holds (row, column)."""

    def __init__(self):
        self.down = set()

    def port(self, byte):
        """Keys need no telling."""

    def pass_us(self, us):
        """Nor the time."""

    def pulled(self, byte):
        """Columns held low through pressed keys by rows that are driven low, at any remove."""
        low = {("row", row) for row in range(4) if not byte >> row & 1}
        grown = True
        while grown:
            grown = False
            for row, column in self.down:
                ends = {("row", row), ("column", column)}
                if ends & low and not ends <= low:
                    low |= ends
                    grown = True
        found = 0xFF
        for kind, number in low:
            found &= ~(1 << (number if kind == "row" else 4 + number)) & 0xFF
        return found
