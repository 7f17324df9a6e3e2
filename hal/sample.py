"""One reading of a metering chip: an `array('i')` of fixed shape, filled in place by a driver.

Integers only. Per-phase fields stand at `phase * PHASE_FIELDS + field` for phases 0..2 (A, B, C);
a field the chip cannot give stays 0 and its bit in `SAMPLE_FIELDS` of the driver is clear.
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
SAMPLE_LENGTH = TEMPERATURE_DC + 1

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


def new_sample():
    """An empty sample, `array('i')` of SAMPLE_LENGTH zeros."""
    return array("i", [0] * SAMPLE_LENGTH)
