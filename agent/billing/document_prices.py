"""Checks of a tariff document: bands, blocks, prices and what is charged beside energy."""

from wattledger.agent.billing.checks import (
    MAX_MICRO,
    blocks,
    fail,
    flag,
    integer,
    listing,
    mapping,
    price,
)
from wattledger.agent.values import is_name

DEMAND_TIMES = 1000  # a kW for a month may cost so many times what a kWh may,
MOST_DEMAND = 1000000000000  # and no more: 6 MW, the most a device.json says, must fit a record


def check_prices(document, price_limit, most_bands, most_blocks):
    """Bands, blocks, a price for each, and the charges."""
    bands = _check_bands(document, most_bands)
    blocks(document["blocks"], ("blocks",), most_blocks - 1)
    _check_prices(document, bands, len(document["blocks"]) + 1, price_limit)
    _check_charges(document, price_limit)


def _check_bands(document, most):
    bands = listing(document["bands"], ("bands",), 1, most)
    for index, name in enumerate(bands):
        if not is_name(name):
            fail(("bands", index), "must be 1 to 32 of a-z, 0-9, - _ and .")
        if name in bands[:index]:
            fail(("bands", index), "%s is named twice" % name)
    integer(document["fallback"], ("fallback",), 0, len(bands) - 1)
    return len(bands)


def _check_prices(document, bands, rows_wanted, limit):
    rows = document["price"]
    if not isinstance(rows, list) or len(rows) != rows_wanted:
        fail(("price",), "must have %d rows, one more than there are block limits" % rows_wanted)
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
        most = min(DEMAND_TIMES * price_limit, MOST_DEMAND)
        integer(demand["price"], ("demand", "price"), 0, most)
