"""Civil time in integers: days since 2000-01-01, and the POSIX time zone of a tariff.

Source: POSIX.1-2017, 8.3 (TZ); the day arithmetic is the proleptic Gregorian calendar.
"""

from wattledger.agent.units import DAY_S, QUARTER_S

EPOCH_2000 = 946684800  # unix seconds of 2000-01-01 00:00 UTC, a Saturday
SATURDAY = 6
_YEAR_DAYS = 365
_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def is_leap(year):
    """True for a leap year of the Gregorian calendar."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_number(year, month, day):
    """Days from 2000-01-01 to a civil date (may be negative)."""
    before = year - 2000
    leaps = (before + 3) // 4 - (before + 99) // 100 + (before + 399) // 400
    days = before * _YEAR_DAYS + leaps + _BEFORE_MONTH[month - 1] + day - 1
    if month > 2 and is_leap(year):
        days += 1
    return days


def days_of_month(year, month):
    """28 to 31."""
    return day_number(year + month // 12, month % 12 + 1, 1) - day_number(year, month, 1)


def civil(days):
    """(year, month, day) of days since 2000-01-01."""
    year = 2000 + days // 366
    while day_number(year + 1, 1, 1) <= days:
        year += 1
    month = 12
    while day_number(year, month, 1) > days:
        month -= 1
    return year, month, days - day_number(year, month, 1) + 1


def weekday(days):
    """0 = Sunday .. 6 = Saturday of days since 2000-01-01."""
    return (days + SATURDAY) % 7


def date_key(days):
    """A date as the number yyyymmdd, the key of its standing charge."""
    year, month, day = civil(days)
    return year * 10000 + month * 100 + day


class Zone:
    """A fixed offset from UTC, from a POSIX TZ string such as `CST-8` or `<+0530>-5:30`."""

    def __init__(self, offset_s):
        self.offset_s = offset_s

    def offset_at(self, unix):
        """Seconds to add to UTC at `unix`."""
        return self.offset_s

    def local(self, unix):
        """(days since 2000-01-01, second of the day) of local time at `unix`."""
        return divmod(unix + self.offset_at(unix) - EPOCH_2000, DAY_S)

    def first_instant(self, days):
        """Unix seconds of the first instant of a local date."""
        return days * DAY_S + EPOCH_2000 - self.offset_s


def parse_zone(text):
    """Zone from a POSIX TZ string; ValueError says what is wrong with it."""
    rest = _skip_name(text)
    if rest is None or rest == "":
        raise ValueError("must be a POSIX time zone such as CST-8 or <+0530>-5:30")
    sign = 1
    if rest[0] in "+-":
        sign = -1 if rest[0] == "-" else 1
        rest = rest[1:]
    end = 0
    while end < len(rest) and (rest[end] == ":" or "0" <= rest[end] <= "9"):
        end += 1
    if end < len(rest):
        raise ValueError("has daylight saving, which this firmware does not rate yet")
    fields = rest.split(":")
    if len(fields) > 3 or not all(0 < len(field) <= 2 for field in fields):
        raise ValueError("has an offset that is not hh, hh:mm or hh:mm:ss")
    seconds = 0
    scale = 3600
    for field in fields:
        if scale < 3600 and int(field) > 59:
            raise ValueError("has minutes or seconds above 59 in its offset")
        seconds += int(field) * scale
        scale //= 60
    if seconds > 14 * 3600 or seconds % QUARTER_S:
        raise ValueError("must be at most 14 h from UTC, in quarters of an hour")
    # POSIX counts west of Greenwich as positive.
    return Zone(-sign * seconds)


def _skip_name(text):
    """What follows the zone's name, or None when there is no such name."""
    if not isinstance(text, str):
        return None
    if text.startswith("<"):
        end = text.find(">")
        return text[end + 1 :] if end >= 4 else None
    end = 0
    while end < len(text) and ("a" <= text[end] <= "z" or "A" <= text[end] <= "Z"):
        end += 1
    return text[end:] if end >= 3 else None
