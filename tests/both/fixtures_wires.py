"""Chips that stand for no particular one, to try buses with. Portable."""

from wattledger.hal.errors import BusError


class Cells:
    """Bytes on I2C, 0 at first, behind a pointer of `register_bytes` that moves on by itself."""

    def __init__(self, register_bytes=2):
        self.register_bytes = register_bytes
        self._cells = {}
        self._pointer = 0
        self.silent = False  # set: nothing is acknowledged

    def i2c_write(self, data):
        if self.silent:
            return False
        count = self.register_bytes
        pointer = 0
        for index in range(count):
            pointer = pointer << 8 | data[index]
        for index in range(count, len(data)):
            self._cells[pointer] = data[index]
            pointer = (pointer + 1) & 0xFFFF
        self._pointer = pointer
        return True

    def i2c_read(self, into):
        if self.silent:
            return False
        for index in range(len(into)):
            into[index] = self.peek(self._pointer)
            self._pointer = (self._pointer + 1) & 0xFFFF
        return True

    def read_into(self, register, buffer):
        pointer = register.to_bytes(self.register_bytes, "big")
        if not (self.i2c_write(pointer) and self.i2c_read(buffer)):
            raise BusError("not acknowledged")

    def write(self, register, buffer):
        if not self.i2c_write(register.to_bytes(self.register_bytes, "big") + bytes(buffer)):
            raise BusError("not acknowledged")

    def peek(self, address):
        return self._cells.get(address, 0)

    def poke(self, address, value):
        self._cells[address] = value


class Mirror:
    """An SPI chip that answers each byte's complement and remembers its frames' lengths."""

    def __init__(self):
        self._frames = []
        self._last = b""

    def transfer(self, out, into):
        for index in range(len(into)):
            into[index] = out[index] ^ 0xFF
        if len(self._frames) < 16:
            self._frames.append(len(out))
            self._last = bytes(out)

    def frames(self):
        """Bytes in each of the first 16 selects."""
        return self._frames

    def last(self):
        """Hexadecimal of the last of them."""
        return "".join("%02x" % byte for byte in self._last)


class Talker:
    """A UART chip that says what the test puts into `says` and keeps what it `heard`."""

    def __init__(self):
        self.says = b""
        self.heard = b""

    def write(self, buffer):
        self.heard += bytes(buffer)

    def read_into(self, buffer):
        count = min(len(buffer), len(self.says))
        for index in range(count):
            buffer[index] = self.says[index]
        if count:
            self.says = self.says[count:]
        return count
