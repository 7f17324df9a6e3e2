"""The PZEM-004T's constants: gains in ppm of what the module says."""

from wattledger.hal.meter.pzem004t import CONSTANTS, Pzem004t
from wattledger.tools.calibration.gains import current, energy, power, voltage

__all__ = ["DRIVER", "NAME", "TABLE", "current", "energy", "power", "voltage"]

NAME = "pzem004t"
DRIVER = Pzem004t
TABLE = CONSTANTS
