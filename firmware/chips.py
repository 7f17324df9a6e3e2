"""The driver of the chip that a board names, loaded only then. Portable."""

from wattledger.hal.errors import ChipError


def driver(board, device, wait_ms, calibration, sampler=None, line=None):
    """The driver of `board.CHIP` on a bus device; `calibration` as hal/contract.py says.

    An MCP3208 needs the `sampler` that runs behind it, and `line`, the class that sums (the
    portable one when None). ChipError when there is no driver of that name, or when it refuses
    the calibration.
    """
    chip = board.CHIP
    options = board.OPTIONS
    if chip == "atm90e32":
        from wattledger.hal.meter.atm90e32 import Atm90e32 as Driver

        options = dict(options, channels=board.PHASES[: len(calibration)])
    elif chip == "ade7953":
        from wattledger.hal.meter.ade7953 import Ade7953 as Driver

        if board.BUS == "spi":
            from wattledger.hal.meter.ade7953_spi import Ade7953Spi as Port
        else:
            from wattledger.hal.meter.ade7953_i2c import Ade7953I2c as Port
        device = Port(device)
    elif chip == "bl0942":
        from wattledger.hal.meter.bl0942 import Bl0942 as Driver
    elif chip == "cse7766":
        from wattledger.hal.meter.cse7766 import Cse7766 as Driver
    elif chip == "pzem004t":
        from wattledger.hal.meter.pzem004t import Pzem004t as Driver
    elif chip == "ina228":
        from wattledger.hal.meter.ina228 import Ina228 as Driver
    elif chip == "mcp3208":
        from wattledger.hal.meter.mcp3208 import Mcp3208 as Driver

        options = dict(options, sampler=sampler)
        if line is not None:
            options["line"] = line
    else:
        raise ChipError("there is no driver for the chip %r" % chip, "board")
    return Driver(device, wait_ms, calibration, **options)
