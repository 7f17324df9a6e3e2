"""A clock that moves only when it is told to. Portable."""

TICKS_MASK = 0x3FFFFFFF  # ticks wrap at 2**30
HOUR_MS = 3_600_000
UNKNOWN = 0  # TRUST_UNKNOWN of hal/sample.py


class VirtualClock:
    """The Clock of hal/contract.py in virtual time.

    `start_ms` is the true time in unix ms. The wall clock a meter sees starts at `wall_s`, by
    default at the true time, and is not trusted until it is set. `ticks_start` lets a test begin
    just below the wrap. While `online`, a time source offers the true time at the start and once
    an hour.
    """

    def __init__(self, start_ms, ticks_start=0, wall_s=None):
        self.online = True
        self._ticks = ticks_start & TICKS_MASK
        self._true_ms = start_ms
        self._ahead_ms = 0 if wall_s is None else wall_s * 1000 - start_ms
        self._trust = UNKNOWN
        self._next_fix_ms = start_ms

    def advance(self, ms):
        """Let `ms` milliseconds pass."""
        self._ticks = (self._ticks + ms) & TICKS_MASK
        self._true_ms += ms

    def true_ms(self):
        """The true time in unix ms, whatever the wall clock was set to."""
        return self._true_ms

    def ticks_ms(self):
        """Monotonic milliseconds, wrapping at 2**30."""
        return self._ticks

    def elapsed_ms(self, since):
        """Milliseconds from `since` (a ticks_ms value, at most 2**29 ago) to now."""
        return (self._ticks - since) & TICKS_MASK

    def unix_s(self):
        """The wall clock: UTC seconds since 1970."""
        return (self._true_ms + self._ahead_ms) // 1000

    def trust(self):
        """How far the wall clock is to be trusted: what `set` said, unknown before."""
        return self._trust

    def offer(self):
        """(unix_s, "ntp") once for each fix of the time source, else None."""
        if not self.online or self._true_ms < self._next_fix_ms:
            return None
        self._next_fix_ms = self._true_ms + HOUR_MS
        return (self._true_ms // 1000, "ntp")

    def set(self, unix_s, trust):
        """Set the wall clock; ticks do not move.

        Setting it to the true second takes the true milliseconds as well, so that time does not
        step back by a fraction at each fix.
        """
        if unix_s == self._true_ms // 1000:
            self._ahead_ms = 0
        else:
            self._ahead_ms = unix_s * 1000 - self._true_ms
        self._trust = trust
