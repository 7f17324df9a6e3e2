"""The device discovery message of Home Assistant: what a meter offers, as MQTT entities.

`homeassistant/device/<meter>/config`, retained, in the abbreviations of Home Assistant 2024.12 and
later (components/mqtt/abbreviations.py). Every value comes from the state topic by a template;
one that is null there is unknown in Home Assistant too. docs/home-assistant.md has the list.
"""

from wattledger.agent.comms import topics
from wattledger.agent.supply import states

CURRENCY = "$"  # in a unit: that of the tariff
MISSED = 3  # states that may stay away before a value is unknown
LEAST_S = 60

# key, name, device class, state class, unit, decimals, place in the state, what it is divided by
SENSORS = (
    ("import", "Energy import", "energy", "total_increasing", "kWh", 3, "import_wh", 1000),
    ("export", "Energy export", "energy", "total_increasing", "kWh", 3, "export_wh", 1000),
    ("power", "Power", "power", "measurement", "W", 0, "power_mw", 1000),
    ("voltage", "Voltage", "voltage", "measurement", "V", 1, "voltage_mv", 1000),
    ("current", "Current", "current", "measurement", "A", 2, "current_ma", 1000),
    ("frequency", "Frequency", "frequency", "measurement", "Hz", 2, "frequency_mhz", 1000),
    ("days", "Days left", "duration", "measurement", "d", 0, "days_left", 1),
    # Of all these the unit is the tariff's currency: before the first tariff there are none.
    ("balance", "Balance", "monetary", "total", "$", 2, "available_micro", 1000000),
    ("cost", "Cost", "monetary", "total", "$", 2, "home.cost_micro", 1000000),
    ("earned", "Export earned", "monetary", "total", "$", 2, "home.earned_micro", 1000000),
    ("price", "Price", None, "measurement", "$/kWh", 4, "rate.price_micro", 1000000),
    ("feed", "Export price", None, "measurement", "$/kWh", 4, "rate.export_micro", 1000000),
)
RESET = ("cost", "earned")  # begin anew when their memory was lost
# key, name, device class, the expression that is true for ON
BINARY = (
    ("low", "Low balance", "problem", "value_json.zone not in('normal','untariffed')"),
    ("supply", "Supply", "power", "value_json.supply.state=='connected'"),
    ("tamper", "Tamper", "tamper", "value_json.tamper"),
    ("alarm", "Alarm", "problem", "value_json.alarms"),
)
# key, name, expression
TEXTS = (
    ("reason", "Supply reason", "value_json.supply.reason"),
    ("message", "Message", "value_json.home.message"),
)
SWITCHED = '"ops":["%s","%s","%s"]' % (
    states.NAMES[states.CONNECTED],
    states.NAMES[states.DISCONNECTED],
    states.NAMES[states.READY],
)


def pieces(config, firmware, currency):
    """The message in pieces of text, ASCII only; `currency` is None before the first tariff."""
    meter = config.meter
    base = topics.topic(config.tenant, meter, "")
    yield '{"dev":{"ids":["wl_%s"],"name":"Meter %s","mf":"Wattledger",' % (meter, meter)
    yield '"mdl":"%s","sn":"%s","sw":"%s"},' % (config.board, meter, firmware)
    yield '"o":{"name":"Wattledger","sw":"%s"},' % firmware
    yield '"avty_t":"%s%s","pl_avail":"%s","pl_not_avail":"%s",' % (
        base,
        topics.STATUS,
        topics.ONLINE.decode(),
        topics.OFFLINE.decode(),
    )
    yield '"stat_t":"%s%s","qos":1,"cmps":{' % (base, topics.STATE)
    rest = ',"uniq_id":"wl_%s_%%s","exp_aft":%d}' % (
        meter,
        max(MISSED * config.state_s, LEAST_S),
    )
    for sensor in SENSORS:
        if currency is not None or CURRENCY not in sensor[4]:
            yield _sensor(sensor, currency) + rest % sensor[0] + ","
    for key, name, device_class, truth in BINARY:
        yield '"%s":{"p":"binary_sensor","name":"%s","dev_cla":"%s",' % (key, name, device_class)
        yield "\"val_tpl\":\"{{'ON' if %s else 'OFF'}}\"" % truth + rest % key + ","
    for key, name, place in TEXTS:
        yield '"%s":{"p":"sensor","name":"%s","val_tpl":"{{%s or none}}"' % (key, name, place)
        yield rest % key + ","
    yield '"state":{"p":"sensor","name":"Supply state","dev_cla":"enum",%s,' % SWITCHED
    yield '"val_tpl":"{{value_json.supply.state}}"' + rest % "state" + ","
    yield '"reconnect":{"p":"button","name":"Request reconnect","uniq_id":"wl_%s_' % meter
    yield 'reconnect","cmd_t":"%s%s"}}}' % (base, topics.RECONNECT)


def _sensor(sensor, currency):
    key, name, device_class, state_class, unit, decimals, place, divisor = sensor
    unit = unit.replace(CURRENCY, currency or "")
    text = '"%s":{"p":"sensor","name":"%s","stat_cla":"%s","unit_of_meas":"%s",' % (
        key,
        name,
        state_class,
        unit,
    )
    if device_class:
        text += '"dev_cla":"%s",' % device_class
    if key in RESET:
        text += '"lrst_val_tpl":"{{value_json.home.since}}",'
    return text + '"sug_dsp_prc":%d,"val_tpl":"{%%set v=value_json.%s%%}%s"' % (
        decimals,
        place,
        "{{v/%d if v is number else none}}" % divisor,
    )


def build(config, firmware, currency):
    """The message as a bytearray of its exact size: the heap holds it once, and one piece."""
    size = 0
    for piece in pieces(config, firmware, currency):
        size += len(piece)
    data = bytearray(size)
    at = 0
    for piece in pieces(config, firmware, currency):
        data[at : at + len(piece)] = piece.encode()
        at += len(piece)
    return data
