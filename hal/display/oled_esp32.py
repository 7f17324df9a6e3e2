"""The port of an OLED on an ESP32 through micropython-lib's `ssd1306`, for an SH1106 too.

The library sends whole frames; here it only sets the chip up and carries our pieces.
Sources: micropython-lib `micropython/drivers/display/ssd1306`; Sino Wealth SH1106 v2.3, command 15
(the pump, which is another one).
"""

import ssd1306
from machine import I2C, Pin

from wattledger.hal.errors import BusError

_PAGE_MODE = b"\x20\x02"
_SH1106_PUMP = b"\xad\x8b"


class _Driver(ssd1306.SSD1306_I2C):
    """The library's driver that shows nothing by itself."""

    def show(self):
        """Pieces are sent by hal/display/glass.py."""


class EspPort:
    """An ssd1306 or sh1106 (`chip`) at `address` on I2C host `bus` at `hz`; `buffer` is the
    frame of the library's driver once begin() was called."""

    def __init__(self, chip, bus, address, hz, scl, sda):
        self._chip = chip
        self._address = address
        self._one = bytearray(1)
        try:
            self._port = I2C(bus, scl=Pin(scl), sda=Pin(sda), freq=hz)
        except (OSError, ValueError) as error:
            raise BusError("I2C %d cannot be set up: %s" % (bus, error))
        self._driver = None

    def begin(self):
        try:
            if self._driver is None:
                self._driver = _Driver(128, 64, self._port, self._address)
            else:
                self._driver.init_display()
        except OSError as error:
            raise self._failed(error)
        if self._chip == "sh1106":
            self.command(_SH1106_PUMP)
        self.command(_PAGE_MODE)

    def command(self, codes):
        try:
            for code in codes:
                self._driver.write_cmd(code)
        except OSError as error:
            raise self._failed(error)

    def data(self, buffer):
        try:
            self._driver.write_data(buffer)
        except OSError as error:
            raise self._failed(error)

    def status(self):
        try:
            self._port.readfrom_into(self._address, self._one)
        except OSError as error:
            raise self._failed(error)
        return self._one[0]

    def _failed(self, error):
        return BusError(
            "I2C: no display answers at 0x%02X: check its power, SDA and SCL, and its address (%s)"
            % (self._address, error)
        )
