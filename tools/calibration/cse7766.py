"""The CSE7766's constants: gains in ppm of what its factory coefficients give."""

from wattledger.hal.meter.cse7766 import CONSTANTS, Cse7766
from wattledger.tools.calibration.gains import current, energy, power, voltage

__all__ = ["DRIVER", "NAME", "TABLE", "current", "energy", "power", "voltage"]

NAME = "cse7766"
DRIVER = Cse7766
TABLE = CONSTANTS
