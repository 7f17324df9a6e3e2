"""The clock of a POSIX host (contract Clock): monotonic ticks, and the system's wall clock.

The system keeps its own clock with NTP, so setting it here only moves an offset of ours.
"""

import time

from wattledger.hal.sample import TRUST_UNKNOWN

TICKS_MASK = (1 << 30) - 1


class HostClock:
    """As `link_clock` it gives wall time to challenges, publishing and button holds."""

    def __init__(self):
        self._ahead_s = 0
        self._trust = TRUST_UNKNOWN

    def ticks_ms(self):
        return time.monotonic_ns() // 1000000 & TICKS_MASK

    def elapsed_ms(self, since):
        return (self.ticks_ms() - since) & TICKS_MASK

    def unix_s(self):
        return int(time.time()) + self._ahead_s

    def trust(self):
        return self._trust

    def offer(self):
        return None

    def set(self, unix_s, trust):
        self._ahead_s = unix_s - int(time.time())
        self._trust = trust
