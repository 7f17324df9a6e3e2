"""Wires that fail, between a driver and a device (hal/contract.py). Portable, integers only.

Each takes a device and has its face, so they may be stacked. What flips is a pure function of the
seed and the bits that went by. An I2C address byte is never hit: that is a `Nack`.
"""

from wattledger.hal.errors import BusError
from wattledger.host_sim.noise import noise

_ONE = 1 << 30
_DRAW = 1 << 24
_GAP_BITS = 27  # a gap beyond 2**27 bits has no chance worth a digit even at one in a million


class Flipper:
    """Flips each bit that passes with a chance of `flips_per_million`.

    It draws the distance to the next flip, which is geometric: the bits of such a number are
    independent, and bit i is set with the chance q**(2**i) / (1 + q**(2**i)), q = 1 - chance.
    """

    def __init__(self, seed, flips_per_million):
        self.flips = 0
        self._seed = seed
        self._draws = 0
        self._chances = []
        power = _ONE - _ONE * flips_per_million // 1000000  # q**(2**i) in 1/2**30
        for _ in range(_GAP_BITS):
            self._chances.append(_DRAW * power // (_ONE + power))
            power = power * power // _ONE
        self._never = not flips_per_million
        self._left = self._gap()

    def _gap(self):
        gap = 0
        for index, chance in enumerate(self._chances):
            self._draws += 1
            if noise(self._seed, self._draws) % _DRAW < chance:
                gap |= 1 << index
        return gap

    def flip(self, buffer, count):
        """Pass over the first `count` bytes of a bytearray."""
        bits = count * 8
        if self._never:
            return
        at = self._left
        while at < bits:
            buffer[at >> 3] ^= 1 << (at & 7)
            self.flips += 1
            at += 1 + self._gap()
        self._left = at - bits


class FlippingSpi:
    """Flips bits of both directions; `flips` counts them."""

    def __init__(self, device, seed, flips_per_million):
        self._device = device
        self._flipper = Flipper(seed, flips_per_million)

    @property
    def flips(self):
        return self._flipper.flips

    def transfer(self, out, into):
        out = bytearray(out)
        self._flipper.flip(out, len(out))
        self._device.transfer(out, into)
        self._flipper.flip(into, len(into))


class FlippingI2c:
    """Flips bits of register pointers and of data in both directions."""

    def __init__(self, device, seed, flips_per_million):
        self._device = device
        self._flipper = Flipper(seed, flips_per_million)
        self.register_bytes = device.register_bytes

    @property
    def flips(self):
        return self._flipper.flips

    def read_into(self, register, buffer):
        self._device.read_into(self._pointer(register), buffer)
        self._flipper.flip(buffer, len(buffer))

    def write(self, register, buffer):
        data = bytearray(buffer)
        register = self._pointer(register)
        self._flipper.flip(data, len(data))
        self._device.write(register, data)

    def _pointer(self, register):
        pointer = bytearray(register.to_bytes(self.register_bytes, "big"))
        self._flipper.flip(pointer, len(pointer))
        return int.from_bytes(pointer, "big")


class FlippingUart:
    """Flips bits of both directions."""

    def __init__(self, device, seed, flips_per_million):
        self._device = device
        self._flipper = Flipper(seed, flips_per_million)

    @property
    def flips(self):
        return self._flipper.flips

    def write(self, buffer):
        data = bytearray(buffer)
        self._flipper.flip(data, len(data))
        self._device.write(data)

    def read_into(self, buffer):
        count = self._device.read_into(buffer)
        self._flipper.flip(buffer, count)
        return count


class ShortFrames:
    """An SPI wire that loses the last byte of every `every`-th transfer, in both directions."""

    def __init__(self, device, every):
        self._device = device
        self._every = every
        self._count = 0

    def transfer(self, out, into):
        self._count += 1
        if self._count % self._every:
            self._device.transfer(out, into)
            return
        short = bytearray(len(into) - 1)
        self._device.transfer(bytes(out)[:-1], short)
        into[:] = short + b"\xff"


class Nack:
    """An I2C chip that does not acknowledge every `every`-th message; it hears nothing of it."""

    def __init__(self, device, every):
        self._device = device
        self._every = every
        self._count = 0
        self.register_bytes = device.register_bytes

    def read_into(self, register, buffer):
        self._acknowledge()
        self._device.read_into(register, buffer)

    def write(self, register, buffer):
        self._acknowledge()
        self._device.write(register, buffer)

    def _acknowledge(self):
        self._count += 1
        if self._count % self._every == 0:
            raise BusError("not acknowledged")


class StuckLine:
    """An SPI wire from the chip that is shorted to `level` (0 or 1) while `stuck`.

    The chip hears everything, so what clears when read is cleared.
    """

    def __init__(self, device, level):
        self._device = device
        self._byte = 0xFF if level else 0
        self.stuck = True

    def transfer(self, out, into):
        self._device.transfer(out, into)
        if self.stuck:
            for index in range(len(into)):
                into[index] = self._byte


class Silence:
    """A device that is not there while `silent`, whichever bus it is on."""

    def __init__(self, device):
        self._device = device
        self.silent = True

    def transfer(self, out, into):
        if not self.silent:
            self._device.transfer(out, into)
            return
        for index in range(len(into)):
            into[index] = 0xFF

    def write(self, *message):
        """Of a UART (buffer), or of I2C (register, buffer)."""
        if not self.silent:
            self._device.write(*message)
        elif len(message) == 2:
            raise BusError("not acknowledged")

    def read_into(self, *message):
        """Of a UART (buffer) -> n, or of I2C (register, buffer)."""
        if not self.silent:
            return self._device.read_into(*message)
        if len(message) == 2:
            raise BusError("not acknowledged")
        return 0


class Slow:
    """A UART on which at most `count` bytes arrive between two reads."""

    def __init__(self, device, count):
        self._device = device
        self._piece = bytearray(count)

    def write(self, buffer):
        self._device.write(buffer)

    def read_into(self, buffer):
        piece = self._piece
        if len(buffer) <= len(piece):
            return self._device.read_into(buffer)
        count = self._device.read_into(piece)
        buffer[:count] = piece[:count]
        return count
