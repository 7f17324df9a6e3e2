"""The ADE7953 on SPI: address high, low, 0x80 to read or 0x00 to write, data; most significant
byte first.

Mode 3, at most 5 MHz (datasheet Rev. B, SPI interface: shifted out on the falling edge, taken on
the rising one, clock idle high).
"""

from wattledger.hal.meter.ade7953_registers import width

READ = 0x80


class Ade7953Spi:
    """Registers of a chip behind an SPI device."""

    def __init__(self, spi):
        self._spi = spi
        # A frame of each width, made once: a tick allocates nothing.
        self._out = [bytearray(3 + size) for size in range(1, 5)]
        self._in = [bytearray(3 + size) for size in range(1, 5)]

    def read(self, register):
        """The register as an unsigned number. BusError."""
        size = width(register)
        out = self._out[size - 1]
        into = self._in[size - 1]
        out[0] = register >> 8
        out[1] = register & 0xFF
        out[2] = READ
        at = 3
        while at < 3 + size:
            out[at] = 0
            at += 1
        self._spi.transfer(out, into)
        value = 0
        at = 3
        while at < 3 + size:
            value = value << 8 | into[at]
            at += 1
        return value

    def write(self, register, value):
        """Write a register. BusError."""
        size = width(register)
        out = self._out[size - 1]
        out[0] = register >> 8
        out[1] = register & 0xFF
        out[2] = 0
        for at in range(size):
            out[3 + at] = value >> 8 * (size - 1 - at) & 0xFF
        self._spi.transfer(out, self._in[size - 1])
