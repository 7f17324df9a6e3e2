"""Numbers as people read them, for the page without JavaScript; the twin of assets/format.js.

Exact integers in, text out. Of a duration comes a message (words.py), for it has words in it.
"""

NONE = "\u2013"
MINUS = "\u2212"
SYMBOLS = {
    "CNY": "\u00a5",
    "JPY": "\u00a5",
    "EUR": "\u20ac",
    "GBP": "\u00a3",
    "USD": "$",
    "INR": "\u20b9",
    "KRW": "\u20a9",
    "NGN": "\u20a6",
}
DOWN = 0
NEAR = 1
UP = 2


def decimal(value, scale, digits, way=NEAR):
    """(sign, text) of value / 10**scale with so many decimals; grouped by three."""
    step = 10 ** (scale - digits)
    shift = 0 if way == DOWN else step - 1 if way == UP else step // 2
    rounded = (value + shift) // step
    text = str(abs(rounded))
    text = "0" * (digits + 1 - len(text)) + text
    whole, part = text[: len(text) - digits], text[len(text) - digits :]
    groups = []
    while len(whole) > 3:
        groups.insert(0, whole[-3:])
        whole = whole[:-3]
    groups.insert(0, whole)
    return MINUS if rounded < 0 else "", ",".join(groups) + ("." + part if digits else "")


def money(micro, currency, way=NEAR):
    """Micro-units in cents. A balance goes DOWN and an amount to pay UP."""
    if micro is None:
        return NONE
    sign, text = decimal(micro, 6, 2, way)
    return sign + _symbol(currency) + text


def price(micro, currency):
    """A price per kWh: up to six decimals, at least two."""
    if micro is None:
        return NONE
    sign, text = decimal(micro, 6, 6)
    drop = 0
    while drop < 4 and text[len(text) - drop - 1] == "0":
        drop += 1
    return sign + _symbol(currency) + text[: len(text) - drop] + "/kWh"


def _symbol(currency):
    return SYMBOLS.get(currency) or (currency + "\u00a0" if currency else "")


def energy(wh, digits):
    """Wh in kWh, rounded down."""
    if wh is None:
        return NONE
    return "%s%s kWh" % decimal(wh, 3, digits, DOWN)


def power(mw):
    """mW in W, or in kW from where W would have four digits."""
    if mw is None:
        return NONE
    if abs(mw) < 999500:
        sign, text = decimal(mw, 3, 0)
        return "%s%s W" % ("" if text == "0" else sign, text)
    return "%s%s kW" % decimal(mw, 6, 2)


def duration(seconds):
    """A message, by the two largest units."""
    seconds = max(0, seconds)
    if seconds < 60:
        return "duration.s", {"s": str(seconds)}
    minutes = seconds // 60
    if minutes < 60:
        return "duration.min", {"min": str(minutes)}
    hours, minutes = minutes // 60, minutes % 60
    if hours >= 24:
        return "duration.d_h", {"d": str(hours // 24), "h": str(hours % 24)}
    if minutes:
        return "duration.h_min", {"h": str(hours), "min": str(minutes)}
    return "duration.h", {"h": str(hours)}


def clock(unix, offset_s):
    """HH:MM in the meter's own zone."""
    if unix is None:
        return NONE
    minutes = (unix + offset_s) // 60 % 1440
    return "%02d:%02d" % (minutes // 60, minutes % 60)


def moment(unix, view):
    """HH:MM, with the date in front when it is not the view's."""
    offset = view.get("utc_offset_s") or 0
    now = view.get("time")
    day = None if unix is None else (unix + offset) // 86400
    if day is None or now is None or day == (now + offset) // 86400:
        return clock(unix, offset)
    return "%04d-%02d-%02d %s" % (_date(day) + (clock(unix, offset),))


def _date(days):
    """(year, month, day) of days since 1970-01-01, in the proleptic Gregorian calendar.

    Counted from 0000-03-01, so that the leap day ends a year: within 400 years of 146 097 days
    each century but the last, and each year but the fourth, lacks one.
    """
    days += 719468
    era, days = days // 146097, days % 146097
    years = (days - days // 1460 + days // 36524 - days // 146096) // 365
    days -= 365 * years + years // 4 - years // 100
    shifted = (5 * days + 2) // 153
    day = days - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    return era * 400 + years + (month <= 2), month, day
