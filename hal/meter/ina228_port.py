"""Registers of an INA228 through an I2C device, most significant byte first. Allocates nothing."""

from wattledger.hal.errors import BusError

CONFIRMATIONS = 4


class Port:
    """Reads and writes of one chip on the I2C device `i2c`; each may raise BusError."""

    def __init__(self, i2c):
        self.i2c = i2c
        self._word = bytearray(2)
        self._three = bytearray(3)
        self._five = bytearray(5)
        self._again = bytearray(5)

    def read_24(self, register):
        """24 bits, unsigned."""
        three = self._three
        self.i2c.read_into(register, three)
        return three[0] << 16 | three[1] << 8 | three[2]

    def settled_five(self, register):
        """An accumulator once it reads the same twice running; it moves every 202 ms only."""
        value = self._five
        before = self._again
        self.i2c.read_into(register, value)
        for _ in range(CONFIRMATIONS):
            value, before = before, value
            self.i2c.read_into(register, value)
            if value == before:
                return value
        raise BusError("accumulator 0x%02X does not settle" % register)

    def settled_word(self, register):
        """A 16-bit register once it reads the same twice running."""
        value = self.read_word(register)
        for _ in range(CONFIRMATIONS):
            before = value
            value = self.read_word(register)
            if value == before:
                return value
        raise BusError("register 0x%02X does not settle" % register)

    def read_20(self, register):
        """The upper 20 of 24 bits, unsigned."""
        return self.read_24(register) >> 4

    def read_word(self, register):
        """16 bits, unsigned."""
        self.i2c.read_into(register, self._word)
        return self._word[0] << 8 | self._word[1]

    def write(self, register, value):
        """Write 16 bits."""
        self._word[0] = value >> 8
        self._word[1] = value & 0xFF
        self.i2c.write(register, self._word)
