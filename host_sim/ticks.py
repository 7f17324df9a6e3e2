"""MicroPython's module `time` as an ESP32 has it, in virtual time. Portable.

Ticks wrap at 2**30 and the years are counted from 2000. Sleeping is what makes time pass.
"""

TICKS_PERIOD = 1 << 30
EPOCH_2000_DAYS = 10957  # of 1970
DAY_S = 86400


class PortTime:
    """`passes(ms)` is told of all time; `start` are the first ticks, `seconds` what the clock
    shows then, since 2000: 0 after a power cut."""

    def __init__(self, passes, start=0, seconds=0):
        self._passes = passes
        self._ticks = start
        self._ms = seconds * 1000
        self.slept = 0  # calls
        self.stalled = False  # the ticks stand still while the world goes on

    def sleep_ms(self, ms):
        self.slept += 1
        ms = max(ms, 1)  # what was done took its time too
        if not self.stalled:
            self._ticks = (self._ticks + ms) % TICKS_PERIOD
            self._ms += ms
        self._passes(ms)

    def ticks_ms(self):
        return self._ticks

    def ticks_diff(self, end, start):
        half = TICKS_PERIOD // 2
        return (end - start + half) % TICKS_PERIOD - half

    def time(self):
        return self._ms // 1000

    def gmtime(self, seconds):
        """Whole days are enough for who asks where the years begin."""
        days = seconds // DAY_S + EPOCH_2000_DAYS
        era = (days + 719468) // 146097
        of_era = days + 719468 - era * 146097
        year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
        of_year = of_era - (365 * year + year // 4 - year // 100)
        month = (5 * of_year + 2) // 153
        day = of_year - (153 * month + 2) // 5 + 1
        month += 3 if month < 10 else -9
        year += era * 400 + (1 if month <= 2 else 0)
        rest = seconds % DAY_S
        weekday = (days + 3) % 7
        return (year, month, day, rest // 3600, rest // 60 % 60, rest % 60, weekday, of_year + 1)
