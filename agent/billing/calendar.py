"""Civil dates in integers: days since 2000-01-01 of the proleptic Gregorian calendar."""

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
    year = 2000 + days // 366 - (days < 0)
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
