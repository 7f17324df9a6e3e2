"""A stand-in for micropython-lib's `ssd1306`, under that name, with the traffic it makes.

Transfers and their bytes are those of `SSD1306_I2C` (micropython-lib, display/ssd1306): each
command is a message of its own with control byte 0x80, data one with 0x40.
"""

import sys

START = b"\xae\x20\x00\x40\xa1\xa8\x3f\xc8\xd3\x00\xda\x12\xd5\x80\xd9\xf1\xdb\x30\x81\xff\xa4\xa6"
START += b"\xad\x30\x8d\x14\xaf"


class SSD1306_I2C:  # noqa: N801 - the library's name
    def __init__(self, width, height, i2c, addr=0x3C, external_vcc=False):
        self.i2c = i2c
        self.addr = addr
        self.buffer = bytearray(width * height // 8)
        self.init_display()

    def init_display(self):
        for code in START:
            self.write_cmd(code)
        self.show()

    def write_cmd(self, cmd):
        self.i2c.writeto(self.addr, bytes((0x80, cmd)))

    def write_data(self, buf):
        self.i2c.writevto(self.addr, [b"\x40", buf])

    def show(self):
        for code in (0x21, 0, 127, 0x22, 0, 7):
            self.write_cmd(code)
        self.write_data(self.buffer)


sys.modules.setdefault("ssd1306", sys.modules[__name__])
