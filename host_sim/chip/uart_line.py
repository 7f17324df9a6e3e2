"""The serial line from a simulated chip to its host: time, a receiver's buffer, and its faults.

Portable, integers only. With `baud` 0 bytes arrive at once; then neither side allocates, so a
driver's reading can be proven under a locked heap.
"""

RECEIVER = 1024  # bytes a host's UART keeps; what comes after is lost, as on an ESP32


class UartLine:
    """`bits` of a character with start, parity and stop: 10 for 8N1, 11 for 8E1."""

    def __init__(self, baud=0, bits=10):
        self._baud = baud
        self._bits = bits
        self._bytes = bytearray(RECEIVER)
        self._first = 0
        self._sent = 0  # bytes that the host has not taken
        self._arrived = 0  # those of them that are through the wire
        self._credit = 0  # ms x baud towards the next byte
        self.silent = False
        self.stuck = -1  # a byte that is all the host hears, without end
        self.lost = 0  # bytes that found the receiver full
        self.disturb = None  # a function of each byte sent, for noise
        self._flip = 0
        self._flip_at = 0
        self._length = -1

    # The chip's side.

    def send(self, frame, length):
        """Begin to send the first `length` bytes of `frame`."""
        if self.silent:
            return
        if self._length >= 0:
            length = min(length, self._length)
            self._length = -1
        for index in range(length):
            byte = frame[index]
            if self._flip and index == self._flip_at:
                byte ^= self._flip
                self._flip = 0
            self.put(byte)

    def put(self, byte):
        """One byte onto the wire, rubbish included."""
        if self.disturb:
            byte = self.disturb(byte)
        if self._sent == RECEIVER:
            self.lost += 1
            return
        self._bytes[self._first + self._sent & RECEIVER - 1] = byte
        self._sent += 1
        if not self._baud:
            self._arrived = self._sent

    def feed(self, ms):
        """Let `ms` milliseconds pass on the wire."""
        if not self._baud or self._arrived == self._sent:
            self._credit = 0
            return
        character = self._bits * 1000
        self._credit += ms * self._baud
        count = min(self._credit // character, self._sent - self._arrived)
        self._arrived += count
        self._credit -= count * character

    # The host's side.

    def read_into(self, buffer):
        """Bytes that have arrived, at most len(buffer); how many."""
        if self.stuck >= 0:
            for index in range(len(buffer)):
                buffer[index] = self.stuck
            return len(buffer)
        if self.silent:
            return 0
        count = min(len(buffer), self._arrived)
        for index in range(count):
            buffer[index] = self._bytes[self._first + index & RECEIVER - 1]
        self._first = self._first + count & RECEIVER - 1
        self._sent -= count
        self._arrived -= count
        return count

    def is_empty(self):
        """True when the host has taken all that was sent."""
        return not self._sent

    # Faults.

    def corrupt_next(self, mask, at=0):
        """Flip the bits of `mask` in byte `at` of the next frame."""
        self._flip = mask
        self._flip_at = at

    def truncate_next(self, length):
        """The next frame ends after `length` bytes."""
        self._length = length
