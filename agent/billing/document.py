"""Checks of a tariff document, a function a field. The first fault is raised with its place."""

from wattledger.agent.billing.calendar import days_of_month, parse_zone
from wattledger.agent.config import is_integer, is_name, shown
from wattledger.agent.errors import TariffError
from wattledger.agent.units import QUARTER_S

VERSION = 1
MAX_BANDS = 8
MAX_BLOCKS = 6
MAX_TABLES = 8
MAX_SWITCHES = 14
DAY_MINUTES = 1440
SWITCH_MINUTES = 15
MAX_N = 0xFFFFFFFF
MAX_LIMIT_KWH = 4000000
MAX_MICRO = 1000000000000000
CYCLES = ("month", "year", "none")
REQUIRED = ("v", "id", "n", "currency", "tz", "from", "cycle", "blocks", "bands", "fallback",
            "price", "days", "seasons", "weekend", "credit")  # fmt: skip
OPTIONAL = ("cycle_start", "holidays", "holiday_day", "export", "net", "standing_day", "demand",
            "minimum", "kwh_credit", "correct")  # fmt: skip
CREDIT_KEYS = ("low", "emergency", "reconnect_above", "max", "friendly", "friendly_holidays",
               "auto_close")  # fmt: skip
LATER = "is not rated by this firmware yet; remove it"


def fail(path, message):
    raise TariffError(path, message)


def integer(value, path, low, high):
    """A whole number from `low` to `high`."""
    if not is_integer(value):
        fail(path, "must be a whole number, is %s" % shown(value))
    if not low <= value <= high:
        fail(path, "must be from %d to %d, is %s" % (low, high, shown(value)))
    return value


def listing(value, path, low, high):
    """A list of `low` to `high` items."""
    if not isinstance(value, list):
        fail(path, "must be a list, is %s" % shown(value))
    if not low <= len(value) <= high:
        fail(path, "must have %d to %d items, has %d" % (low, high, len(value)))
    return value


def mapping(value, path):
    """A JSON object."""
    if not isinstance(value, dict):
        fail(path, "must be an object, is %s" % shown(value))
    return value


def flag(value, path):
    """true or false."""
    if not isinstance(value, bool):
        fail(path, "must be true or false, is %s" % shown(value))
    return value


def check_document(document, price_limit):
    """Check every field; raises TariffError at the first that this firmware cannot charge by."""
    for key in REQUIRED:
        if key not in document:
            fail((), "lacks %s" % key)
    for key in document:
        if key not in REQUIRED and key not in OPTIONAL:
            fail((key,), "unknown key; remove it or check its spelling")
    _check_head(document)
    _check_cycle(document)
    bands = _check_bands(document)
    blocks = _check_blocks(document)
    _check_prices(document, bands, blocks, price_limit)
    _check_days(document, bands)
    _check_seasons(document)
    _check_later(document)
    _check_credit(mapping(document["credit"], ("credit",)))
    integer(document.get("standing_day", 0), ("standing_day",), 0, price_limit)
    integer(document.get("kwh_credit", 0), ("kwh_credit",), 0, price_limit)


def _check_head(document):
    integer(document["v"], ("v",), VERSION, VERSION)
    if not is_name(document["id"]):
        fail(("id",), "must be 1 to 32 of a-z, 0-9, - _ and .")
    integer(document["n"], ("n",), 1, MAX_N)
    currency = document["currency"]
    if not isinstance(currency, str) or len(currency) != 3 or not _is_capitals(currency):
        fail(("currency",), "must be three capitals such as CNY, is %s" % shown(currency))
    try:
        parse_zone(document["tz"])
    except ValueError as error:
        fail(("tz",), str(error))
    integer(document["from"], ("from",), 0, 0xFFFFFFFFFF)
    if document["from"] % QUARTER_S:
        fail(("from",), "must be a multiple of 900 (a quarter of an hour)")


def _is_capitals(text):
    return all("A" <= letter <= "Z" for letter in text)


def _check_cycle(document):
    cycle = document["cycle"]
    if cycle not in CYCLES:
        fail(("cycle",), "must be month, year or none, is %s" % shown(cycle))
    start = document.get("cycle_start")
    if cycle == "month":
        integer(start, ("cycle_start",), 1, 28)
    elif cycle == "year":
        _check_month_day(start, ("cycle_start",))


def _check_month_day(text, path):
    """MMDD of a day that every year has."""
    good = isinstance(text, str) and len(text) == 4 and all("0" <= digit <= "9" for digit in text)
    if good:
        month, day = int(text[:2]), int(text[2:])
        good = 1 <= month <= 12 and 1 <= day <= days_of_month(2001, month)
    if not good:
        fail(path, 'must be a month and day such as "0101", is %s' % shown(text))


def _check_bands(document):
    bands = listing(document["bands"], ("bands",), 1, MAX_BANDS)
    for index, name in enumerate(bands):
        if not is_name(name):
            fail(("bands", index), "must be 1 to 32 of a-z, 0-9, - _ and .")
        if name in bands[:index]:
            fail(("bands", index), "%s is named twice" % name)
    integer(document["fallback"], ("fallback",), 0, len(bands) - 1)
    return len(bands)


def _check_blocks(document):
    blocks = listing(document["blocks"], ("blocks",), 0, MAX_BLOCKS - 1)
    below = 0
    for index, limit in enumerate(blocks):
        integer(limit, ("blocks", index), 1, MAX_LIMIT_KWH)
        if limit <= below:
            fail(("blocks", index), "must be above the block before, %d kWh" % below)
        below = limit
    return len(blocks) + 1


def _check_prices(document, bands, blocks, limit):
    price = document["price"]
    if not isinstance(price, list) or len(price) != blocks:
        fail(("price",), "must have %d rows, one more than there are block limits" % blocks)
    for block, row in enumerate(price):
        if not isinstance(row, list) or len(row) != bands:
            fail(("price", block), "must have %d prices, one for each band" % bands)
        for band, value in enumerate(row):
            integer(value, ("price", block, band), -limit, limit)
    export = document.get("export")
    if export is not None:
        listing(export, ("export",), 0, bands)
        if len(export) not in (0, 1, bands):
            fail(("export",), "must have one price, or %d, one for each band" % bands)
        for band, value in enumerate(export):
            integer(value, ("export", band), -limit, limit)


def _check_days(document, bands):
    days = mapping(document["days"], ("days",))
    if not 1 <= len(days) <= MAX_TABLES:
        fail(("days",), "must have 1 to %d day tables, has %d" % (MAX_TABLES, len(days)))
    for name, table in days.items():
        listing(table, ("days", name), 1, MAX_SWITCHES)
        below = -1
        for index, switch in enumerate(table):
            path = ("days", name, index)
            listing(switch, path, 2, 2)
            minute = integer(switch[0], path + (0,), 0, DAY_MINUTES - SWITCH_MINUTES)
            integer(switch[1], path + (1,), 0, bands - 1)
            if index == 0 and minute:
                fail(path + (0,), "must be 0: the day's first band starts at midnight")
            if minute % SWITCH_MINUTES:
                fail(path + (0,), "must be a multiple of 15 minutes, is %d" % minute)
            if minute <= below:
                fail(path + (0,), "must be after the switch before, at %d" % below)
            below = minute


def _check_seasons(document):
    seasons = listing(document["seasons"], ("seasons",), 1, 14)
    if len(seasons) > 1:
        fail(("seasons", 1), "a second season " + LATER)
    season = listing(seasons[0], ("seasons", 0), 3, 4)
    if len(season) == 4:
        fail(("seasons", 0, 3), "a season with blocks of its own " + LATER)
    _check_month_day(season[0], ("seasons", 0, 0))
    for index in (1, 2):
        if not isinstance(season[index], str) or season[index] not in document["days"]:
            fail(("seasons", 0, index), "names no day table of days: %s" % shown(season[index]))
    weekend = listing(document["weekend"], ("weekend",), 0, 7)
    for index, day in enumerate(weekend):
        integer(day, ("weekend", index), 0, 6)


def _check_later(document):
    """What the document may say and this firmware does not charge by yet."""
    if document.get("holidays"):
        fail(("holidays",), LATER)
    if "correct" in document:
        fail(("correct",), LATER)


def _check_credit(credit):
    for key in credit:
        if key not in CREDIT_KEYS:
            fail(("credit", key), "unknown key; remove it or check its spelling")
    for key in ("low", "reconnect_above", "max", "friendly"):
        if key not in credit:
            fail(("credit",), "lacks %s" % key)
    low = listing(credit["low"], ("credit", "low"), 2, 2)
    integer(low[0], ("credit", "low", 0), 0, MAX_MICRO)
    integer(low[1], ("credit", "low", 1), 0, low[0])
    integer(credit["reconnect_above"], ("credit", "reconnect_above"), 0, MAX_MICRO)
    integer(credit["max"], ("credit", "max"), 1, MAX_MICRO)
    integer(credit.get("emergency", 0), ("credit", "emergency"), 0, MAX_MICRO)
    flag(credit.get("friendly_holidays", False), ("credit", "friendly_holidays"))
    if flag(credit.get("auto_close", False), ("credit", "auto_close")):
        fail(("credit", "auto_close"), "closing without a person " + LATER)
    friendly = listing(credit["friendly"], ("credit", "friendly"), 0, 42)
    for index, period in enumerate(friendly):
        path = ("credit", "friendly", index)
        listing(period, path, 3, 3)
        integer(period[0], path + (0,), 0, 6)
        start = integer(period[1], path + (1,), 0, DAY_MINUTES - 1)
        integer(period[2], path + (2,), start + 1, DAY_MINUTES)
