"""An SPI device of Linux (contract SpiDevice) through spidev: `/dev/spidev<bus>.<select>`.

The kernel holds chip select for one transfer. Source: kernel docs, spi/spidev.rst.
"""

import fcntl
import struct

from wattledger.hal.errors import BusError

# linux/spi/spidev.h: what the kernel holds, not what the package remembers.
_READ_MODE = 0x80016B01
_READ_BITS = 0x80016B03
_READ_SPEED = 0x80046B04
_BITS = 8


class LinuxSpi:
    """Chip select `select` of SPI bus `bus` in `mode` 0..3 at up to `hz`. BusError."""

    def __init__(self, bus, select, mode, hz):
        self.place = "/dev/spidev%d.%d" % (bus, select)
        try:
            import spidev
        except ImportError:
            raise BusError(
                "%s needs the package spidev: pip install 'wattledger[pi]'" % self.place
            ) from None
        self._port = spidev.SpiDev()
        try:
            self._port.open(bus, select)
        except FileNotFoundError:
            raise BusError(
                "%s is missing: enable SPI with raspi-config, or dtparam=spi=on in "
                "/boot/firmware/config.txt, and restart" % self.place
            ) from None
        except PermissionError:
            raise BusError(
                "%s may not be used by this user: sudo usermod -aG spi USER, then log in again"
                % self.place
            ) from None
        except OSError as error:
            raise BusError("%s cannot be opened: %s" % (self.place, error)) from None
        try:
            self._set_up(mode, hz)
        except BaseException:
            self._port.close()
            raise

    def _set_up(self, mode, hz):
        try:
            self._port.mode = mode
            self._port.bits_per_word = _BITS
            self._port.max_speed_hz = hz
            found = self._settings()
        except OSError as error:
            raise BusError(
                "%s refuses mode %d, 8 bits, %d Hz: %s" % (self.place, mode, hz, error)
            ) from None
        if found != (mode, _BITS, hz):
            raise BusError(
                "%s holds mode %d, %d bits, %d Hz; mode %d, 8 bits, %d Hz were set"
                % (self.place, *found, mode, hz)
            )

    def _settings(self):
        """(mode, bits, Hz) as the kernel has them; of the mode only clock phase and polarity."""
        values = []
        for request, layout in ((_READ_MODE, "B"), (_READ_BITS, "B"), (_READ_SPEED, "=I")):
            answer = bytearray(struct.calcsize(layout))
            fcntl.ioctl(self._port.fileno(), request, answer)
            values.append(struct.unpack(layout, answer)[0])
        return values[0] & 3, values[1], values[2]

    def transfer(self, out, into):
        if len(out) != len(into):
            raise BusError("%s: %d bytes out, %d in" % (self.place, len(out), len(into)))
        try:
            into[:] = bytes(self._port.xfer2(out))
        except OSError as error:
            raise BusError("%s: the transfer failed: %s" % (self.place, error)) from None

    def fileno(self):
        """The open device, for spi_batch_linux.py."""
        return self._port.fileno()

    def close(self):
        self._port.close()
