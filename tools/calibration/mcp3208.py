"""The MCP3208's constants: the worth of a code, and the angle of the current's transformer.

Power and energy are products of both codes, so they have no gain of their own; offsets follow the
means of the samples by themselves.
"""

from wattledger.hal.meter.mcp3208 import CONSTANTS, Mcp3208
from wattledger.tools.calibration.gains import current, voltage

__all__ = ["DRIVER", "NAME", "TABLE", "angle", "current", "voltage"]

NAME = "mcp3208"
DRIVER = Mcp3208
TABLE = CONSTANTS


def angle(constants: dict[str, int], degrees: float, hertz: float) -> None:
    """The current must be read as lagging by `degrees` more: the sensed one leads by them."""
    constants["phase"] += round(degrees * 1000)
