"""Local time in integers: the time zone of a tariff, with both of its changes of clocks.

Source: POSIX.1-2017, 8.3 (TZ), and RFC 9636, 3.3.1, for times of change of -167 to 167 h. A date
is one day whether it has 23, 24 or 25 hours; a repeated hour is the same local time twice.
"""

from wattledger.agent.billing.calendar import (
    EPOCH_2000,
    civil,
    day_number,
    days_of_month,
    is_leap,
    weekday,
)
from wattledger.agent.units import DAY_S

# How a rule names its day; a rule is (kind, month or day, week, weekday, seconds after midnight).
OF_MONTH = 0  # Mm.w.d: the w-th weekday d of month m, the last for w = 5
OF_365 = 1  # Jn: day 1 to 365, 29 February is never counted
OF_YEAR = 2  # n: day 0 to 365, 29 February is counted
_LEAP_DAY = 60  # the Jn that is 1 March
_FOREVER = 1 << 62


def _day_of(rule, year):
    """Days since 2000-01-01 of a rule's day in `year`."""
    kind, first, week, day, _ = rule
    if kind == OF_MONTH:
        begin = day_number(year, first, 1)
        days = begin + (day - weekday(begin)) % 7 + (week - 1) * 7
        return days if days < begin + days_of_month(year, first) else days - 7
    days = day_number(year, 1, 1) + first
    if kind == OF_365 and not (first >= _LEAP_DAY and is_leap(year)):
        days -= 1
    return days


class Zone:
    """A time zone. zone_text.parse_zone() makes one from its POSIX string.

    `offset_s` is what standard time is ahead of UTC.
    """

    def __init__(self, offset_s, daylight_s=None, begin=None, end=None):
        self.offset_s = offset_s
        self._daylight_s = daylight_s
        self._begin = begin
        self._end = end
        # The stretch between two changes that was asked for last: one offset holds in it.
        self._since = 0
        self._until = 0
        self._offset = offset_s
        self._asked = self._local = None  # an interval asks for its start again and again
        if daylight_s is None:
            self._daylight_s = offset_s
            self._since, self._until = -_FOREVER, _FOREVER

    def offset_at(self, unix):
        """Seconds to add to UTC at `unix`."""
        if not self._since <= unix < self._until:
            self._find(unix)
        return self._offset

    def _find(self, unix):
        year, _, _ = civil((unix + self.offset_s - EPOCH_2000) // DAY_S)
        since = until = None
        # A time of change of up to a week moves a change into the year before or after its own.
        for near in range(year - 2, year + 3):
            for rule, before, after in (
                (self._begin, self.offset_s, self._daylight_s),
                (self._end, self._daylight_s, self.offset_s),
            ):
                at = EPOCH_2000 + _day_of(rule, near) * DAY_S + rule[4] - before
                if at > unix:
                    if until is None or at < until:
                        until = at
                elif since is None or at >= since:
                    since = at
                    self._offset = after
        self._since, self._until = since, until

    def local(self, unix):
        """(days since 2000-01-01, second of the day) of local time at `unix`."""
        if unix != self._asked:
            self._local = divmod(unix + self.offset_at(unix) - EPOCH_2000, DAY_S)
            self._asked = unix
        return self._local

    def first_instant(self, days, second=0):
        """The first instant of a local date, or at which `second` of it is reached, in unix
        seconds.

        Of a time that is repeated the earlier; of one that is skipped the change of clocks.
        """
        wanted = days * DAY_S + EPOCH_2000 + second
        for offset in (
            max(self.offset_s, self._daylight_s),
            min(self.offset_s, self._daylight_s),
        ):
            if self.offset_at(wanted - offset) == offset:
                return wanted - offset
        return self._since  # found for the later of the two instants: the change is behind it

    def ahead(self, unix, seconds):
        """`seconds` after `unix`, or the next change of clocks when that comes first."""
        self.offset_at(unix)
        return min(unix + seconds, self._until)
