"""The clock of a Raspberry Pi (contract Clock): monotonic ticks, the DS3231, the system's NTP.

The wall clock is held on the ticks, so that a step of the system's clock reaches the meter as an
offer to judge and not as a surprise. The system's own time service asks the servers.
"""

import time

from wattledger.hal.clock.kernel_time_linux import maximum_error_us
from wattledger.hal.clock.wall import TICKS_MASK, Wall

ASK_EVERY_MS = 16_000
OFFER_EVERY_MS = 3_600_000


def _monotonic_ms():
    return time.monotonic_ns() // 1_000_000


def _system_ms():
    return time.time_ns() // 1_000_000


class PiClock:
    """`rtc` is a Ds3231 or None; the other arguments are the system's clocks."""

    def __init__(
        self, rtc=None, error_us=maximum_error_us, monotonic_ms=_monotonic_ms, unix_ms=_system_ms
    ):
        self._error_us = error_us
        self._monotonic_ms = monotonic_ms
        self._system_ms = unix_ms
        self.wall = Wall(self.ticks_ms, unix_ms(), rtc)
        self._ask_ms = 0
        self._offer_ms = 0
        self._last_error_us = None

    def ticks_ms(self):
        return self._monotonic_ms() & TICKS_MASK

    def elapsed_ms(self, since):
        return (self.ticks_ms() - since) & TICKS_MASK

    def unix_s(self):
        return self.wall.now_ms() // 1000

    def trust(self):
        return self.wall.trust

    def offer(self):
        # The battery clock speaks first: it may be the second opinion a far step needs.
        return self.wall.offer_rtc() or self._offer_server()

    def _offer_server(self):
        """A new fix: the kernel's error bound only falls when a server was heard."""
        now = self.wall.up_ms()
        if now < self._ask_ms or now < self._offer_ms:
            return None
        self._ask_ms = now + ASK_EVERY_MS
        error = self._error_us()
        last = self._last_error_us
        self._last_error_us = error
        if error is None or (last is not None and error >= last):
            return None
        self._offer_ms = now + OFFER_EVERY_MS
        return self.wall.offer_server(self._system_ms())

    def set(self, unix_s, trust):
        self.wall.set(unix_s, trust)
