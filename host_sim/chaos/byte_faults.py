"""What a bad network does to bytes: latency, rate, stalls, loss, splitting, flipped bits."""


class ByteFaults:
    """Numbers that are zero on a good network; a connection reads them at each piece of data."""

    def __init__(self, random):
        self.random = random
        self.heal()

    def heal(self):
        """A good network from now on."""
        self.latency_s = 0  # added to each piece
        self.rate = 0  # bytes a second; 0: without limit
        self.stall_share = 0  # of the pieces that wait `stall_s` more
        self.stall_s = 0
        self.loss = 0  # share of the pieces that vanish while the connection stays
        self.split = 0  # bytes of the largest piece; 0: as they come
        self.flips = 0  # share of the bytes in which one bit is flipped

    def pieces(self, data):
        """The pieces (bytes) that are sent for `data`, each in a write of its own."""
        if self.loss and self.random.random() < self.loss:
            return []
        if self.flips:
            data = self._flip(data)
        if not self.split:
            return [data]
        return [data[at : at + self.split] for at in range(0, len(data), self.split)]

    def delay_s(self, size):
        """How long a piece of `size` bytes occupies the line (rate), and stalls it."""
        seconds = size / self.rate if self.rate else 0
        if self.stall_share and self.random.random() < self.stall_share:
            seconds += self.stall_s
        return seconds

    def _flip(self, data):
        bent = bytearray(data)
        for at in range(len(bent)):
            if self.random.random() < self.flips:
                bent[at] ^= 1 << self.random.randrange(8)
        return bytes(bent)
