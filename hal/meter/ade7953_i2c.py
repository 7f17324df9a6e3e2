"""The ADE7953 on I2C: address 0x38, a register pointer of 16 bits, at most 400 kHz."""

from wattledger.hal.meter.ade7953_registers import width


class Ade7953I2c:
    """Registers of a chip behind an I2C device with `register_bytes=2`."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._buffers = [bytearray(size) for size in range(1, 5)]

    def read(self, register):
        """The register as an unsigned number. BusError."""
        buffer = self._buffers[width(register) - 1]
        self._i2c.read_into(register, buffer)
        value = 0
        for byte in buffer:
            value = value << 8 | byte
        return value

    def write(self, register, value):
        """Write a register. BusError."""
        size = width(register)
        buffer = self._buffers[size - 1]
        for at in range(size):
            buffer[at] = value >> 8 * (size - 1 - at) & 0xFF
        self._i2c.write(register, buffer)
