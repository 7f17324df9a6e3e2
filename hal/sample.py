"""One reading of a metering chip: an `array('i')` of fixed shape, filled in place by a driver.

Integers only. Per-phase fields stand at `phase * PHASE_FIELDS + field` for phases 0..2 (A, B, C);
a field the chip cannot give stays 0 and its bit in the driver's `fields` is clear (`field_bit`).
"""

from array import array

# Per-phase fields.
VOLTAGE_MV = 0
CURRENT_MA = 1
POWER_MW = 2  # signed: positive is import
REACTIVE_MVAR = 3  # signed
APPARENT_MVA = 4
POWER_FACTOR = 5  # 1/1000, signed
ENERGY_COUNTS = 6  # signed: counts moved since the read before; import positive
PHASE_FIELDS = 7

MAX_PHASES = 3

# Fields of the whole sample, after those of the phases.
FREQUENCY_MHZ = MAX_PHASES * PHASE_FIELDS
TEMPERATURE_DC = FREQUENCY_MHZ + 1  # 0.1 C
NEUTRAL_MA = TEMPERATURE_DC + 1  # current of the neutral, or of a second sensor
FLAGS = NEUTRAL_MA + 1  # what the chip itself found wrong with the mains, bits below
SAMPLE_LENGTH = FLAGS + 1

# Bits of sample[FLAGS]; the first two of phase A, B and C stand at `bit << phase`.
FLAG_SAG = 1
FLAG_PHASE_LOSS = 8
FLAG_SEQUENCE = 64  # the voltages of the phases follow each other the wrong way round
FLAG_SATURATED = 128  # an input was over the range of its converter: energy may be missing

# What `read_into` returns: a set of bits, 0 when all is well. A fault is a status, never an
# exception past the driver.
OK = 0
NO_ANSWER = 1  # the bus failed or the chip did not answer; nothing in the sample is new
CORRUPT = 2  # answers that cannot be true; nothing in the sample is to be used
RESTARTED = 4  # the chip had lost its registers and was set up again; a gap in its energy
UNCONFIRMED = 8  # an energy register changed hands twice: the confirmed value was used

# Quality of a reading, an interval or a journal line.
QUALITY_OK = 0
QUALITY_ESTIMATED = 1
QUALITY_STALE = 2
QUALITY_REJECTED = 3
QUALITY_NAMES = ("ok", "estimated", "stale", "rejected")

# Trust in the wall clock.
TRUST_UNKNOWN = 0
TRUST_RESTORED = 1
TRUST_SYNCED = 2
TRUST_NAMES = ("unknown", "restored", "synced")


def field_bit(field):
    """The bit of a field in `fields` of a driver; one bit for all phases."""
    return 1 << (field if field < PHASE_FIELDS else field - FREQUENCY_MHZ + PHASE_FIELDS)


def new_sample():
    """An empty sample, `array('i')` of SAMPLE_LENGTH zeros."""
    return array("i", [0] * SAMPLE_LENGTH)
