"""Checks of a tariff document: the credit it gives and when nobody is cut."""

from wattledger.agent.billing.checks import MAX_MICRO, flag, integer, listing, mapping

DAY_MINUTES = 1440


def check_credit(credit):
    """`credit`: alarm levels, limits and friendly periods."""
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
