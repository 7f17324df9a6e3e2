"""The BL0942's constants: gains in ppm, energy's its own.

Published constants of energy and power disagree by 1.55 (ESPHome, Tasmota), so what a power says
of the energy is nothing to rely on: a count is weighed against the reference over minutes.
"""

from wattledger.hal.meter.bl0942 import CONSTANTS, Bl0942
from wattledger.tools.calibration.gains import current, energy, power, voltage

__all__ = ["DRIVER", "NAME", "TABLE", "WIDE", "current", "energy", "power", "voltage"]

NAME = "bl0942"
DRIVER = Bl0942
TABLE = CONSTANTS
WIDE = ("energy_gain",)  # may be further from the board's than a tolerance explains
