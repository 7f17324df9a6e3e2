"""One address on an I2C bus of the ESP32 (contract I2cDevice) through machine.I2C."""

from machine import I2C, Pin

from wattledger.hal.errors import BusError

_TIMEOUT_US = 50000  # how long a chip may stretch the clock


class Esp32I2c:
    """The chip at 7-bit `address` on I2C host `bus` at `hz`, with register pointers of
    `register_bytes` (1 or 2), the high byte first."""

    def __init__(self, bus, address, register_bytes, hz, scl, sda):
        self._address = address
        self.register_bytes = register_bytes
        self._pointer_bits = register_bytes * 8
        try:
            self._port = I2C(bus, scl=Pin(scl), sda=Pin(sda), freq=hz, timeout=_TIMEOUT_US)
        except (OSError, ValueError) as error:
            raise BusError("I2C %d cannot be set up: %s" % (bus, error))

    def read_into(self, register, buffer):
        try:
            self._port.readfrom_mem_into(
                self._address, register, buffer, addrsize=self._pointer_bits
            )
        except OSError as error:
            raise self._failed(error)

    def write(self, register, buffer):
        try:
            self._port.writeto_mem(self._address, register, buffer, addrsize=self._pointer_bits)
        except OSError as error:
            raise self._failed(error)

    def _failed(self, error):
        return BusError(
            "I2C: no chip answers at 0x%02X: check its power, SDA and SCL, and its address (%s)"
            % (self._address, error)
        )
