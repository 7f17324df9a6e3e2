"""The conditions a meter watches for: each is a bit of a set, and an event of agent/events.py.

Bits of the first seven stand three apart: phase A, B and C. All are small ints of an ESP32.
"""

PHASES = 3
REVERSE = 1
NO_POTENTIAL = 1 << 3
HIGH_VOLTAGE = 1 << 6
LOW_VOLTAGE = 1 << 9
SWELL = 1 << 12
SAG = 1 << 15
PHASE_LOSS = 1 << 18
OF_PHASES = 7  # kinds, of three bits each
IMBALANCE = 1 << 21
COVER = 1 << 22
MAGNET = 1 << 23
FROZEN = 1 << 24
BYPASS = 1 << 25
SEQUENCE = 1 << 26
SATURATED = 1 << 27
FREQUENCY = 1 << 28
BITS = 29
KINDS = 15
TAMPERS = 0xF83  # kinds that stay latched: reverse, no potential, imbalance to bypass


def kind_of(bit):
    """The kind, 0 to 14, of the bit with this number."""
    return bit // PHASES if bit < PHASES * OF_PHASES else bit - (PHASES - 1) * OF_PHASES


def phase_of(bit):
    """1 to 3 for phase A, B and C; 0 for the whole meter."""
    return bit % PHASES + 1 if bit < PHASES * OF_PHASES else 0
