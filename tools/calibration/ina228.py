"""The INA228's one constant: the current's gain. Power and energy follow it.

A direct current has no phase, and the voltage is the chip's own: it has no divider before it.
"""

from wattledger.hal.meter.ina228 import CONSTANTS, Ina228
from wattledger.tools.calibration.gains import current

__all__ = ["DIRECT", "DRIVER", "NAME", "TABLE", "current"]

NAME = "ina228"
DRIVER = Ina228
TABLE = CONSTANTS
DIRECT = True
