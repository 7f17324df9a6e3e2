"""The ATM90E32's set-up: calibration and mode as a list of registers, written and read back.

Sources: Atmel-46003B (datasheet); formulas and order: Atmel-46103A (application note). A wire may
flip a bit of a write too, so a register that holds its value already is not written at all: a
write that goes astray then always leaves its own register wrong, and is seen.
"""

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.atm90e32_registers import (
    CFG_REG_ACC_EN,
    CONFIRMATIONS,
    ENABLE_A,
    FREQUENCY_60HZ,
    LAST_SPI_DATA,
    LOSS_PERCENT,
    M_MODE_0,
    METER_EN,
    MODE_BASE,
    NOMINAL_CV,
    P_OFFSET,
    PEAK_SCALE,
    PHASE_LOSS_TH,
    PQ_GAIN,
    RESET_CODE,
    RESET_MS,
    SAG_PERCENT,
    SAG_TH,
    SETUP,
    SOFT_RESET,
    U_GAIN,
    UNLOCK_CODE,
)
from wattledger.hal.meter.constants import values

# (name, nominal, lowest, highest) of each constant of a phase. `phase` delays the current by so
# many cycles of 2.048 MHz (8.79 millidegrees at 50 Hz each), the voltage when negative.
CONSTANTS = (
    ("voltage_gain", 0x8000, 1, 0xFFFF),
    ("current_gain", 0x8000, 1, 0xFFFF),
    ("voltage_offset", 0, -32768, 32767),
    ("current_offset", 0, -32768, 32767),
    ("power_gain", 0, -32768, 32767),
    ("phase", 0, -255, 255),
    ("power_offset", 0, -32768, 32767),
    ("reactive_offset", 0, -32768, 32767),
)
DELAY_VOLTAGE = 0x8000  # of Phi


def setup(calibration, channels, sixty_hertz):
    """[(register, value)] for the calibration of each channel in use. ChipError."""
    mode = MODE_BASE | (FREQUENCY_60HZ if sixty_hertz else 0)
    found = []
    for place, channel in enumerate(channels):
        mode |= ENABLE_A >> channel
        constants = values(CONSTANTS, calibration[place])
        for at in range(4):
            found.append((U_GAIN + 4 * channel + at, constants[at] & 0xFFFF))
        phase = constants[5]
        if phase < 0:
            phase = DELAY_VOLTAGE | -phase
        found.append((PQ_GAIN + 2 * channel, constants[4] & 0xFFFF))
        found.append((PQ_GAIN + 2 * channel + 1, phase))
        found.append((P_OFFSET + 2 * channel, constants[6] & 0xFFFF))
        found.append((P_OFFSET + 2 * channel + 1, constants[7] & 0xFFFF))
        if place == 0:
            # One threshold for all phases, in units of the first one's gain.
            scale = NOMINAL_CV * PEAK_SCALE // 100
            found.append((SAG_TH, min(scale * SAG_PERCENT // constants[0], 0xFFFF)))
            found.append((PHASE_LOSS_TH, min(scale * LOSS_PERCENT // constants[0], 0xFFFF)))
    found.append((M_MODE_0, mode))
    return list(SETUP) + found


def write(port, registers, wait_ms):
    """Reset the chip, write `registers`, read them back, lock. ChipError, BusError."""
    for _ in range(CONFIRMATIONS):
        _unlock(port, wait_ms)
        if _fill(port, registers):
            break
    for register, value in registers:
        found = _heard(port, register, value)
        if found != value:
            raise ChipError(
                "ATM90E32 register 0x%02X reads 0x%04X, 0x%04X was written"
                % (register, found, value),
                "read back",
            )
    for _ in range(CONFIRMATIONS):
        port.write(CFG_REG_ACC_EN, 0)
        if port.read(CFG_REG_ACC_EN) == 0:
            return
    raise ChipError("ATM90E32 cannot be locked", "lock")


def _unlock(port, wait_ms):
    port.write(SOFT_RESET, RESET_CODE)
    wait_ms(RESET_MS)
    port.write(CFG_REG_ACC_EN, UNLOCK_CODE)
    if port.read(LAST_SPI_DATA) != UNLOCK_CODE:
        raise ChipError("ATM90E32 does not answer: check power, wiring and SPI mode 3", "bus")
    if port.read(METER_EN) and port.read(METER_EN):
        raise ChipError("ATM90E32 did not take its reset", "reset")


def _fill(port, registers):
    """Write what is not there yet; False when one did not arrive.

    It may have gone to another register, which only a reset puts right.
    """
    for register, value in registers:
        if port.read(register) != value:
            port.write(register, value)
            if _heard(port, register, value) != value:
                return False
    return True


def holds(port, registers):
    """True when every register holds its value. BusError."""
    return all(_heard(port, register, value) == value for register, value in registers)


def _heard(port, register, value):
    """The content of a register; one that is not `value` was perhaps misheard: asked again."""
    found = port.read(register)
    return found if found == value else port.read(register)
