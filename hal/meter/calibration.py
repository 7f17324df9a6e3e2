"""The calibration file of a meter: constants of its chip and where they come from. Portable.

`calibration.json`: {"v": 1, "chip": name, "constants": [one object a phase], "when": unix seconds,
"against": text, "by": text, "crc": CRC-32 of `text_of`}. The CRC is over a text written by rule,
not over the JSON: whoever formats the file anew does not break it, whoever changes a number does.
"""

import binascii
import json

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.constants import values

VERSION = 1
TEXTS = ("chip", "against", "by")
KEYS = ("v", "when", "constants", "crc") + TEXTS


def text_of(document):
    """What the CRC is over: a line a fact, constants by name in alphabetical order."""
    lines = ["wattledger calibration %d" % document["v"]]
    for key in TEXTS:
        lines.append("%s=%s" % (key, document[key]))
    lines.append("when=%d" % document["when"])
    for phase, constants in enumerate(document["constants"]):
        for name in sorted(constants):
            lines.append("%d.%s=%d" % (phase, name, constants[name]))
    return "\n".join(lines)


def crc_of(document):
    """CRC-32 of a calibration without its `crc`."""
    return binascii.crc32(text_of(document).encode())


def load(data, chip, table):
    """Constants, a dict for each phase, from the bytes of a file of a `chip`.

    `table` is its driver's CONSTANTS. ChipError at stage "calibration" names the key, its
    value and its range.
    """
    try:
        document = json.loads(data)
    except ValueError:
        raise _refused("is not JSON; calibrate again or restore its copy")
    if not isinstance(document, dict):
        raise _refused("must be an object")
    for key in KEYS:
        if key not in document:
            raise _refused("lacks %s" % key)
    if document["v"] != VERSION:
        raise _refused("v must be %d, is %r" % (VERSION, document["v"]))
    for key in TEXTS:
        if not isinstance(document[key], str):
            raise _refused("%s must be a text, is %r" % (key, document[key]))
    for key in ("when", "crc"):
        if type(document[key]) is not int or document[key] < 0:
            raise _refused("%s must be a whole number from 0, is %r" % (key, document[key]))
    if document["chip"] != chip:
        raise _refused(
            "is for %s, the board has %s; calibrate this meter, or name its board in device.json"
            % (document["chip"], chip)
        )
    phases = document["constants"]
    if not isinstance(phases, list) or not 1 <= len(phases) <= 3:
        raise _refused("constants must be a list of 1 to 3 objects")
    for phase, constants in enumerate(phases):
        if not isinstance(constants, dict):
            raise _refused("constants[%d] must be an object" % phase)
        try:
            values(table, constants)
        except ChipError as error:
            raise _refused("constants[%d]: %s" % (phase, error))
    if crc_of(document) != document["crc"]:
        raise _refused(
            "crc is %d, its content has %d: the file was changed by hand or is damaged"
            % (document["crc"], crc_of(document))
        )
    return phases


def _refused(what):
    return ChipError("calibration file: %s" % what, "calibration")
