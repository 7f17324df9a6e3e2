"""Register map of the ATM90E32 as the simulator uses it: addresses, bits and power-on values.

Source: Atmel-46003B datasheet, register list. All registers are 16 bits wide.
"""

SIZE = 0x400  # ten address bits

METER_EN = 0x00
SAG_PEAK_DET_CFG = 0x05  # low byte: milliseconds below a threshold until it is told
SAG_TH = 0x08
PHASE_LOSS_TH = 0x09
PL_CONST_H = 0x31  # 450e9 / MC, high word; MC is the meter constant in impulses per kWh
PL_CONST_L = 0x32
M_MODE0 = 0x33
M_MODE1 = 0x34  # gain of the current amplifiers, two bits a channel
P_START_TH = 0x35  # then Q and S: below it the sum of the phases is not counted
P_PHASE_TH = 0x38  # then Q and S: below it a phase is not counted
P_OFFSET = 0x41  # P and Q in turn: 0x41 and 0x42 for phase A, 0x43 and 0x44 for B, ...
PQ_GAIN = 0x47  # and the phase angle in turn: 0x47 for phase A, 0x49 for B, 0x4B for C
U_GAIN = 0x61  # gain U, gain I, offset U, offset I: four registers a phase
CONFIG_END = 0x70  # 0x00-0x6F are locked and covered by the CRC

SOFT_RESET = 0x70
EMM_STATE0 = 0x71
EMM_STATE1 = 0x72
EMM_INT_STATE0 = 0x73  # a 1 written clears the bit
EMM_INT_STATE1 = 0x74
EMM_INT_EN0 = 0x75
EMM_INT_EN1 = 0x76
LAST_SPI_DATA = 0x78
CRC_ERR_STATUS = 0x79
CFG_REG_ACC_EN = 0x7F

# Energy: T, A, B, C of each kind, in this order; read clears.
ENERGY = 0x80
ENERGY_END = 0x94
ENERGY_COUNT = ENERGY_END - ENERGY
FORWARD_ACTIVE = 0
REVERSE_ACTIVE = 4
FORWARD_REACTIVE = 8
REVERSE_REACTIVE = 12
APPARENT = 16

# Measurements: T, A, B, C of each kind; the low words follow at a fixed distance.
P_MEAN = 0xB0
Q_MEAN = 0xB4
S_MEAN = 0xB8
PF_MEAN = 0xBC
MEAN_LOW = 0x10  # from a high word of P, Q, S to its low word
U_RMS = 0xD9  # A, B, C
I_RMS = 0xDD
RMS_LOW = 0x10
FREQUENCY = 0xF8
TEMPERATURE = 0xFC

RESET_KEY = 0x789A
UNLOCK_KEY = 0x55AA

STATE0_SEQUENCE = 0x0200  # the voltages' order is reversed
STATE1_SAG_A = 0x4000  # then B, C
STATE1_LOSS_A = 0x0400
PHI_DELAYS_VOLTAGE = 0x8000  # else the current; the low byte says by how much

MODE0_ABSOLUTE_REACTIVE = 0x10
MODE0_ABSOLUTE_ACTIVE = 0x08
MODE0_PHASE_A = 0x04  # then B 0x02 and C 0x01: the phase is part of the sum

# Power-on values that are not zero.
DEFAULTS = (
    (0x01, 0x0210),
    (0x02, 0x0654),
    (0x05, 0x143F),
    (0x06, 0xC000),
    (0x07, 0x0001),
    (0x08, 0x1000),
    (0x09, 0x0400),
    (0x0A, 0xFFFF),
    (0x0B, 0xC000),
    (0x0C, 0x1324),
    (0x0D, 0x13EC),
    (0x0E, 0x010F),
    (0x22, 5000),
    (0x23, 25),
    (0x31, 0x0861),
    (0x32, 0xC468),
    (0x33, 0x0087),
    (0x61, 0x8000),
    (0x62, 0x8000),
    (0x65, 0x8000),
    (0x66, 0x8000),
    (0x69, 0x8000),
    (0x6A, 0x8000),
)
