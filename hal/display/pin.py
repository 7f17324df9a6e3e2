"""The PIN of the page: kept as a slow hash, tried at a bounded rate, changed by who knows it.

A meter comes with a PIN on its label, 8 digits of its own; a person may set another. After three
wrong ones the page waits 10 s, doubling to 1 280 s, as token meters do. The count of wrong ones is
stored before anybody is told, and the wait begins again at a boot: a power cut opens no door.

Eight digits are 10^8 to whoever has the flash in hand: the hash keeps a PIN from being read, not
from being searched. What is stored here opens the page and nothing else.
"""

import binascii
import struct

from wattledger.hal.display.same import same

NAME = "pin"
# Version, wrong tries, iterations (0: the label's PIN is in force), salt, digest; then a CRC-32.
LAYOUT = ">BBI16s32s"
VERSION = 1
SALT = 16
# 4.3 us each in MicroPython on the reference machine, 75 to 150 times that on an ESP32: 0.6 to
# 1.3 s. A slice is 8 to 16 ms there.
COUNT = 2000
SLICE = 25
LEAST_DIGITS = 6
MOST_DIGITS = 12
FREE_TRIES = 3
FIRST_WAIT_S = 10
LAST_DOUBLING = 7

RIGHT = "right"
WRONG = "wrong"
LOCKED = "locked"
BUSY = "busy"


def is_pin(text):
    """True for 6 to 12 digits 0 to 9."""
    if not LEAST_DIGITS <= len(text) <= MOST_DIGITS:
        return False
    return all(letter in "0123456789" for letter in text)


class Pin:
    """`label` is the PIN on the label (text, "" for none); `seconds()` only rises; `pause` is
    awaited between two slices of work. Raises the storage's OSError when a change cannot be kept.
    """

    def __init__(self, label, storage, entropy, seconds, pause):
        self._label = label.encode()
        self._storage = storage
        self._entropy = entropy
        self._seconds = seconds
        self._pause = pause
        self._busy = False
        self._wrong = 0
        self._count = 0
        self._salt = self._digest = b""
        self._load()
        self._until = seconds() + self._penalty()

    def _load(self):
        record = bytearray(struct.calcsize(LAYOUT) + 4)
        if self._storage.read_from(NAME, 0, record) != len(record):
            return
        if binascii.crc32(record[:-4]) != struct.unpack(">I", record[-4:])[0]:
            return  # damaged: the label's PIN is in force again
        version, wrong, count, salt, digest = struct.unpack(LAYOUT, record[:-4])
        if version == VERSION:
            self._wrong, self._count = wrong, count
            self._salt, self._digest = salt, digest

    def _store(self):
        record = struct.pack(LAYOUT, VERSION, self._wrong, self._count, self._salt, self._digest)
        self._storage.commit(NAME, record + struct.pack(">I", binascii.crc32(record)))

    def is_set(self):
        """False when nobody can sign in: no PIN on a label, and none of a person."""
        return bool(self._count or self._label)

    def is_labels(self):
        """True while the label's PIN is in force."""
        return not self._count

    def wait_s(self):
        """Seconds until the next PIN may be tried."""
        return max(self._until - self._seconds(), 0)

    def _penalty(self):
        """Seconds to wait after so many wrong ones."""
        if self._wrong < FREE_TRIES:
            return 0
        return FIRST_WAIT_S << min(self._wrong - FREE_TRIES, LAST_DOUBLING)

    async def attempt(self, text):
        """RIGHT, WRONG, LOCKED (see wait_s) or BUSY with another attempt.

        What is_pin() does not take is no try: it tells nothing.
        """
        if not is_pin(text):
            return WRONG
        if self.wait_s():
            return LOCKED
        if self._busy:
            return BUSY
        self._busy = True
        try:
            if self.is_set() and await self._matches(text.encode()):
                self._forgive()
                return RIGHT
            self._wrong = min(self._wrong + 1, 255)
            self._until = self._seconds() + self._penalty()
            self._store()
            return WRONG
        finally:
            self._busy = False

    def _forgive(self):
        if not self._wrong:
            return
        self._wrong = 0
        try:
            self._store()
        except OSError:
            pass  # whoever has the PIN comes in; the next one that is stored tells the rest

    async def _matches(self, pin):
        if not self._count:
            return same(pin, self._label)
        return same(await self._stretched(pin, self._salt, self._count), self._digest)

    async def _stretched(self, pin, salt, count):
        from wattledger.hal.display.stretch import Stretch  # a microcontroller lets go of it again

        stretch = Stretch(pin, salt, count)
        while not stretch.work(SLICE):
            await self._pause()
        return stretch.digest

    async def change(self, text):
        """Set another PIN, which is_pin(); the caller has had the old one."""
        salt = bytearray(SALT)
        self._entropy.fill(salt)
        digest = await self._stretched(text.encode(), bytes(salt), COUNT)
        before = (self._count, self._salt, self._digest)
        self._count, self._salt, self._digest = COUNT, bytes(salt), digest
        try:
            self._store()
        except OSError:
            self._count, self._salt, self._digest = before
            raise

    def reset(self):
        """Back to the label's PIN, for somebody who stands at the meter."""
        self._wrong = self._count = 0
        self._salt = self._digest = b""
        self._until = 0
        self._storage.remove(NAME)
