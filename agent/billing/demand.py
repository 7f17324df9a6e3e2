"""Demand: the mean power of windows of 15, 30 or 60 minutes by the clock (UTC).

A window counts when it was measured from its first instant to its last in synced time. What its
mean is above the highest of the cycle is charged at once. Wh x 60 / minutes is a whole number of
watts, and watts x price (micro per kW) are exactly nano: nothing is rounded.
"""

from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import record as records
from wattledger.agent.timekeeping import STEP_S
from wattledger.hal.sample import TRUST_SYNCED


def begin(account):
    """The account has opened an interval: a window may open with it, or be broken by it."""
    cycle = account.cycle
    span = account.tariff.demand[0] * 60
    start = account.start
    if account.trust != TRUST_SYNCED:
        cycle.window_wh = None
    elif start % span == 0:
        cycle.window_wh = account.start_import
    elif abs(start - cycle.window_at) > STEP_S or start // span != cycle.window_at // span:
        cycle.window_wh = None  # not measured throughout: off, or the clock was set
    cycle.window_at = start


def close(account, start, end):
    """The account has closed its interval: charge the window that ends with it, if it counts."""
    cycle = account.cycle
    minutes, price = account.tariff.demand
    span = minutes * 60
    window_wh = cycle.window_wh
    cycle.window_at = end
    if window_wh is None or start // span == end // span:
        return
    cycle.window_wh = None
    if end % span or start // span != end // span - 1:
        return  # a gap over the window's end
    watts = (account.start_import - window_wh) * (60 // minutes)
    if watts > cycle.demand_w:
        before, cycle.demand_w = cycle.demand_w, watts
        account.post(
            records.DEMAND,
            (before - watts) * price,
            cycle_payload.pack_demand(cycle.key(), watts, before, minutes, account.tariff.n),
            end,
            TRUST_SYNCED,
        )
