"""Ten years of blocks of a raw ADC through the sums that its driver keeps.

Sampling ten years would take hours; what could drift is what is carried from block to block. So
one block is taken again and again, and its energy is worked out pair by pair, exactly.
"""

from wattledger.hal.meter.adc_phase import FINE, TAP_BITS, Phase
from wattledger.hal.meter.trigonometry import sine
from wattledger.hal.meter.waveform import MAX_PAIRS, Line
from wattledger.host_sim.chip.mcp3208 import Mcp3208
from wattledger.tools.bench.loads import NOMINAL_MV

PAIR_US = 2_000  # the longest block there is: 1.024 s
BLOCK_US = MAX_PAIRS * PAIR_US
TAP_UDEG = 36_000_000  # of a pair at 50 Hz
DELAY_UDEG = TAP_UDEG // 2
WATTS = 13_801
VOLTAGE_GAIN, CURRENT_GAIN = 195_312, 49_718  # the driver's nominal
OFFSETS = (3, -5)  # 1/16 code: so that they are in the sums


def lost_counts(wh: int) -> int:
    """Counts of 1 mWh that a phase is off after at least so many Wh."""
    line = Line(MAX_PAIRS)
    raw = _block()
    for _ in range(2):  # the pair before the block is then the last of the same block
        line.load(raw, 0, 6)
    line.sum(0, MAX_PAIRS)
    phase = Phase(line, (VOLTAGE_GAIN, CURRENT_GAIN, 0, *OFFSETS))
    phase.tune(TAP_UDEG, DELAY_UDEG)
    blocks = wh * 3_600_000_000 // (WATTS * BLOCK_US) + 1
    carry = phase.carry
    for _ in range(blocks):
        carry(BLOCK_US)
    made = (_energy(line) * blocks >> TAP_BITS) * BLOCK_US
    # To the last unit: a part of a count that went astray is one too.
    return -(-abs(phase.held * phase.one + phase.part - made) // phase.one)


def _block() -> bytes:
    chip = Mcp3208()
    chip.set_phase(0, NOMINAL_MV, 0, WATTS * 1000)
    raw = bytearray()
    for pair in range(MAX_PAIRS):
        for channel in (0, 1):
            at_us = PAIR_US * pair + PAIR_US // 2 * channel
            code = chip.convert(channel, at_us)
            raw += bytes((0, code >> 8, code & 0xFF))
    return bytes(raw)


def _energy(line: Line) -> int:
    """The tapped sum of the block, each pair by itself (docs/chips/mcp3208.md, "Phase")."""
    after = (sine(DELAY_UDEG) << TAP_BITS) // sine(TAP_UDEG)
    before = (sine(TAP_UDEG - DELAY_UDEG) << TAP_BITS) // sine(TAP_UDEG)
    voltage_offset, current_offset = OFFSETS
    total = 0
    for pair in range(MAX_PAIRS):
        early = FINE * line.voltage[pair] - voltage_offset
        late = FINE * line.voltage[pair + 1] - voltage_offset
        total += (before * early + after * late) * (FINE * line.current[pair] - current_offset)
    return int(total)
