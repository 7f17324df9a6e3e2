"""Wall time held on ticks, and its keeper with a battery; shared by the clocks of real boards.

`ticks_ms()` wraps at 2**30 (12.4 days): `Wall.now_ms` must be called more often than every six.
"""

from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN

TICKS_MASK = (1 << 30) - 1
RTC_EVERY_MS = 3_600_000
NTP_RECENT_MS = 7_200_000  # while fixes of a server are this fresh, the battery clock is not asked
RTC_RETRY_MS = 60_000


class Wall:
    """Unix time over `ticks_ms`, trust, and offers of `rtc` (hal/clock/ds3231.py, or None)."""

    def __init__(self, ticks_ms, unix_ms, rtc=None):
        self._ticks_ms = ticks_ms
        self._rtc = rtc
        self._last = ticks_ms()
        self._unix_ms = unix_ms
        self._up_ms = 0
        self.trust = TRUST_UNKNOWN
        self._offered = None  # (unix_s, milliseconds past it, up_ms, source)
        self._server_ms = None  # uptime of the last fix of a server
        self._rtc_due_ms = 0
        self.rtc_failures = 0  # sets of the battery clock that were not read back

    def now_ms(self):
        """Unix milliseconds now."""
        ticks = self._ticks_ms()
        passed = (ticks - self._last) & TICKS_MASK
        self._last = ticks
        self._up_ms += passed
        self._unix_ms += passed
        return self._unix_ms

    def up_ms(self):
        """Milliseconds since the start, never wrapping."""
        self.now_ms()
        return self._up_ms

    def offer_server(self, unix_ms):
        """The offer for a server's fix that holds now."""
        self._server_ms = self.up_ms()
        return self._offer(unix_ms, "ntp")

    def offer_rtc(self):
        """The battery clock's offer, at the boot and hourly without a server; else None."""
        now = self.up_ms()
        recent = self._server_ms is not None and now - self._server_ms < NTP_RECENT_MS
        if self._rtc is None or recent or now < self._rtc_due_ms:
            return None
        unix_s = self._rtc.read()
        if unix_s is None:
            self._rtc_due_ms = now + RTC_RETRY_MS
            return None
        self._rtc_due_ms = now + RTC_EVERY_MS
        return self._offer(unix_s * 1000, "rtc")

    def _offer(self, unix_ms, source):
        unix_s, rest = divmod(unix_ms, 1000)
        self._offered = (unix_s, rest, self._up_ms, source)
        return (unix_s, source)

    def set(self, unix_s, trust):
        """Set the time; an offer is taken with its fraction and the time since.

        The battery clock is set along when the time is synced and is not its own.
        """
        self.now_ms()
        offered = self._offered
        source = ""
        unix_ms = unix_s * 1000
        if offered is not None and offered[0] == unix_s:
            unix_ms += offered[1] + self._up_ms - offered[2]
            source = offered[3]
        self._offered = None
        self._unix_ms = unix_ms
        self.trust = trust
        if trust != TRUST_SYNCED or source == "rtc" or self._rtc is None:
            # Setting it from itself would lose the fraction of a second each time.
            return
        if not self._rtc.set((unix_ms + 500) // 1000):
            self.rtc_failures += 1
