"""What a person makes of a number: levels and rests, as codes and integers for every display."""

from wattledger.agent.units import DAY_S, NANO_PER_MICRO

MID_MW = 500000  # lights and a fridge are below, an iron or a kettle is above HIGH_MW
HIGH_MW = 2000000
NOTHING_MW = 500  # shown as 0 W
SOON_S = 3 * DAY_S


def power_level(power_mw):
    """ "none", "low", "mid", "high" or "export" of a power in mW; None where it is not known."""
    if power_mw is None:
        return None
    if abs(power_mw) < NOTHING_MW:
        return "none"
    if power_mw < 0:
        return "export"
    if power_mw < MID_MW:
        return "low"
    return "mid" if power_mw < HIGH_MW else "high"


def days_level(days, ends_at, unix):
    """ "good" over three days, "soon" to one day, "today" below; None while days are not known.

    `ends_at` is the unix second at which the credit is expected to end, None for far off.
    """
    if days is None:
        return None
    if ends_at is None or ends_at - unix > SOON_S:
        return "good"
    return "soon" if ends_at - unix >= DAY_S else "today"


def credit_wh(available, price_micro):
    """Whole Wh that `available` (nano) buys at `price_micro` a kWh; None at no price."""
    if price_micro is None or price_micro <= 0:
        return None
    return max(available, 0) // price_micro  # nano / (micro / kWh) is exactly Wh


def emergency(offered, accepted, used, limit_micro, available):
    """(state, micro-units left, micro-units to be paid back first) of emergency credit.

    `available` is nano; "none", "available", "taken" (not needed yet), "in use" or "used".
    """
    owed = max(-available, 0)
    left = max(limit_micro * NANO_PER_MICRO - owed, 0)
    if accepted:
        state = "used" if not left else "in use" if owed or used else "taken"
        return state, left // NANO_PER_MICRO, -(-owed // NANO_PER_MICRO)
    return ("available" if offered else "none"), limit_micro if offered else 0, 0


def topup_micro(needed, debt):
    """The smallest top-up of which `needed` (micro-units) is left when `debt` has its share."""
    if not needed or not debt.share or not debt.owed:
        return needed
    most = -(-debt.owed // NANO_PER_MICRO)
    if debt.cap:
        most = min(most, debt.cap)
    # The share is rounded down, so the sum may come out one too large and never too small.
    return min(-(-needed * 100 // (100 - debt.share)), needed + most)
