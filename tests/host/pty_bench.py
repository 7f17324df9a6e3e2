"""A serial line as Linux has it, without a wire: a pseudo-terminal with a chip at its far end."""

import fcntl
import os
import select
import sys
import termios
import time

FRAME = 256  # bytes moved at once


class Pty:
    """`name` is the meter's end; `chip` the descriptor of the other."""

    def __init__(self):
        self.chip, self.meter = os.openpty()
        self.name = os.ttyname(self.meter)

    def unplug(self):
        os.close(self.meter)
        os.close(self.chip)

    def heard(self, count):
        """Up to `count` bytes that the meter wrote, waiting at most a second for each piece."""
        got = b""
        while len(got) < count and select.select([self.chip], [], [], 1)[0]:
            got += os.read(self.chip, count - len(got))
        return got

    def say(self, data):
        """Bytes from the chip, arrived at the meter's end when this returns."""
        wanted = self._waiting() + len(data)
        os.write(self.chip, data)
        tries = 1000
        while self._waiting() < wanted and tries:
            time.sleep(0.001)
            tries -= 1

    def _waiting(self):
        count = bytearray(4)
        fcntl.ioctl(self.meter, termios.FIONREAD, count)
        return int.from_bytes(count, sys.byteorder)

    def carry(self, chip, arrives=True):
        """Hand what the meter wrote to a simulated UART chip, and bring what that says.

        `arrives`: wait until it is there. Not where someone reads at the same time: what is taken
        while this waits would be waited for in vain.
        """
        while select.select([self.chip], [], [], 0)[0]:
            chip.write(os.read(self.chip, FRAME))
        piece = bytearray(FRAME)
        count = chip.read_into(piece)
        while count:
            if arrives:
                self.say(piece[:count])
            else:
                os.write(self.chip, piece[:count])
            count = chip.read_into(piece)
