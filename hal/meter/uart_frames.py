"""Frames of one length out of a serial line that also carries rubbish. Allocates nothing."""

RING = 64  # at least the longest frame (25 bytes); a power of two
CHUNK = 32
MOST_CHUNKS = 64  # a reading takes at most 2 kB: a line that never ends must not hold the tick


class FrameReader:
    """Slides over what arrives until a frame is good; a bad one costs one byte, not a frame.

    `frame` is the newest good frame, `heard` the bytes since `start()`.
    """

    def __init__(self, device, length, is_good, mark=-1, place=0):
        """`is_good(frame)` checks a candidate; `mark` is the byte a frame has at `place`."""
        self._device = device
        self._length = length
        self._is_good = is_good
        self._mark = mark
        self._place = place
        self._ring = bytearray(RING)
        self._first = 0
        self._held = 0
        self._chunk = bytearray(CHUNK)
        self._at = 0
        self._count = 0
        self._chunks = 0
        self._candidate = bytearray(length)
        self.frame = bytearray(length)
        self.heard = 0

    def start(self):
        """Begin a reading: what of a frame came in the last one is kept."""
        self.heard = 0
        self._chunks = MOST_CHUNKS

    def clear(self):
        """Forget the part of a frame that is held."""
        self._held = 0
        self._at = 0
        self._count = 0

    def next(self):
        """True: another good frame is in `frame`; False: nothing more has arrived. BusError."""
        while True:
            while self._at < self._count:
                byte = self._chunk[self._at]
                self._at += 1
                if self._push(byte):
                    return True
            if not self._chunks:
                return False
            self._chunks -= 1
            self._at = 0
            self._count = self._device.read_into(self._chunk)
            self.heard += self._count
            if not self._count:
                return False

    def newest(self):
        """Take all that has arrived; True when a good frame is among it, the last in `frame`."""
        found = False
        self.start()
        while self.next():
            found = True
        return found

    def _push(self, byte):
        ring = self._ring
        ring[self._first + self._held & RING - 1] = byte
        self._held += 1
        if self._held < self._length:
            return False
        if self._mark < 0 or ring[self._first + self._place & RING - 1] == self._mark:
            candidate = self._candidate
            for index in range(self._length):
                candidate[index] = ring[self._first + index & RING - 1]
            if self._is_good(candidate):
                self._candidate = self.frame
                self.frame = candidate
                self._held = 0
                return True
        self._first = self._first + 1 & RING - 1
        self._held -= 1
        return False
