"""Many selects in one system call: SPI_IOC_MESSAGE(n) of the Linux spidev driver.

The spidev module's `xfer2` and `xfer3` send one transfer a call (its source, 3.6), and an ADC
needs a select for each conversion. So the request is laid out here (struct spi_ioc_transfer of
include/uapi/linux/spi/spidev.h, 32 bytes) and sent through the descriptor that spidev opened and
set up. The interpreter's lock is free while it runs.
"""

import ctypes
import fcntl
import struct

from wattledger.hal.errors import BusError

# tx_buf, rx_buf, len, speed_hz, delay_usecs, bits_per_word, cs_change, tx_nbits, rx_nbits,
# word_delay_usecs, padding
TRANSFER = struct.Struct("=QQIIHBBBBBB")
MOST_FRAMES = 511  # the request's size has 14 bits
_SPI_IOC_MAGIC = ord("k")
_WRITE = 1


def message_request(frames):
    """The ioctl number SPI_IOC_MESSAGE(frames)."""
    return _WRITE << 30 | TRANSFER.size * frames << 16 | _SPI_IOC_MAGIC << 8


class SpiBatch:
    """Sends the same frames each time. `frames` a call may need the kernel's spidev.bufsiz raised:
    a 64-bit kernel rounds each up to 128 bytes of its 4096."""

    def __init__(self, descriptor, out, frame_bytes, speed_hz, delay_us=0):
        """`out` is all frames of a call, `delay_us` the rest after each but the last. BusError."""
        count = len(out) // frame_bytes
        if not 0 < count <= MOST_FRAMES:
            raise BusError("%d frames in one SPI message; 1 to %d" % (count, MOST_FRAMES))
        self._descriptor = descriptor
        self._out = ctypes.create_string_buffer(bytes(out), len(out))
        self._in = bytearray(len(out))
        self._held = (ctypes.c_char * len(out)).from_buffer(self._in)
        out_at = ctypes.addressof(self._out)
        in_at = ctypes.addressof(self._held)
        self._request = bytearray()
        for number in range(count):
            last = number == count - 1
            at = number * frame_bytes
            # cs_change releases the select after a transfer, but after the last one keeps it.
            self._request += TRANSFER.pack(
                *(out_at + at, in_at + at, frame_bytes, speed_hz, 0 if last else delay_us),
                *(8, 0 if last else 1, 0, 0, 0, 0),
            )
        self._number = message_request(count)

    def transfer_into(self, into):
        """Send the frames and fill `into` (as long as they are) with the answers. BusError."""
        try:
            moved = fcntl.ioctl(self._descriptor, self._number, self._request, True)
        except OSError as error:
            raise BusError("SPI message failed: %s" % error)
        if moved != len(self._in):
            raise BusError("SPI message moved %d bytes of %d" % (moved, len(self._in)))
        into[:] = self._in
