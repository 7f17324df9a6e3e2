"""Units and bounds every room shares. Money is in nano-units of the currency, energy in Wh.

Wh x micro-units per kWh is exactly nano-units, so nothing in rating is ever rounded.
"""

NANO_PER_MICRO = 1000
MICRO_PER_UNIT = 1000000
QUARTER_S = 900  # every boundary of a tariff lies on a quarter of an hour
DAY_S = 86400
TICKS_MASK = 0x3FFFFFFF  # ticks_ms wraps at 2^30 on every port; the mask is a small int


def micro_of(nano):
    """Micro-units of a total in nano-units, rounded down (never in the meter's favour twice)."""
    return nano // NANO_PER_MICRO


def ticks_between(since, now):
    """Milliseconds from one ticks_ms value to a later one, across the wrap."""
    return (now - since) & TICKS_MASK
