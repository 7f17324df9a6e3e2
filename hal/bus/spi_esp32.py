"""An SPI device of the ESP32 (contract SpiDevice) through machine.SPI and a chip select pin."""

from machine import SPI, Pin

from wattledger.hal.errors import BusError


class Esp32Spi:
    """Chip select pin `select` on SPI host `bus` in `mode` 0..3 at `hz`.

    A host has one mode: devices that differ in it need a host each.
    """

    def __init__(self, bus, select, mode, hz, sck, mosi, miso):
        # Inactive before the clock moves.
        self._select = Pin(select, Pin.OUT, value=1)
        try:
            self._port = SPI(
                bus,
                baudrate=hz,
                polarity=mode >> 1,
                phase=mode & 1,
                sck=Pin(sck),
                mosi=Pin(mosi),
                miso=Pin(miso),
            )
        except (OSError, ValueError) as error:
            raise BusError("SPI %d cannot be set up: %s" % (bus, error))

    def transfer(self, out, into):
        if len(out) != len(into):
            raise BusError("SPI: %d bytes out, %d in" % (len(out), len(into)))
        self._select(0)
        try:
            self._port.write_readinto(out, into)
        except OSError as error:
            raise BusError("SPI: the transfer failed: %s" % error)
        finally:
            self._select(1)
