"""The object `quality` of device.json: thresholds and times of what the meter watches for.

Needed at a boot only. docs/tamper-and-quality.md has every key with its source.
"""

from array import array

from wattledger.agent.errors import ConfigError
from wattledger.agent.values import is_integer, shown

# A kind of condition, in the order of conditions.py: seconds until it begins, and until it ends.
TIMES = (
    ("reverse", 10, 10),
    ("no_potential", 60, 60),
    ("high_voltage", 60, 60),
    ("low_voltage", 60, 60),
    ("swell", 1, 3),
    ("sag", 1, 3),
    ("phase_loss", 3, 3),
    ("imbalance", 60, 60),
    ("cover", 0, 1),
    ("magnet", 5, 5),
    ("frozen", 120, 1),
    ("bypass", 60, 60),
    ("sequence", 3, 3),
    ("saturated", 0, 10),
    ("frequency", 10, 10),
)
MAX_S = 3600
# (key, default, lowest, highest), in the order of the indexes below.
LEVELS = (
    ("reverse_permille", 5, 1, 1000),  # of max_amps x max_volts
    ("potential_percent", 50, 10, 90),  # of nominal_volts
    ("potential_ma", 2000, 50, 100000),
    ("high_percent", 110, 101, 150),
    ("low_percent", 90, 50, 99),
    ("loss_percent", 10, 1, 50),
    ("return_percent", 2, 0, 10),  # hysteresis of a voltage
    ("imbalance_ma", 500, 50, 100000),
    ("imbalance_percent", 10, 1, 100),  # of the larger current
    ("frozen_w", 200, 10, 1000000),
    ("frozen_readings", 0, 0, 32767),  # 0: values that stay the same are not judged
    ("bypass_w", 46, 10, 1000000),
    ("nominal_hz", 50, 40, 70),
    ("frequency_permille", 10, 1, 200),
    ("pairs_an_hour", 6, 1, 60),  # of a kind
)


def rows():
    """(key, default, lowest, highest) of every value, in the order of what check() returns."""
    found = [(name + "_s", begin, 0, MAX_S) for name, begin, _ in TIMES]
    found += [(name + "_end_s", end, 0, MAX_S) for name, _, end in TIMES]
    return found + list(LEVELS)


def check(document):
    """array('i'): times to begin, times to end, then LEVELS. ConfigError names key and range."""
    if not isinstance(document, dict):
        raise ConfigError(("quality",), "must be an object, is %s" % shown(document))
    known = rows()
    for key in document:
        if all(key != row[0] for row in known):
            raise ConfigError(("quality", key), "unknown key; remove it or check its spelling")
    values = array("i", [0] * len(known))
    for index, (key, default, low, high) in enumerate(known):
        value = document.get(key, default)
        if not is_integer(value) or not low <= value <= high:
            raise ConfigError(
                ("quality", key),
                "must be a whole number from %d to %d, is %s" % (low, high, shown(value)),
            )
        values[index] = value
    return values
