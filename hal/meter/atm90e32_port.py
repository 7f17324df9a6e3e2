"""The ATM90E32's frames: one register a select, 32 clocks, most significant bit first.

Source: Atmel-46003B (datasheet), SPI interface. More than one register under one select reads
wrong (ESPHome tried it and took it back).
"""

READ = 0x80
LAST_SPI_DATA = 0x78


class Port:
    """Registers of one chip behind an SPI device; `last` is what its LastSPIData must hold."""

    def __init__(self, spi):
        self._spi = spi
        self._out = bytearray(4)
        self._in = bytearray(4)
        self.last = 0

    def read(self, register):
        """The 16 bits of a register. BusError."""
        out = self._out
        into = self._in
        out[0] = READ | register >> 8
        out[1] = register & 0xFF
        out[2] = 0
        out[3] = 0
        self._spi.transfer(out, into)
        value = into[2] << 8 | into[3]
        if register != LAST_SPI_DATA:
            self.last = value
        return value

    def write(self, register, value):
        """Write 16 bits; nothing says whether they arrived. BusError."""
        out = self._out
        out[0] = register >> 8
        out[1] = register & 0xFF
        out[2] = value >> 8
        out[3] = value & 0xFF
        self._spi.transfer(out, self._in)
        self.last = value
