"""Runs inside the Python of Home Assistant (homeassistant_bench.py), with none of our modules.

Each discovery message on stdin goes the way it goes in Home Assistant: its abbreviations, the
schema of a device, what its components share, the schema of each platform. On stdout a finding
for each: {"components": {id: platform}, "faults": {id: what is wrong}, "ignored": [...]}.
"""

import json
import logging
import sys
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock


class NoCloud:
    """The client of a cloud account stands in the way of no schema: a stand-in is imported."""

    def find_spec(self, name, path=None, target=None):
        return (
            ModuleSpec(name, self, is_package=True) if name.startswith("hass_nabucasa") else None
        )

    def create_module(self, spec):
        return MagicMock(name=spec.name, __path__=[], __spec__=spec)

    def exec_module(self, module):
        pass


logging.disable(logging.CRITICAL)  # it reports that schemas run outside its event loop
sys.meta_path.insert(0, NoCloud())
sys.path.insert(0, sys.argv[1])

import voluptuous  # noqa: E402
from homeassistant.components.mqtt import (  # noqa: E402
    binary_sensor,
    button,
    discovery,
    schemas,
    sensor,
)
from homeassistant.components.sensor import const  # noqa: E402

PLATFORMS = {"sensor": sensor, "binary_sensor": binary_sensor, "button": button}


def look_at(message):
    payload = discovery.MQTTDiscoveryPayload(json.loads(message))
    discovery._replace_all_abbreviations(payload)
    found = {"components": {}, "faults": {}, "ignored": []}
    try:
        schemas.DEVICE_DISCOVERY_SCHEMA(payload)
    except voluptuous.Invalid as error:
        found["faults"][""] = str(error)
        return found
    for name, component in payload["components"].items():
        entity = discovery.MQTTDiscoveryPayload(component)
        discovery._merge_common_device_options(entity, payload)
        platform = entity.pop("platform")
        found["components"][name] = platform
        try:
            taken = PLATFORMS[platform].DISCOVERY_SCHEMA(dict(entity, device=payload["device"]))
        except voluptuous.Invalid as error:
            found["faults"][name] = str(error)
            continue
        found["ignored"] += [
            f"{name}.{key}" for key in component if key not in (*taken, "platform")
        ]
        fault = class_fault(taken)
        if fault:
            found["faults"][name] = fault
    return found


def class_fault(entity):
    """What the sensor component says of a class at run time, where the schema says nothing."""
    if "state_class" not in entity or not entity.get("device_class"):
        return None
    allowed = const.DEVICE_CLASS_STATE_CLASSES[entity["device_class"]]
    if entity["state_class"] not in allowed:
        return f"state class {entity['state_class']} of a {entity['device_class']}"
    units = const.DEVICE_CLASS_UNITS.get(entity["device_class"])
    if units is not None and entity.get("unit_of_measurement") not in units:
        return f"unit {entity.get('unit_of_measurement')} of a {entity['device_class']}"
    return None


json.dump([look_at(message) for message in json.load(sys.stdin)], sys.stdout)
