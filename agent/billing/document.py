"""Checks of a tariff document, a function a field. The first fault is raised with its place.

Imported only when a document arrives or is read back: the meter needs none of it to charge.
"""

from wattledger.agent.billing.checks import (
    MAX_N,
    fail,
    flag,
    integer,
    listing,
    mapping,
    month_day,
    price,
    quarter,
)
from wattledger.agent.billing.document_days import check_calendar, check_days
from wattledger.agent.billing.zone_text import parse_zone
from wattledger.agent.values import is_name, shown

VERSION = 1
MAX_BANDS = 8
MAX_BLOCKS = 6
MAX_LIMIT_KWH = 4000000
MAX_MICRO = 1000000000000000
DEMAND_TIMES = 1000  # a kW for a month may cost so many times what a kWh may
DAY_MINUTES = 1440
CYCLES = ("month", "year", "none")
REQUIRED = ("v", "id", "n", "currency", "tz", "from", "cycle", "blocks", "bands", "fallback",
            "price", "days", "seasons", "weekend", "credit")  # fmt: skip
OPTIONAL = ("cycle_start", "holidays", "holiday_day", "export", "net", "standing_day", "demand",
            "minimum", "kwh_credit", "correct")  # fmt: skip


def check_document(document, price_limit):
    """Check every field of a JSON object; raises TariffError at the first that is wrong."""
    mapping(document, (), REQUIRED, OPTIONAL)
    _check_head(document)
    _check_cycle(document)
    bands = _check_bands(document)
    check_blocks(document["blocks"], ("blocks",))
    blocks = len(document["blocks"]) + 1
    _check_prices(document, bands, blocks, price_limit)
    check_days(document, bands)
    check_calendar(document, check_blocks)
    _check_charges(document, price_limit)
    _check_credit(document["credit"])


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
    quarter(document["from"], ("from",))
    if "correct" in document:
        _check_correct(document["correct"])


def _is_capitals(text):
    return all("A" <= letter <= "Z" for letter in text)


def _check_correct(correct):
    mapping(correct, ("correct",), ("from", "until"), ())
    quarter(correct["from"], ("correct", "from"))
    if quarter(correct["until"], ("correct", "until")) <= correct["from"]:
        fail(("correct", "until"), "must be after correct.from, %d" % correct["from"])


def _check_cycle(document):
    cycle = document["cycle"]
    if cycle not in CYCLES:
        fail(("cycle",), "must be month, year or none, is %s" % shown(cycle))
    start = document.get("cycle_start")
    if cycle == "month":
        integer(start, ("cycle_start",), 1, 28)
    elif cycle == "year":
        month_day(start, ("cycle_start",))


def _check_bands(document):
    bands = listing(document["bands"], ("bands",), 1, MAX_BANDS)
    for index, name in enumerate(bands):
        if not is_name(name):
            fail(("bands", index), "must be 1 to 32 of a-z, 0-9, - _ and .")
        if name in bands[:index]:
            fail(("bands", index), "%s is named twice" % name)
    integer(document["fallback"], ("fallback",), 0, len(bands) - 1)
    return len(bands)


def check_blocks(blocks, path):
    """Limits in kWh, rising."""
    listing(blocks, path, 0, MAX_BLOCKS - 1)
    below = 0
    for index, limit in enumerate(blocks):
        integer(limit, path + (index,), 1, MAX_LIMIT_KWH)
        if limit <= below:
            fail(path + (index,), "must be above the block before, %d kWh" % below)
        below = limit


def _check_prices(document, bands, blocks, limit):
    rows = document["price"]
    if not isinstance(rows, list) or len(rows) != blocks:
        fail(("price",), "must have %d rows, one more than there are block limits" % blocks)
    for block, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != bands:
            fail(("price", block), "must have %d prices, one for each band" % bands)
        for band, value in enumerate(row):
            price(value, ("price", block, band), limit)
    export = document.get("export")
    if export is not None:
        listing(export, ("export",), 0, bands)
        if len(export) not in (0, 1, bands):
            fail(("export",), "must have one price, or %d, one for each band" % bands)
        for band, value in enumerate(export):
            price(value, ("export", band), limit)


def _check_charges(document, price_limit):
    integer(document.get("standing_day", 0), ("standing_day",), 0, price_limit)
    integer(document.get("minimum", 0), ("minimum",), 0, MAX_MICRO)
    integer(document.get("kwh_credit", 0), ("kwh_credit",), 0, price_limit)
    flag(document.get("net", False), ("net",))
    demand = document.get("demand")
    if demand is not None:
        mapping(demand, ("demand",), ("minutes", "price"), ())
        integer(demand["minutes"], ("demand", "minutes"), 15, 60)
        if demand["minutes"] not in (15, 30, 60):
            fail(("demand", "minutes"), "must be 15, 30 or 60, is %d" % demand["minutes"])
        integer(demand["price"], ("demand", "price"), 0, DEMAND_TIMES * price_limit)


def _check_credit(credit):
    mapping(
        credit,
        ("credit",),
        ("low", "reconnect_above", "max", "friendly"),
        ("emergency", "friendly_holidays", "auto_close"),
    )
    low = listing(credit["low"], ("credit", "low"), 2, 2)
    integer(low[0], ("credit", "low", 0), 0, MAX_MICRO)
    integer(low[1], ("credit", "low", 1), 0, low[0])
    integer(credit["reconnect_above"], ("credit", "reconnect_above"), 0, MAX_MICRO)
    integer(credit["max"], ("credit", "max"), 1, MAX_MICRO)
    integer(credit.get("emergency", 0), ("credit", "emergency"), 0, MAX_MICRO)
    flag(credit.get("friendly_holidays", False), ("credit", "friendly_holidays"))
    flag(credit.get("auto_close", False), ("credit", "auto_close"))
    friendly = listing(credit["friendly"], ("credit", "friendly"), 0, 42)
    for index, period in enumerate(friendly):
        path = ("credit", "friendly", index)
        listing(period, path, 3, 3)
        integer(period[0], path + (0,), 0, 6)
        start = integer(period[1], path + (1,), 0, DAY_MINUTES - 1)
        integer(period[2], path + (2,), start + 1, DAY_MINUTES)
