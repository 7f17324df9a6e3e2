"""The port of an OLED on a Raspberry Pi: luma.oled sets the chip up, our frame goes past Pillow.

Source: luma.core 2.6 `interface.serial.i2c`: with a bus handed in, it sends at most 32 bytes a
transfer, so that a metering chip on the same bus never waits long.
"""

from wattledger.hal.errors import BusError


class LumaPort:
    """An ssd1306 or sh1106 (`chip`) at `address` on `/dev/i2c-<bus>`. BusError when there is none.

    `smbus` is an open bus with smbus2's methods, None: that of this computer.
    """

    def __init__(self, chip, bus, address, smbus=None):
        self.place = "/dev/i2c-%d" % bus
        try:
            from luma.core.interface.serial import i2c
            from luma.oled import device
        except ImportError:
            raise BusError(
                "the display needs the package luma.oled: pip install 'wattledger[display]'"
            ) from None
        self._bus = smbus if smbus is not None else _open(bus, self.place)
        self._address = address
        self._make = getattr(device, chip)
        self._serial = i2c(bus=self._bus, address=address)
        self._device = None

    def begin(self):
        try:
            self._device = self._make(self._serial)
            self._device.persist = True  # luma would blank it at the end, perhaps without a bus
        except Exception as error:  # luma has errors of its own beside OSError
            raise self._failed(error) from None
        self.command(b"\x20\x02")  # page addressing, which an SH1106 has anyway

    def command(self, codes):
        try:
            self._device.command(*codes)
        except Exception as error:
            raise self._failed(error) from None

    def data(self, buffer):
        try:
            self._device.data(list(buffer))
        except Exception as error:
            raise self._failed(error) from None

    def status(self):
        try:
            return self._bus.read_byte(self._address)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error):
        return BusError(
            "%s: no display answers at 0x%02X: check its power, SDA and SCL, and its address (%s)"
            % (self.place, self._address, error)
        )

    def close(self):
        """Give the bus back; the glass keeps its picture."""
        self._bus.close()


def _open(bus, place):
    try:
        import smbus2

        return smbus2.SMBus(bus)
    except ImportError:
        raise BusError("%s needs the package smbus2" % place) from None
    except OSError as error:
        raise BusError("%s cannot be opened: %s" % (place, error)) from None
