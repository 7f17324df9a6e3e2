"""A port of hal/display/glass.py onto a simulated OLED's pins, as those of both computers."""

from wattledger.hal.errors import BusError

# What luma.oled and micropython-lib both set: upright, 64 rows, pump and display on.
START = b"\xae\xa8\x3f\xd3\x00\x40\xa1\xc8\xda\x12\x8d\x14\xa4\xa6\x20\x02\xaf"


class Wired:
    """`oled` is host_sim's; the port counts its transfers."""

    def __init__(self, oled):
        self.oled = oled
        self.sent = []  # lengths of the pieces of picture

    def begin(self):
        self.command(START)

    def command(self, codes):
        self._write(b"\x00" + bytes(codes))

    def data(self, buffer):
        self.sent.append(len(buffer))
        self._write(b"\x40" + bytes(buffer))

    def status(self):
        into = bytearray(1)
        if not self.oled.i2c_read(into):
            raise BusError("no acknowledge")
        return into[0]

    def _write(self, data):
        if not self.oled.i2c_write(data):
            raise BusError("no acknowledge")
