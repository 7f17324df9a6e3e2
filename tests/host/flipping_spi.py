"""An SPI wire that flips bits both ways, seeded."""

import random


class FlippingSpi:
    """Flips each bit of what goes out and of what comes back with `flips_per_million` 1e-6."""

    def __init__(self, device, seed, flips_per_million):
        self._device = device
        self._random = random.Random(seed)
        self.flips = 0
        self.start(flips_per_million)

    def start(self, flips_per_million):
        """Flip at another rate from now on."""
        self._rate = flips_per_million / 1e6
        self._wait = self._next()

    def _next(self):
        """Bits that pass unharmed before the next flip."""
        return int(self._random.expovariate(self._rate)) if self._rate else 1 << 60

    def _pass(self, data):
        bits = 8 * len(data)
        if self._wait >= bits:
            self._wait -= bits
            return data
        data = bytearray(data)
        at = 0
        while at + self._wait < bits:
            at += self._wait
            data[at >> 3] ^= 0x80 >> (at & 7)
            self.flips += 1
            at += 1
            self._wait = self._next()
        self._wait -= bits - at
        return data

    def transfer(self, out, into):
        answer = bytearray(len(into))
        self._device.transfer(self._pass(out), answer)
        into[:] = self._pass(answer)
