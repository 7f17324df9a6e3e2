"""The challenge that makes a command fresh without any clock.

Eight random bytes, new at boot, at each connect and every ten minutes; the present and the
previous one are accepted. `ctr` rises within a challenge and lives in RAM, so a queued,
retained, recorded or late command is dead.
"""

import binascii

LENGTH = 8
PERIOD_MS = 600000


class Challenge:
    """`renew()` when due(); `accepts(ch, ctr)` once a command."""

    def __init__(self, entropy, link_clock):
        self._entropy = entropy
        self._clock = link_clock
        self._bytes = bytearray(LENGTH)
        self.now = ""
        self._before = ""
        self._counter = {}
        self._since = link_clock.ticks_ms()
        self.renew()

    def renew(self):
        """Draw a new challenge; the present one becomes the previous."""
        self._entropy.fill(self._bytes)
        self._before = self.now
        self.now = binascii.hexlify(self._bytes).decode()
        self._counter = {self.now: 0, self._before: self._counter.get(self._before, 0)}
        self._since = self._clock.ticks_ms()

    def due(self):
        """True when ten minutes of wall time are over."""
        return self._clock.elapsed_ms(self._since) >= PERIOD_MS

    def accepts(self, challenge, counter):
        """True for a challenge of ours and a counter above the last used with it."""
        if not challenge or challenge not in (self.now, self._before):
            return False
        if counter <= self._counter.get(challenge, 0):
            return False
        self._counter[challenge] = counter
        return True
