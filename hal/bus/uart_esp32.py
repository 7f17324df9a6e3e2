"""A serial line of the ESP32 (contract Uart) through machine.UART; never waits."""

from machine import UART, Pin

from wattledger.hal.errors import BusError

_BUFFER = 256  # bytes; the longest frame of our chips has 40 and a tick comes every second
_EVEN = 0  # machine.UART's word for even parity


class Esp32Uart:
    """UART `bus` at `baud` bit/s: 8N1, or 8E1 with `even`."""

    def __init__(self, bus, baud, tx, rx, even=False):
        try:
            self._port = UART(
                bus,
                baudrate=baud,
                bits=8,
                parity=_EVEN if even else None,
                stop=1,
                tx=Pin(tx),
                rx=Pin(rx),
                timeout=0,
                timeout_char=0,
                txbuf=_BUFFER,
                rxbuf=_BUFFER,
            )
        except (OSError, ValueError) as error:
            raise BusError("UART %d cannot be set up: %s" % (bus, error))

    def write(self, buffer):
        # None: nothing fits.
        sent = self._port.write(buffer) or 0
        if sent != len(buffer):
            raise BusError("UART took %d of %d bytes: it is jammed" % (sent, len(buffer)))

    def read_into(self, buffer):
        # None: nothing has arrived.
        return self._port.readinto(buffer) or 0
