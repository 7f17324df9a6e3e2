"""Registers and codes of the ATM90E32, by their datasheet names, and the set-up the driver writes.

Source: Atmel-46003B (datasheet); thresholds and the order of the set-up: Atmel-46103A.
"""

METER_EN = 0x00
SAG_PEAK_DET_CFG = 0x05
ZX_CONFIG = 0x07
SAG_TH = 0x08
PHASE_LOSS_TH = 0x09
PL_CONST_H = 0x31
PL_CONST_L = 0x32
M_MODE_0 = 0x33
M_MODE_1 = 0x34
P_START_TH = 0x35
Q_START_TH = 0x36
S_START_TH = 0x37
P_PHASE_TH = 0x38
Q_PHASE_TH = 0x39
S_PHASE_TH = 0x3A
P_OFFSET = 0x41  # of channel A, then Q; the next channel is 2 further on
PQ_GAIN = 0x47  # of channel A, then Phi; the next channel is 2 further on
U_GAIN = 0x61  # of channel A, then Igain, Uoffset, Ioffset; the next channel is 4 further on
SOFT_RESET = 0x70
EMM_STATE_0 = 0x71
EMM_STATE_1 = 0x72
EMM_INT_STATE_1 = 0x74  # as EMMState1, latched; a 1 written clears its bit
LAST_SPI_DATA = 0x78
CRC_ERR_STATUS = 0x79  # not 0 when the set-up no longer has the CRC it was closed with
CFG_REG_ACC_EN = 0x7F

TOTAL_FORWARD = 0x80  # read to clear, as all energy; 3.125 mWh a count at MC 3200
FORWARD_ENERGY = 0x81  # channel A
TOTAL_REVERSE = 0x84
REVERSE_ENERGY = 0x85
POWER_HIGH = 0xB1  # channel A
REACTIVE_HIGH = 0xB5
APPARENT_HIGH = 0xB9
POWER_LOW_OFFSET = 0x10  # the low word of each of these
POWER_FACTOR_REG = 0xBD
U_RMS = 0xD9
I_RMS = 0xDD
FREQUENCY = 0xF8
TEMPERATURE = 0xFC

RESET_CODE = 0x789A
UNLOCK_CODE = 0x55AA
RESET_MS = 40  # datasheet: 5 to 40 ms
FREQUENCY_60HZ = 0x1000
MODE_BASE = 0x0080  # three phases with four wires, CF2 shows reactive energy
ENABLE_A = 0x0004  # then B 0x0002 and C 0x0001: the channel is part of the total

# Start thresholds in 0.00032 W: 2.4 W in all, 0.24 W a phase.
THRESHOLD_ALL = 0x1D4C
THRESHOLD_PHASE = 0x02EE

SETUP = (
    (METER_EN, 0x0001),
    (SAG_PEAK_DET_CFG, 0x143F),
    # Sources for the zero-crossing pins, which stay off (bit 0). One address bit from channel C's
    # reverse energy: its default of 1 would pass for a count of it, this is more than any reading.
    (ZX_CONFIG, 0xD655),
    (PL_CONST_H, 0x0861),
    (PL_CONST_L, 0xC468),
    (M_MODE_1, 0x0000),
    (P_START_TH, THRESHOLD_ALL),
    (Q_START_TH, THRESHOLD_ALL),
    (S_START_TH, THRESHOLD_ALL),
    (P_PHASE_TH, THRESHOLD_PHASE),
    (Q_PHASE_TH, THRESHOLD_PHASE),
    (S_PHASE_TH, THRESHOLD_PHASE),
)

# A sag is below 78 % of the nominal voltage, a lost phase below 10 %. The chip compares
# 100 V sqrt(2) / (2 Ugain / 0x8000): V/100 x 16384 sqrt(2) / Ugain (Atmel-46103A).
NOMINAL_CV = 23_000
SAG_PERCENT = 78
LOSS_PERCENT = 10
PEAK_SCALE = 23_170
STATE_SAG_A = 0x4000  # of EMMState1, then B and C
STATE_LOSS_A = 0x0400
STATE_SEQUENCE = 0x0200  # of EMMState0: the voltages

# 32-bit powers are 0.00032 W: 8/25 mW. Beyond this high word a reading is over 42 kW a phase: no
# board here measures, and its product would leave the small ints of an ESP32.
POWER_HIGH_LIMIT = 2040
FULL_COUNTS = 0xFFFF
CONFIRMATIONS = 4
ONES = 0xFFFF  # what a dead bus answers
SLOW_FIELDS = 8
