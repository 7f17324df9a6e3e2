"""How far the prices of a new set may lie from those in force: a bound against slips of a key."""

from wattledger.agent.billing.checks import fail

FREE_MICRO = 50000  # per kWh: a change of so much is always allowed


def check_change(active, tariff, percent):
    """TariffError at the first price per kWh that moves more than `percent` of the active's.

    A price is held against that of the same block (the last, where the active has fewer) and the
    band of the same name. A band that is new may cost what any band of the block may. Pay for
    export is held against what is paid already; the first that is ever paid is free.
    """
    for block, row in enumerate(tariff.price):
        before = active.price[min(block, len(active.price) - 1)]
        for band, price in enumerate(row):
            _check(
                price, _known(active, before, tariff.bands[band]), ("price", block, band), percent
            )
    if any(active.export):
        paths = len(tariff.export)
        for band in range(paths):
            known = _known(active, active.export, tariff.bands[band])
            _check(tariff.export[band], known, ("export", band), percent)


def _known(active, row, name):
    """The prices in force that the band `name` may be held against."""
    return [row[active.bands.index(name)]] if name in active.bands else row


def _check(price, known, path, percent):
    low, high = min(known), max(known)
    if price > high + max(abs(high) * percent // 100, FREE_MICRO):
        above, near = "above", high
    elif price < low - max(abs(low) * percent // 100, FREE_MICRO):
        above, near = "below", low
    else:
        return
    fail(
        path,
        "%d is more than %d %% %s %d, the price in force; change it in steps, or raise "
        "price_change_percent in device.json" % (price, percent, above, near),
    )
