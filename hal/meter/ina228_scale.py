"""What an INA228's shunt and range come to: its LSB of current and its SHUNT_CAL."""

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.ina228_registers import (
    CODES,
    CURRENT_LSBS,
    FULL_SCALE_FINE_NV,
    FULL_SCALE_NV,
    HIGHEST_SHUNT_CAL,
    LOWEST_SHUNT_CAL,
)


def check_range(max_amps, shunt_micro_ohm, fine):
    """ChipError when `max_amps` over the shunt is beyond the input's range."""
    limit = FULL_SCALE_FINE_NV if fine else FULL_SCALE_NV
    if max_amps * shunt_micro_ohm * 1000 > limit:
        raise ChipError(
            "INA228: %d A over %d micro-ohm is more than %d uV of its range; take a smaller "
            "shunt" % (max_amps, shunt_micro_ohm, limit // 1000),
            "calibration",
        )


def current_lsb(max_amps):
    """uA of the current's LSB: the first of CURRENT_LSBS that reaches `max_amps`."""
    for lsb in CURRENT_LSBS:
        if 0 < max_amps * 1_000_000 <= lsb * (CODES - 1):
            return lsb
    raise ChipError("INA228: max_amps is to be 1..1048, not %d" % max_amps, "calibration")


def shunt_cal(lsb_ua, shunt_micro_ohm, gain, fine):
    """13107.2e6 x CURRENT_LSB x R, four times as much in the fine range (datasheet, 8.1.2)."""
    scaled = 131_072 * lsb_ua * shunt_micro_ohm * (4 if fine else 1)
    value = (scaled + 5 * gain) // (10 * gain)
    if not LOWEST_SHUNT_CAL <= value <= HIGHEST_SHUNT_CAL:
        raise ChipError(
            "INA228: SHUNT_CAL comes out at %d, outside %d..%d; the shunt does not suit max_amps"
            % (value, LOWEST_SHUNT_CAL, HIGHEST_SHUNT_CAL),
            "calibration",
        )
    return value


def common(a, b):
    """Greatest common divisor."""
    while b:
        a, b = b, a % b
    return a
