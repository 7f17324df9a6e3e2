"""Registers and codes of the ATM90E32, by their datasheet names, and the set-up the driver writes.

Source: Atmel-46003B (datasheet); thresholds and the order of the set-up: Atmel-46103A.
"""

METER_EN = 0x00
SAG_PEAK_DET_CFG = 0x05
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
U_GAIN = 0x61  # phase A; the next phase is PHASE_GAINS further on
I_GAIN = 0x62
PHASE_GAINS = 4
SOFT_RESET = 0x70
LAST_SPI_DATA = 0x78
CRC_ERR_STATUS = 0x79  # not 0 when the set-up no longer has the CRC it was closed with
CFG_REG_ACC_EN = 0x7F

FORWARD_ENERGY = 0x81  # phase A, read to clear, 3.125 mWh a count at MC 3200
REVERSE_ENERGY = 0x85
POWER_HIGH = 0xB1  # phase A
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
READ = 0x80
FREQUENCY_60HZ = 0x1000

# Start thresholds in 0.00032 W: 2.4 W in all, 0.24 W a phase.
THRESHOLD_ALL = 0x1D4C
THRESHOLD_PHASE = 0x02EE

SETUP = (
    (METER_EN, 0x0001),
    (SAG_PEAK_DET_CFG, 0x143F),
    (PL_CONST_H, 0x0861),
    (PL_CONST_L, 0xC468),
    (M_MODE_0, 0x0087),
    (M_MODE_1, 0x0000),
    (P_START_TH, THRESHOLD_ALL),
    (Q_START_TH, THRESHOLD_ALL),
    (S_START_TH, THRESHOLD_ALL),
    (P_PHASE_TH, THRESHOLD_PHASE),
    (Q_PHASE_TH, THRESHOLD_PHASE),
    (S_PHASE_TH, THRESHOLD_PHASE),
)

# 32-bit powers are 0.00032 W: 8/25 mW. Beyond this high word a reading is over 42 kW a phase: no
# board here measures, and its product would leave the small ints of an ESP32.
POWER_HIGH_LIMIT = 2040
FULL_COUNTS = 0xFFFF
CONFIRMATIONS = 4
ONES = 0xFFFF  # what a dead bus answers
SLOW_FIELDS = 6
