"""What the ADE7953's driver writes into a chip, out of a board's constants and its calibration."""

from wattledger.hal.errors import ChipError
from wattledger.hal.meter import ade7953_registers as r
from wattledger.hal.meter.constants import named
from wattledger.hal.meter.scale import nearest_fraction

CONSTANTS = (
    ("voltage_gain", 0x400000, 0x200000, 0x600000),
    ("current_gain", 0x400000, 0x200000, 0x600000),
    ("power_gain", 0x400000, 0x200000, 0x600000),
    ("reactive_gain", 0x400000, 0x200000, 0x600000),
    ("apparent_gain", 0x400000, 0x200000, 0x600000),
    ("phase", 0, -383, 383),  # 1.117 us each (0.02 degree at 50 Hz); above 0 delays the current
    ("voltage_offset", 0, -0x800000, 0x7FFFFF),
    ("current_offset", 0, -0x800000, 0x7FFFFF),
    ("power_offset", 0, -0x800000, 0x7FFFFF),
    ("reactive_offset", 0, -0x800000, 0x7FFFFF),
)
# The voltage has one converter, and the datasheet says to leave BVGAIN alone.
OF_CHANNEL_A = ("voltage_gain", "voltage_offset")
OF_CHANNEL_B = tuple(row for row in CONSTANTS if row[0] not in OF_CHANNEL_A)
LOCK = [  # what stands beside the set-up in a chip that is ours
    (r.RESERVED_OPTIMUM, r.OPTIMUM_CODE),
    (r.CONFIG, r.CONFIG_OURS),
    (r.WRITE_PROTECT, r.PROTECT_ALL),
]
RESET_STEP_MS = 10
RESET_STEPS = 10
MOST_NUMERATOR = 31
MOST_DENOMINATOR = 16_384
ADVANCE = 0x200  # the sign of PHCAL, which is sign and magnitude, not two's complement


def setup(calibration, levels):
    """[(register, value)] for constants of one or two channels and (sag, voltage, current)."""
    sag, over_voltage, over_current = levels
    found = [
        (r.DISNOLOAD, 0),
        (r.LCYCMODE, r.RSTREAD),
        (r.PGA_V, 0),
        (r.PGA_IA, 0),
        (r.PGA_IB, 0),
        (r.ACCMODE, 0),  # signed accumulation
        (r.AP_NOLOAD, r.NO_LOAD),
        (r.VAR_NOLOAD, r.NO_LOAD),
        (r.VA_NOLOAD, 0),
        (r.SAGCYC, 3 if sag else 0),
        (r.SAGLVL, sag),
        (r.OVLVL, over_voltage),
        (r.OILVL, over_current),
        (r.IRQENA, r.IRQ_OVERFLOW | r.IRQ_OVER_CURRENT | r.IRQ_OVER_VOLTAGE | r.IRQ_SAG),
        (r.IRQENB, r.IRQ_OVERFLOW | r.IRQ_OVER_CURRENT),
    ]
    for channel, given in enumerate(calibration):
        table = OF_CHANNEL_B if channel else CONSTANTS
        constants = named(table, given)
        base = channel * r.CHANNEL_B
        phase = constants["phase"]
        found.append((r.PHCALA + channel, ADVANCE | -phase if phase < 0 else phase))
        for register, name in (
            (r.AVGAIN, "voltage_gain"),
            (r.AIGAIN, "current_gain"),
            (r.AWGAIN, "power_gain"),
            (r.AVARGAIN, "reactive_gain"),
            (r.AVAGAIN, "apparent_gain"),
            (r.VRMSOS, "voltage_offset"),
            (r.AIRMSOS, "current_offset"),
            (r.AWATTOS, "power_offset"),
            (r.AVAROS, "reactive_offset"),
        ):
            if name in constants:
                found.append((register + base, constants[name] & 0xFFFFFF))
    return found


def write(port, registers, wait_ms):
    """Reset the chip, write `registers`, lock, read everything back. ChipError, BusError."""
    port.write(r.WRITE_PROTECT, 0)
    port.write(r.CONFIG, r.SOFTWARE_RESET)
    for _ in range(RESET_STEPS):
        wait_ms(RESET_STEP_MS)
        if port.read(r.IRQSTATA) & r.IRQ_RESET:
            break
    else:
        raise ChipError("ADE7953 does not come out of its reset", "reset")
    # The second must follow the first at once, after every power-up.
    port.write(r.UNLOCK, r.UNLOCK_CODE)
    port.write(r.RESERVED_OPTIMUM, r.OPTIMUM_CODE)
    for register, value in registers:
        port.write(register, value)
    port.read(r.RSTIRQSTATA)
    port.read(r.RSTIRQSTATB)
    port.write(r.CONFIG, r.CONFIG_OURS)
    port.write(r.WRITE_PROTECT, r.PROTECT_ALL)
    for register, value in registers + LOCK:
        found = port.read(register)
        if found != value and port.read(register) != value:
            raise ChipError(
                "ADE7953 register 0x%03X reads 0x%X, 0x%X was written" % (register, found, value),
                "read back",
            )


def holds(port, registers):
    """True when all of the set-up holds; one misheard answer is asked again. BusError."""
    return all(
        port.read(register) == value or port.read(register) == value
        for register, value in registers + LOCK
    )


def energy_fraction(volt_lsb, amp_lsb):
    """Wh of a count; the exact fraction has 14 digits.

    4096 s of two circuits, as counts times its numerator, are to stay below 2**30. At full scale a
    circuit makes 13.2 million counts in that time, so a numerator up to 31 does; and so does a
    denominator up to 16 384, where full scale is more than the 55 kW of two circuits.
    """
    count = r.FULL_RMS**2 << r.COUNT_BITS
    one = volt_lsb * amp_lsb * r.COUNTS_PER_S * 3600
    if count * MOST_DENOMINATOR > one * MOST_NUMERATOR:
        return nearest_fraction(count, one, MOST_DENOMINATOR)
    denominator, numerator = nearest_fraction(one, count, MOST_NUMERATOR)
    return numerator, denominator


def power_fraction(volt_lsb, amp_lsb):
    """mW of a power's LSB, the smaller of its two numbers at most 1000."""
    step = 1000 * r.FULL_RMS**2
    one = volt_lsb * amp_lsb * r.FULL_POWER
    if step > one:
        return nearest_fraction(step, one, 1000)
    denominator, numerator = nearest_fraction(one, step, 1000)
    return numerator, denominator
