"""The chips that can be calibrated, by the names their boards give."""

import importlib
from types import ModuleType

from wattledger.tools.calibration.reading import CalibrationError

NAMES = ("ade7953", "atm90e32", "bl0942", "cse7766", "ina228", "mcp3208", "pzem004t")


def load(name: str) -> ModuleType:
    """What turns a chip's errors into its constants. CalibrationError names those there are."""
    if name not in NAMES:
        raise CalibrationError(f"no calibration for a {name}; there is one for {', '.join(NAMES)}")
    return importlib.import_module(f"wattledger.tools.calibration.{name}")
