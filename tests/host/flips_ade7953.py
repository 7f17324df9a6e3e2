"""Lines on which bits flip by chance, for the ADE7953; seeded."""

import random

from wattledger.hal.errors import BusError


class Flips:
    """Flips each bit of a byte string with probability `rate`."""

    def __init__(self, rate, seed):
        self.random = random.Random(seed)
        self.rate = rate
        self.flipped = 0
        self._wait = self._next()

    def _next(self):
        return int(self.random.expovariate(self.rate)) if self.rate else 1 << 60

    def apply(self, buffer):
        """Flip in place."""
        bits = 8 * len(buffer)
        while self._wait < bits:
            buffer[self._wait // 8] ^= 0x80 >> self._wait % 8
            self.flipped += 1
            self._wait += 1 + self._next()
        self._wait -= bits


class FlippingSpi:
    """An SPI device with flips both ways."""

    def __init__(self, chip, flips):
        self.chip = chip
        self.flips = flips

    def transfer(self, out, into):
        heard = bytearray(out)
        self.flips.apply(heard)
        self.chip.transfer(heard, into)
        self.flips.apply(into)


class FlippingI2c:
    """An I2C device over the chip's raw face, with flips in address, pointer and data."""

    def __init__(self, chip, flips):
        self.chip = chip
        self.flips = flips

    def read_into(self, register, buffer):
        self._send(bytearray((register >> 8, register & 0xFF)))
        if self._address_hit() or not self.chip.i2c_read(buffer):
            raise BusError("no acknowledge")
        self.flips.apply(buffer)

    def write(self, register, buffer):
        self._send(bytearray((register >> 8, register & 0xFF)) + buffer)

    def _send(self, data):
        if self._address_hit():
            raise BusError("no acknowledge")
        self.flips.apply(data)
        if not self.chip.i2c_write(data):
            raise BusError("no acknowledge")

    def _address_hit(self):
        address = bytearray(1)
        self.flips.apply(address)
        return address[0] != 0
