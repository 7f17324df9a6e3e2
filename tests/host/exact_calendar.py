"""Dates, POSIX time zones and day tables for the exact engine: datetime and plain search.

Written from the tariff's definition alone and sharing nothing with the device's calendar, so that
an error in one of the two shows as a difference. Every answer is found by trying: the first
instant of a date is the first quarter of an hour that has that date.
"""

import re
from datetime import date, datetime, timedelta
from functools import cache

QUARTER = 900
EPOCH = datetime(1970, 1, 1)
FIRST_HOLIDAY = date(2000, 1, 1)
NEVER = date.min  # the first day of a cycle that never ends
NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)"
HOURS = r"[+-]?\d{1,3}(?::\d{1,2}(?::\d{1,2})?)?"
ZONE = re.compile(rf"{NAME}({HOURS})(?:{NAME}({HOURS})?,([^,]+),([^,]+))?")


def _seconds(text):
    """`-5:30` as seconds."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    return sign * sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))


@cache
def _zone(text):
    """(standard offset, daylight offset, rules) in seconds east; rules None without daylight."""
    west, daylight, begins, ends = ZONE.fullmatch(text).groups()
    standard = -_seconds(west)
    if begins is None:
        return standard, standard, None
    summer = -_seconds(daylight) if daylight else standard + 3600
    return standard, summer, (begins, ends)


def _rule_day(rule, year):
    """The date of a POSIX rule in a year: M3.5.0, J60 or 59."""
    if rule.startswith("M"):
        month, week, weekday = (int(part) for part in rule[1:].split("."))
        days = [date(year, month, 1) + timedelta(n) for n in range(31)]
        fitting = [d for d in days if d.month == month and d.isoweekday() % 7 == weekday]
        return fitting[-1] if week == 5 else fitting[week - 1]
    if rule.startswith("J"):  # 1 to 365, without the leap day
        return (date(2001, 1, 1) + timedelta(int(rule[1:]) - 1)).replace(year=year)
    return date(year, 1, 1) + timedelta(int(rule))


def _change(rule, year, offset):
    """Unix seconds at which a rule strikes in a year; its wall time is at `offset`."""
    day, _, wall = rule.partition("/")
    midnight = datetime.combine(_rule_day(day, year), datetime.min.time())
    return int((midnight - EPOCH).total_seconds()) + _seconds(wall or "2") - offset


@cache
def _changes(zone, year):
    """The changes of a year and its neighbours, in order: (unix, offset from then on)."""
    standard, summer, rules = _zone(zone)
    found = []
    for near in (year - 1, year, year + 1):
        found.append((_change(rules[0], near, standard), summer))
        found.append((_change(rules[1], near, summer), standard))
    return sorted(found)


def offset_at(zone, unix):
    """Seconds east of UTC at `unix`."""
    if _zone(zone)[2] is None:
        return _zone(zone)[0]
    year = (EPOCH + timedelta(seconds=unix)).year
    return [offset for at, offset in _changes(zone, year) if at <= unix][-1]


def local(zone, unix):
    """The wall clock as a naive datetime."""
    return EPOCH + timedelta(seconds=unix + offset_at(zone, unix))


@cache
def first_instant(zone, day):
    """Unix seconds of the first quarter of an hour whose local date is `day` (or is past it)."""
    midnight = int((datetime.combine(day, datetime.min.time()) - EPOCH).total_seconds())
    start = midnight - offset_at(zone, midnight) - 86400
    return next(
        at for at in range(start, start + 3 * 86400, QUARTER) if local(zone, at).date() >= day
    )


def dates_begun(zone, start, end):
    """The dates whose first instant lies in [start, end)."""
    day = local(zone, start).date() - timedelta(1)
    found = []
    while first_instant(zone, day) < end:
        if first_instant(zone, day) >= start:
            found.append(day)
        day += timedelta(1)
    return found


def begun_on(mmdd, day):
    """The latest date not after `day` on which a yearly period that starts at MMDD began."""
    start = date(day.year, int(mmdd[:2]), int(mmdd[2:]))
    return start if start <= day else start.replace(year=day.year - 1)


def cycle_day(document, day):
    """First date of the billing cycle that holds `day`; NEVER where there are no cycles."""
    if document["cycle"] == "none":
        return NEVER
    if document["cycle"] == "year":
        return begun_on(document["cycle_start"], day)
    while day.day != document["cycle_start"]:
        day -= timedelta(1)
    return day


def cycle_end(document, cycle):
    """First date of the cycle after the one that began on `cycle`."""
    day = cycle + timedelta(1)
    while cycle_day(document, day) == cycle:
        day += timedelta(1)
    return day


def season(document, day):
    """The season's entry, [MMDD, weekday table, weekend table] with perhaps an object."""
    return max(document["seasons"], key=lambda entry: begun_on(entry[0], day))


def block_day(document, day):
    """First date of the period that the block counter counts."""
    resets = [
        begun_on(entry[0], day)
        for entry in document["seasons"]
        if len(entry) > 3 and entry[3].get("blocks_reset")
    ]
    return max([cycle_day(document, day), *resets])


def limits(document, day):
    """kWh limits of the blocks on a date."""
    entry = season(document, day)
    return entry[3].get("blocks", document["blocks"]) if len(entry) > 3 else document["blocks"]


@cache
def _listed_days(listed):
    """{date: None for a holiday, or the table of a make-up workday} of a holidays list."""
    found, day = {}, FIRST_HOLIDAY
    for item in listed:
        gap, table = item if isinstance(item, tuple) else (item, None)
        day += timedelta(gap)
        found[day] = table
    return found


def day_table(document, day):
    """The name of the day table of a date. A holiday without a table of its own is a weekend."""
    listed = document.get("holidays", [])
    special = _listed_days(tuple(tuple(x) if isinstance(x, list) else x for x in listed))
    _, weekday, weekend = season(document, day)[:3]
    if day in special:
        return special[day] or document.get("holiday_day") or weekend
    return weekend if day.isoweekday() % 7 in document["weekend"] else weekday


def band(document, unix):
    """The band of the day table at `unix`."""
    now = local(document["tz"], unix)
    minute = now.hour * 60 + now.minute
    table = document["days"][day_table(document, now.date())]
    return [switch[1] for switch in table if switch[0] <= minute][-1]
