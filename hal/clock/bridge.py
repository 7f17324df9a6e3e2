"""The clock of a simulated meter (contract Clock): it moves with the world and never by itself."""

from wattledger.hal.sample import TRUST_UNKNOWN

TICKS_MASK = (1 << 30) - 1
SOURCE = "ntp"


class BridgeClock:
    """Ticks and wall clock start at 0, as after a boot without a battery; `port` offers time."""

    def __init__(self, port):
        self._port = port
        self._ticks = 0
        self._wall_ms = 0
        self._trust = TRUST_UNKNOWN

    def advance(self, ms):
        """`ms` milliseconds have passed in the world."""
        self._ticks = (self._ticks + ms) & TICKS_MASK
        self._wall_ms += ms

    def ticks_ms(self):
        return self._ticks

    def elapsed_ms(self, since):
        return (self._ticks - since) & TICKS_MASK

    def unix_s(self):
        return self._wall_ms // 1000

    def trust(self):
        return self._trust

    def offer(self):
        if not self._port.offer_waits:
            return None
        unix_s = self._port.take_offer()
        return (unix_s, SOURCE) if unix_s else None

    def set(self, unix_s, trust):
        self._wall_ms = unix_s * 1000
        self._trust = trust
