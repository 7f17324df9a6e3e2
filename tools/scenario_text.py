"""How a scenario says times and durations: `10 min`, `36h`, `1d 06:00`, `2027-01-15 18:00`."""

import re
from datetime import datetime

from wattledger.agent.billing.calendar import day_number
from wattledger.agent.billing.zone import Zone

_UNITS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_AMOUNT = re.compile(r"(\d+)\s*(days?|d|hours?|h|min|m|sec|s)(?![a-z])", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", re.ASCII)
DURATION_HELP = 'write a duration such as "10 min", "36h" or "1d 06:00"'


def seconds(text: str) -> int:
    """Seconds of a duration; ValueError says how to write one."""
    rest = text.strip()
    total, found = 0, False
    while rest:
        clock = _CLOCK.fullmatch(rest)
        if clock:
            hours, minutes, second = (int(part or 0) for part in clock.groups())
            if hours > 23 or minutes > 59 or second > 59:
                break
            return total + hours * 3600 + minutes * 60 + second
        amount = _AMOUNT.match(rest)
        if amount is None:
            break
        unit = amount.group(2)
        total += int(amount.group(1)) * _UNITS[unit if unit in _UNITS else unit.rstrip("s")]
        rest = rest[amount.end() :].lstrip()
        found = True
    if rest or not found:
        raise ValueError(f"is {text!r}; {DURATION_HELP}")
    return total


def is_local(text: str) -> bool:
    """True for a date and a time of day, `2027-01-15 18:00`."""
    return _LOCAL.fullmatch(text.strip()) is not None


def unix(text: str, zone: Zone) -> int:
    """Unix seconds of a local time; ValueError when there is no such time."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"is {text!r}; there is no such date or time") from None
    days = day_number(moment.year, moment.month, moment.day)
    return zone.first_instant(days, moment.hour * 3600 + moment.minute * 60 + moment.second)
