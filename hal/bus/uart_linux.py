"""A serial line of Linux (contract Uart) through pyserial; never waits."""

import errno
import os

from wattledger.hal.errors import BusError


class LinuxUart:
    """The line at `place`, such as /dev/serial0, at `baud` bit/s: 8N1, or 8E1 with `even`.

    BusError.
    """

    def __init__(self, place, baud, even=False):
        self.place = place
        try:
            import serial
        except ImportError:
            raise BusError(
                "%s needs the package pyserial: pip install 'wattledger[pi]'" % place
            ) from None
        try:
            # Exclusive: a second reader would take every other byte of an answer.
            self._port = serial.Serial(
                place,
                baud,
                parity=serial.PARITY_EVEN if even else serial.PARITY_NONE,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except serial.SerialException as error:
            raise BusError(_refusal(place, error)) from None
        except (OSError, ValueError) as error:
            raise BusError("%s cannot be set to %d bit/s: %s" % (place, baud, error)) from None

    def write(self, buffer):
        # Not Serial.write, which turns in a loop while the line's buffer is full.
        try:
            sent = os.write(self._port.fileno(), buffer)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._gone(error) from None
        if sent != len(buffer):
            raise BusError(
                "%s took %d of %d bytes: it is jammed" % (self.place, sent, len(buffer))
            )

    def read_into(self, buffer):
        try:
            return self._port.readinto(buffer)
        except OSError as error:  # SerialException is one
            raise self._gone(error) from None

    def _gone(self, error):
        return BusError("%s is gone (unplugged?): %s" % (self.place, error))

    def close(self):
        self._port.close()


def _refusal(place, error):
    if error.errno == errno.ENOENT:
        return (
            "%s is missing: plug the adapter in, or enable the serial port with raspi-config "
            "(login shell off, hardware on) and restart" % place
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            "%s may not be used by this user: sudo usermod -aG dialout USER, then log in again"
            % place
        )
    if error.errno in (errno.EAGAIN, errno.EBUSY):
        return "%s is used by another program, or by the login shell: raspi-config" % place
    return "%s cannot be opened: %s" % (place, error)
