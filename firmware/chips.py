"""The driver of the chip that a board names, loaded only then. Portable."""

from wattledger.hal.errors import ChipError


def driver(board, device, wait_ms, calibration, sampler=None, line=None):
    """The driver of `board.CHIP` on a bus device; `calibration` as hal/contract.py says.

    An MCP3208 needs the `sampler` that runs behind it, and `line`, the class that sums (the
    portable one when None). ChipError when there is no driver of that name, or when it refuses
    the calibration.
    """
    options = dict(board.OPTIONS)
    if board.CHIP == "atm90e32":
        options["channels"] = board.PHASES[: len(calibration)]
    elif board.CHIP == "mcp3208":
        options["sampler"] = sampler
        if line is not None:
            options["line"] = line
    return _class_of(board)(_port(board, device), wait_ms, calibration, **options)


def _class_of(board):
    """Each name once: an image is built from this, and renames what it merges."""
    if board.CHIP == "atm90e32":
        from wattledger.hal.meter.atm90e32 import Atm90e32

        return Atm90e32
    if board.CHIP == "ade7953":
        from wattledger.hal.meter.ade7953 import Ade7953

        return Ade7953
    if board.CHIP == "bl0942":
        from wattledger.hal.meter.bl0942 import Bl0942

        return Bl0942
    if board.CHIP == "cse7766":
        from wattledger.hal.meter.cse7766 import Cse7766

        return Cse7766
    if board.CHIP == "pzem004t":
        from wattledger.hal.meter.pzem004t import Pzem004t

        return Pzem004t
    if board.CHIP == "ina228":
        from wattledger.hal.meter.ina228 import Ina228

        return Ina228
    if board.CHIP == "mcp3208":
        from wattledger.hal.meter.mcp3208 import Mcp3208

        return Mcp3208
    raise ChipError("there is no driver for the chip %r" % board.CHIP, "board")


def _port(board, device):
    """What the driver talks to: an ADE7953 frames its registers by the bus it is on."""
    if board.CHIP != "ade7953":
        return device
    if board.BUS == "spi":
        from wattledger.hal.meter.ade7953_spi import Ade7953Spi

        return Ade7953Spi(device)
    from wattledger.hal.meter.ade7953_i2c import Ade7953I2c

    return Ade7953I2c(device)
