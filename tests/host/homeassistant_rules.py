"""What Home Assistant 2026.11 asks of a device discovery message, written out from its sources:
components/mqtt/schemas.py, sensor.py, binary_sensor.py, button.py and abbreviations.py,
components/sensor/const.py (DEVICE_CLASS_UNITS, DEVICE_CLASS_STATE_CLASSES) and recorder.py of the
wheel homeassistant-2026.11.0. Only the classes that a meter uses stand here.
"""

import functools
import json
import re

import jinja2

ABBREVIATIONS = {
    "p": "platform",
    "cmps": "components",
    "dev": "device",
    "o": "origin",
    "ops": "options",
    "stat_t": "state_topic",
    "cmd_t": "command_topic",
    "avty_t": "availability_topic",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "uniq_id": "unique_id",
    "exp_aft": "expire_after",
    "val_tpl": "value_template",
    "dev_cla": "device_class",
    "stat_cla": "state_class",
    "unit_of_meas": "unit_of_measurement",
    "sug_dsp_prc": "suggested_display_precision",
    "lrst_val_tpl": "last_reset_value_template",
}
DEVICE = {"ids": "identifiers", "mf": "manufacturer", "mdl": "model", "sn": "serial_number"}
DEVICE["sw"] = "sw_version"
# device class: (state classes, units); a currency is any code of ISO 4217
CLASSES = {
    "energy": (
        {"total", "total_increasing"},
        {"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal"},
    ),
    "power": ({"measurement"}, {"mW", "W", "kW", "MW", "GW", "TW"}),
    "voltage": ({"measurement"}, {"μV", "mV", "V", "kV", "MV"}),
    "current": ({"measurement"}, {"mA", "A"}),
    "frequency": ({"measurement"}, {"mHz", "Hz", "kHz", "MHz", "GHz"}),
    "duration": (
        {"measurement", "measurement_angle", "total", "total_increasing"},
        {"d", "h", "min", "s", "ms", "μs"},
    ),
    "monetary": ({"total"}, None),
    "enum": (set(), None),
}
BINARY_CLASSES = {"problem", "power", "tamper"}
COMMON = {"platform", "unique_id", "name", "device_class", "value_template", "expire_after"}
KEYS = {
    "sensor": COMMON
    | {"state_class", "unit_of_measurement", "suggested_display_precision"}
    | {"last_reset_value_template", "options"},
    "binary_sensor": COMMON,
    "button": {"platform", "unique_id", "name", "device_class", "command_topic"},
}


def expanded(names, table):
    """A dict with its abbreviations written out."""
    return {table.get(key, key): value for key, value in names.items()}


def read(data):
    """The message as Home Assistant reads it."""
    message = expanded(json.loads(data), ABBREVIATIONS)
    message["device"] = expanded(message["device"], DEVICE)
    message["components"] = {
        key: expanded(component, ABBREVIATIONS) for key, component in message["components"].items()
    }
    return message


def faults(message):
    """What 2026.11 would refuse or ignore in a message that was read."""
    for key in ("device", "origin", "components", "state_topic", "availability_topic"):
        if not message.get(key):
            yield f"no {key}"
    if not message["device"].get("identifiers"):
        yield "a device without identifiers"
    if not message["origin"].get("name"):
        yield "an origin without a name"
    seen = [component.get("unique_id") for component in message["components"].values()]
    if None in seen or len(set(seen)) != len(seen):
        yield "unique ids that are missing or the same"
    for key, component in message["components"].items():
        for fault in component_faults(component):
            yield f"{key}: {fault}"


def component_faults(component):
    unknown = set(component) - KEYS[component["platform"]]
    if unknown:
        yield f"unknown {sorted(unknown)}"
    if component["platform"] == "button":
        if not component.get("command_topic"):
            yield "a button without a command topic"
        return
    if component["platform"] == "binary_sensor":
        if component["device_class"] not in BINARY_CLASSES:
            yield f"no class {component['device_class']} of a binary sensor"
        return
    state_class, unit = component.get("state_class"), component.get("unit_of_measurement")
    if "last_reset_value_template" in component and state_class != "total":
        yield f"a last reset of the state class {state_class}"
    device_class = component.get("device_class")
    if "options" in component and (device_class != "enum" or state_class or unit):
        yield "options of what is no enum"
    if device_class is None:
        return
    state_classes, units = CLASSES[device_class]
    if state_class is not None and state_class not in state_classes:
        yield f"state class {state_class} of a {device_class}"
    if units is not None and unit not in units:
        yield f"unit {unit} of a {device_class}"
    if device_class == "monetary" and not re.fullmatch("[A-Z]{3}", unit or ""):
        yield f"{unit} is no currency"


_compiled = functools.cache(jinja2.Environment(autoescape=False).from_string)


def render(template, state):
    """What a value template makes of a state message; None is an unknown value there."""
    text = _compiled(template).render(value_json=state)
    return None if text == "None" else text


def values(message, state):
    """{component: rendered value} of a message that was read, over one state."""
    return {
        key: render(component["value_template"], state)
        for key, component in message["components"].items()
        if "value_template" in component
    }


class Statistics:
    """The sum that the recorder keeps of one sensor, as the energy dashboard shows it.

    A run of five minutes begins with what the one before ended at. A total begins a new cycle,
    from zero, when its last reset changes; one that only increases, when it falls below 90 % of
    what it was. The very first value is the zero point. A value below zero of one that only
    increases is left out.
    """

    def __init__(self, increasing):
        self._increasing = increasing
        self._cycle = None  # the last reset the cycle began with
        self._from = None  # value the sum was taken up to
        self._last = None
        self.sum = 0.0
        self.cycles = 0

    def take(self, text, last_reset=None):
        """One state of the sensor."""
        value = float(text)
        if self._increasing and value < 0:
            return
        if self._last is None:
            self._from = value
        elif (self._increasing and value < 0.9 * self._last) or (
            not self._increasing and last_reset is not None and last_reset != self._cycle
        ):
            self.sum += self._last - self._from
            self._from = 0.0
            self.cycles += 1
        self._last, self._cycle = value, last_reset

    def compile(self):
        """The end of a run: what the sensor moved is in the sum."""
        self.sum += self._last - self._from
        self._from = self._last
