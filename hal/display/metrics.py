"""The view in Prometheus' text format 0.0.4, for whoever scrapes it: what may be seen, no more.

Names follow its conventions: base units (joules, watts, volts), a counter ends in _total, money in
units of the currency that the label names. A value that is not known has no line.
"""

import json

# view name: (metric, kind, help, decimals of the integer in the view)
PLAIN = (
    ("power_mw", "power_watts", "gauge", "Power now, negative when exporting", 3),
    ("voltage_mv", "voltage_volts", "gauge", "Voltage of the first phase", 3),
    ("current_ma", "current_amperes", "gauge", "Current of the first phase", 3),
    ("frequency_mhz", "frequency_hertz", "gauge", "Frequency of the mains", 3),
    ("power_factor", "power_factor_ratio", "gauge", "Power factor, signed", 3),
    ("sample_age_ms", "sample_age_seconds", "gauge", "Age of the last measurement", 3),
    ("days_left", "credit_left_days", "gauge", "Days the credit lasts, by forecast", 0),
)
# Wh: a joule is a watt second, so each is exact.
JOULES = 3600
ENERGY = (
    ("import_wh", "import_energy_joules_total", "Energy taken from the grid"),
    ("export_wh", "export_energy_joules_total", "Energy fed into the grid"),
)
MONEY = (
    ("balance_micro", "balance", "Posted balance, in units of the currency"),
    ("available_micro", "available", "Balance less what the open interval has used"),
    ("cost_per_hour_micro", "cost_per_hour", "Cost of an hour at the power now"),
)
STATES = ("connected", "ready", "disconnected")


def lines(text):
    """The pieces (str) of the answer; `text` is a view as JSON."""
    view = json.loads(text)
    for name, metric, kind, about, decimals in PLAIN:
        if view.get(name) is not None:
            yield _metric(metric, kind, about, "", fixed(view[name], decimals))
    for name, metric, about in ENERGY:
        if view.get(name) is not None:
            yield _metric(metric, "counter", about, "", str(view[name] * JOULES))
    currency = view.get("currency")
    for name, metric, about in MONEY:
        if currency and view.get(name) is not None:
            labels = '{currency="%s"}' % label(currency)
            yield _metric(metric, "gauge", about, labels, fixed(view[name], 6))
    yield from _rate(view.get("rate"), currency)
    yield from _states(view)


def _rate(rate, currency):
    if not rate or not currency:
        return
    labels = '{currency="%s",band="%s"}' % (label(currency), label(rate["band"]))
    about = "Price of energy now, per kWh in units of the currency"
    price = fixed(rate["price_micro"], 6)
    yield _metric("energy_price_per_kilowatt_hour", "gauge", about, labels, price)


def _states(view):
    state = (view.get("supply") or {}).get("state")
    if state:
        yield _head("supply_state", "gauge", "1 for the state the supply is in")
        for name in STATES:
            yield 'wattledger_supply_state{state="%s"} %d\n' % (name, name == state)
    if view.get("link") is not None:
        yield _metric(
            "utility_link_up", "gauge", "1 while connected to the utility", "", view["link"]
        )
    if view.get("trust"):
        synced = view["trust"] == "synced"
        yield _metric("clock_synced", "gauge", "1 while the clock is certain", "", synced)
    if view.get("alarms") is not None:
        yield _metric("alarms", "gauge", "Alarms that are shown", "", len(view["alarms"]))
    if view.get("meter"):
        labels = '{meter="%s"}' % label(view["meter"])
        yield _metric("meter_info", "gauge", "Which meter this is", labels, 1)


def _metric(name, kind, about, labels, value):
    if isinstance(value, (bool, int)):
        value = "%d" % value
    return "%swattledger_%s%s %s\n" % (_head(name, kind, about), name, labels, value)


def _head(name, kind, about):
    return "# HELP wattledger_%s %s\n# TYPE wattledger_%s %s\n" % (name, about, name, kind)


def fixed(value, decimals):
    """An integer over 10**decimals, exactly, without a float."""
    if not decimals:
        return str(value)
    text = str(abs(value))
    text = "0" * (decimals + 1 - len(text)) + text
    return "%s%s.%s" % ("-" if value < 0 else "", text[:-decimals], text[-decimals:])


def label(text):
    """A label's value, escaped."""
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
