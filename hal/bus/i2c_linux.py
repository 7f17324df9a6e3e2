"""One address on an I2C bus of Linux (contract I2cDevice) through smbus2: `/dev/i2c-<bus>`.

A read is one I2C_RDWR of two messages, so that nothing comes between the register pointer and the
repeated start. Source: kernel docs, i2c/dev-interface.rst.
"""

import errno

from wattledger.hal.errors import BusError

# Which of them a missing acknowledge gives depends on the controller's kernel driver
# (kernel docs, i2c/fault-codes.rst).
_NOT_ACKNOWLEDGED = (errno.ENXIO, errno.EREMOTEIO)


class LinuxI2c:
    """The chip at 7-bit `address` with register pointers of `register_bytes` (1 or 2), the high
    byte first. BusError."""

    def __init__(self, bus, address, register_bytes=1):
        self.place = "/dev/i2c-%d" % bus
        try:
            import smbus2
        except ImportError:
            raise BusError(
                "%s needs the package smbus2: pip install 'wattledger[pi]'" % self.place
            ) from None
        self._message = smbus2.i2c_msg
        self._address = address
        self.register_bytes = register_bytes
        try:
            self._port = smbus2.SMBus(bus)
        except FileNotFoundError:
            raise BusError(
                "%s is missing: enable I2C with raspi-config, or dtparam=i2c_arm=on in "
                "/boot/firmware/config.txt, and restart" % self.place
            ) from None
        except PermissionError:
            raise BusError(
                "%s may not be used by this user: sudo usermod -aG i2c USER, then log in again"
                % self.place
            ) from None
        except OSError as error:
            raise BusError("%s cannot be opened: %s" % (self.place, error)) from None

    def read_into(self, register, buffer):
        answer = self._message.read(self._address, len(buffer))
        pointer = register.to_bytes(self.register_bytes, "big")
        self._exchange(self._message.write(self._address, pointer), answer)
        buffer[:] = bytes(answer)

    def write(self, register, buffer):
        pointer = register.to_bytes(self.register_bytes, "big")
        self._exchange(self._message.write(self._address, pointer + bytes(buffer)))

    def _exchange(self, *messages):
        try:
            self._port.i2c_rdwr(*messages)
        except OSError as error:
            if error.errno in _NOT_ACKNOWLEDGED:
                raise BusError(
                    "%s: no chip answers at 0x%02X: check its power, SDA and SCL, and its address"
                    % (self.place, self._address)
                ) from None
            raise BusError(
                "%s: the transfer with 0x%02X failed: %s" % (self.place, self._address, error)
            ) from None

    def close(self):
        self._port.close()
