"""Reads the POSIX string of a time zone: `CST-8`, `<+0530>-5:30`, `CET-1CEST,M3.5.0,M10.5.0/3`.

Source: POSIX.1-2017, 8.3. Every change of clocks lies on a quarter of an hour, as prices do.
"""

from wattledger.agent.billing.zone import OF_365, OF_MONTH, OF_YEAR, Zone
from wattledger.agent.units import QUARTER_S

HOUR_S = 3600
FARTHEST_S = 14 * HOUR_S
MOST_SAVING_S = 2 * HOUR_S
CHANGE_S = 2 * HOUR_S  # local time of a change that names none
LAST_HOUR = 167
BAD_OFFSET = "has an offset that is not hh, hh:mm or hh:mm:ss"
NO_RULES = "must say when daylight saving begins and ends, for example CET-1CEST,M3.5.0,M10.5.0/3"


def parse_zone(text):
    """Zone from a POSIX TZ string; ValueError says what is wrong with it."""
    rest = _skip_name(text)
    if not rest:
        raise ValueError("must be a POSIX time zone such as CST-8 or <+0530>-5:30")
    standard_s, rest = _offset(rest)
    if abs(standard_s) > FARTHEST_S or standard_s % QUARTER_S:
        raise ValueError("must be at most 14 h from UTC, in quarters of an hour")
    if not rest:
        return Zone(standard_s)
    rest = _skip_name(rest)
    if not rest:
        raise ValueError(NO_RULES)
    daylight_s = standard_s + HOUR_S
    if rest[0] != ",":
        daylight_s, rest = _offset(rest)
    if abs(daylight_s - standard_s) > MOST_SAVING_S or daylight_s % QUARTER_S:
        raise ValueError("must save at most 2 h of daylight, in quarters of an hour")
    rules = rest.split(",")
    if len(rules) != 3 or rules[0]:
        raise ValueError(NO_RULES)
    return Zone(standard_s, daylight_s, _rule(rules[1]), _rule(rules[2]))


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


def _offset(text):
    """(seconds ahead of UTC, what follows) of an offset; POSIX counts west as positive."""
    end = 1 if text[0] in "+-" else 0
    while end < len(text) and (text[end] == ":" or "0" <= text[end] <= "9"):
        end += 1
    seconds = _seconds(text[:end], 2)
    if seconds is None:
        raise ValueError(BAD_OFFSET)
    return -seconds, text[end:]


def _seconds(text, digits):
    """Seconds of [+-]hh[:mm[:ss]] with at most `digits` of hours; None when it is no such."""
    sign = 1
    if text and text[0] in "+-":
        sign = -1 if text[0] == "-" else 1
        text = text[1:]
    fields = text.split(":")
    if len(fields) > 3:
        return None
    seconds = 0
    scale = HOUR_S
    for field in fields:
        value = _number(field, digits)
        if value is None or (scale < HOUR_S and value > 59):
            return None
        seconds += value * scale
        scale //= 60
        digits = 2
    return sign * seconds


def _number(text, digits):
    """The number `text` writes in 1 to `digits` digits, or None."""
    if not 1 <= len(text) <= digits or not all("0" <= digit <= "9" for digit in text):
        return None
    return int(text)


def _rule(text):
    """The rule (zone.py) that `text` writes: Mm.w.d, Jn or n, each with an optional /time."""
    day, slash, time = text.partition("/")
    seconds = _seconds(time, 3) if slash else CHANGE_S
    if seconds is None or seconds % QUARTER_S or abs(seconds) > LAST_HOUR * HOUR_S:
        raise ValueError(
            "has a time of change that is not -167 to 167 h in quarters of an hour: %s" % text
        )
    rule = None
    if day.startswith("M"):
        fields = [_number(field, 2) for field in day[1:].split(".")]
        if len(fields) == 3 and None not in fields:
            month, week, weekday = fields
            if 1 <= month <= 12 and 1 <= week <= 5 and weekday <= 6:
                rule = (OF_MONTH, month, week, weekday, seconds)
    elif day.startswith("J"):
        number = _number(day[1:], 3)
        if number is not None and 1 <= number <= 365:
            rule = (OF_365, number, 0, 0, seconds)
    else:
        number = _number(day, 3)
        if number is not None and number <= 365:
            rule = (OF_YEAR, number, 0, 0, seconds)
    if rule is None:
        raise ValueError("has a day of change that is not Mm.w.d, Jn or n: %s" % text)
    return rule
