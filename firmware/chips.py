"""The driver of the chip that a board names, loaded only then. Portable."""

from wattledger.hal.errors import ChipError


def driver(board, device, wait_ms, calibration):
    """The driver of `board.CHIP` on a bus device; `calibration` as hal/contract.py says.

    ChipError when there is no driver of that name, or when it refuses the calibration.
    """
    chip = board.CHIP
    if chip == "atm90e32":
        from wattledger.hal.meter.atm90e32 import Atm90e32 as Driver
    else:
        raise ChipError("there is no driver for the chip %r" % chip, "board")
    return Driver(device, wait_ms, calibration, **board.OPTIONS)
