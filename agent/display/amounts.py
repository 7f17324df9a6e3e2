"""Numbers as the small screens write them: exact integers in, short text out.

The rounding is the page's: what is there is rounded down, what is to be paid up, so that what is
shown is there and what is asked for is enough.
"""

from wattledger.agent.billing.calendar import EPOCH_2000, civil
from wattledger.agent.units import DAY_S

DOWN, NEAR, UP = 0, 1, 2
SYMBOLS = {
    "CNY": "¥",
    "JPY": "¥",
    "EUR": "€",
    "GBP": "£",
    "USD": "$",
    "KRW": "₩",
    "NGN": "₦",
    "INR": "Rs",
}
NONE = "--"  # what the meter does not know
MOST = 99999999999999  # so that no number breaks a row


def decimal(value, scale, digits, way=NEAR):
    """`value` / 10**`scale` with `digits` decimals."""
    step = 10 ** (scale - digits)
    value = (value + (0, step // 2, step - 1)[way]) // step
    sign = "-" if value < 0 else ""
    value = min(abs(value), MOST)
    if digits == 0:
        return sign + str(value)
    part = str(value % 10**digits)
    return "%s%d.%s" % (sign, value // 10**digits, "0" * (digits - len(part)) + part)


def money(micro, currency, way=NEAR, digits=2):
    """Micro-units of `currency` (code or None) in hundredths."""
    if micro is None:
        return NONE
    text = decimal(micro, 6, digits, way)
    symbol = SYMBOLS.get(currency, currency or "")
    if text[0] == "-":
        return "-" + symbol + text[1:]
    return symbol + text


def price(micro, currency):
    """Micro-units a kWh with the decimals it has, at least two."""
    if micro is None:
        return NONE
    digits = 6
    while digits > 2 and micro % 10 ** (7 - digits) == 0:
        digits -= 1
    return money(micro, currency, NEAR, digits)


def energy(wh, digits=1):
    """Wh as kWh, rounded down."""
    return NONE if wh is None else decimal(wh, 3, digits, DOWN) + " kWh"


def power(mw):
    """mW as W below a kilowatt, else as kW."""
    if mw is None:
        return NONE
    if abs(mw) < 999500:
        return decimal(mw, 3, 0) + " W"
    return decimal(mw, 6, 2) + " kW"


def duration(seconds, words):
    """Seconds in the two units that count."""
    if seconds is None:
        return NONE
    seconds = max(seconds, 0)
    if seconds < 60:
        return words["seconds"] % seconds
    minutes = seconds // 60
    if minutes < 60:
        return words["minutes"] % minutes
    hours = minutes // 60
    if hours < 24:
        return words["hours"] % (hours, minutes % 60)
    return words["whole_days"] % (hours // 24, hours % 24)


def clock(unix, view):
    """Hour and minute at the meter."""
    if unix is None:
        return NONE
    minutes = (unix + (view.get("utc_offset_s") or 0)) % DAY_S // 60
    return "%02d:%02d" % (minutes // 60, minutes % 60)


def day(unix, view):
    """Month and day at the meter."""
    if unix is None:
        return NONE
    _, month, of_month = civil((unix + (view.get("utc_offset_s") or 0) - EPOCH_2000) // DAY_S)
    return "%02d-%02d" % (month, of_month)
