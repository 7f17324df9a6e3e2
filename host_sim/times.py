"""A source of the time of day, such as an NTP server, that can fall silent or be wrong."""

SECOND_MS = 1000
PERIOD_MS = 3_600_000


class TimeSource:
    """Offers the time at the start and then once an hour.

    `online`: it answers at all. `offset_s`: seconds it is ahead of the true time.
    """

    def __init__(self):
        self.online = True
        self.offset_s = 0
        self._due_ms = None  # None: at once

    def waits(self, now_ms):
        """True when `offer` has a fix to give at this true time (unix ms)."""
        return self.online and (self._due_ms is None or now_ms >= self._due_ms)

    def offer(self, now_ms):
        """The time in unix s, once for each fix, or None; `now_ms` is the true time."""
        if not self.waits(now_ms):
            return None
        self._due_ms = now_ms + PERIOD_MS
        return now_ms // SECOND_MS + self.offset_s

    def ask(self):
        """The meter asks anew, as it does when it boots or its network returns."""
        self._due_ms = None
