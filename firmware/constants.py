"""The calibration constants of a board's chip: the board's own, and what calibration made of them.

Portable, and a file of its own: needed at boot only.
"""

import json

from wattledger.hal.errors import ChipError


def table(chip):
    """The constants that a calibration of `chip` may name: rows of (name, nominal, low, high).

    A name for each: an image has the driver of one in its core, and takes the name from there.
    """
    if chip == "atm90e32":
        from wattledger.hal.meter.atm90e32_setup import CONSTANTS as ATM90E32

        return ATM90E32
    if chip == "ade7953":
        from wattledger.hal.meter.ade7953_setup import CONSTANTS as ADE7953

        return ADE7953
    if chip == "bl0942":
        from wattledger.hal.meter.bl0942 import CONSTANTS as BL0942

        return BL0942
    if chip == "cse7766":
        from wattledger.hal.meter.cse7766 import CONSTANTS as CSE7766

        return CSE7766
    if chip == "pzem004t":
        from wattledger.hal.meter.pzem004t import CONSTANTS as PZEM004T

        return PZEM004T
    if chip == "ina228":
        from wattledger.hal.meter.ina228 import CONSTANTS as INA228

        return INA228
    if chip == "mcp3208":
        from wattledger.hal.meter.mcp3208 import CONSTANTS as MCP3208

        return MCP3208
    raise ChipError("there is no driver for the chip %r" % chip, "board")


def constants(board, data):
    """The constants of each phase: the board's, and over them those of calibration.json.

    `data` is the file's bytes, None without one. ChipError at stage "calibration" says what is
    wrong with the file and what to do.
    """
    found = [dict(phase) for phase in board.CALIBRATION]
    if data is None:
        return found
    # Here, because a meter without a calibration has no heap to spare for its reader.
    from wattledger.hal.meter import calibration

    phases = calibration.load(data, board.CHIP, table(board.CHIP))
    if len(phases) != len(found):
        raise ChipError(
            "calibration file: has %d phases, the board %s has %d; calibrate this meter again"
            % (len(phases), board.NAME, len(found)),
            "calibration",
        )
    for phase, measured in enumerate(phases):
        found[phase].update(measured)
    return found


def identity(data):
    """Which calibration a checked file is: its CRC-32; 0 for the board's own constants."""
    return 0 if data is None else json.loads(data)["crc"]
