"""What the checks of every signed document share: each returns the value or raises TariffError."""

from wattledger.agent.billing.calendar import days_of_month
from wattledger.agent.errors import TariffError
from wattledger.agent.units import QUARTER_S
from wattledger.agent.values import is_integer, shown

MAX_N = 0xFFFFFFFF
MAX_UNIX = 0xFFFFFFFFFF  # five bytes, as the journal has it
MAX_MICRO = 1000000000000000
MAX_LIMIT_KWH = 4000000


def fail(path, message):
    raise TariffError(path, message)


def whole(value, path):
    """A whole number."""
    if not is_integer(value):
        fail(path, "must be a whole number, is %s" % shown(value))
    return value


def integer(value, path, low, high):
    """A whole number from `low` to `high`."""
    whole(value, path)
    if not low <= value <= high:
        fail(path, "must be from %d to %d, is %s" % (low, high, shown(value)))
    return value


def price(value, path, limit):
    """Micro-units per kWh, at most `limit` either way: what the meter itself lets a price be."""
    whole(value, path)
    if value > limit:
        fail(path, "%s is above the local maximum %d; check its unit" % (shown(value), limit))
    if value < -limit:
        fail(path, "%s is below the local minimum %d; check its unit" % (shown(value), -limit))
    return value


def quarter(value, path):
    """Unix seconds on a quarter of an hour."""
    integer(value, path, 0, MAX_UNIX)
    if value % QUARTER_S:
        fail(path, "must be a multiple of 900 (a quarter of an hour)")
    return value


def listing(value, path, low, high):
    """A list of `low` to `high` items."""
    if not isinstance(value, list):
        fail(path, "must be a list, is %s" % shown(value))
    if not low <= len(value) <= high:
        fail(path, "must have %d to %d items, has %d" % (low, high, len(value)))
    return value


def mapping(value, path, required=(), optional=None):
    """A JSON object with every required key and, unless `optional` is None, no unknown one."""
    if not isinstance(value, dict):
        fail(path, "must be an object, is %s" % shown(value))
    if optional is not None:
        for key in value:
            if key not in required and key not in optional:
                fail(path + (key,), "unknown key; remove it or check its spelling")
    for key in required:
        if key not in value:
            fail(path, "lacks %s" % key)
    return value


def flag(value, path):
    """true or false."""
    if not isinstance(value, bool):
        fail(path, "must be true or false, is %s" % shown(value))
    return value


def month_day(value, path):
    """MMDD of a day that every year has."""
    good = isinstance(value, str) and len(value) == 4
    good = good and all("0" <= digit <= "9" for digit in value)
    if good:
        month, day = int(value[:2]), int(value[2:])
        good = 1 <= month <= 12 and 1 <= day <= days_of_month(2001, month)
    if not good:
        fail(path, 'must be a month and day such as "0101", is %s' % shown(value))
    return value


def blocks(limits, path, most):
    """At most so many limits in kWh, rising."""
    listing(limits, path, 0, most)
    below = 0
    for index, limit in enumerate(limits):
        integer(limit, path + (index,), 1, MAX_LIMIT_KWH)
        if limit <= below:
            fail(path + (index,), "must be above the block before, %d kWh" % below)
        below = limit
