"""What of a view may be seen at the page without the PIN.

A display in the home is there to be read, so the balance, the price and the reason of a cut stay
readable, as on the display of a British prepayment meter until its owner sets a privacy PIN. What
tells how a household lives or pays is not: purchases, debts, messages, a token being typed, and
the history. A name that stands in no table is hidden.
"""

EVERYTHING = None
# A level is one text with a blank around each name: fifty texts of their own are 2 kB of a heap.
# Why the power is off, what a kilowatt-hour costs, what is wrong.
SUPPLY = (
    " meter simulated time trust utc_offset_s currency quality sample_age_ms supply rate next"
    " friendly zone link tariff pending alarms tamper conditions "
)
# And the numbers a home display is on the wall for.
HOME = (
    " meter simulated time trust utc_offset_s currency quality sample_age_ms supply rate next"
    " friendly zone link tariff pending alarms tamper conditions"
    " assist balance_micro available_micro low_micro emergency days_left days_range days_level"
    " ends_at credit_wh cycle_cost_micro cycle_cost_range power_mw power_level"
    " cost_per_hour_micro voltage_mv current_ma power_factor frequency_mhz import_wh export_wh"
    " today_wh today_micro "
)
LEVELS = {"all": EVERYTHING, "home": HOME, "supply": SUPPLY}


def is_seen(name, shown):
    """True for a member of a view that a level `shown` shows."""
    return shown is EVERYTHING or " %s " % name in shown
