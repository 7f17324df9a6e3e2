"""Registers and codes of the INA228, by their datasheet names.

Source: TI SBOS962 (INA228 datasheet), register map.
"""

CONFIG = 0x00
ADC_CONFIG = 0x01
SHUNT_CAL = 0x02
VBUS = 0x05  # 20 bits in 24, 195.3125 uV
DIETEMP = 0x06  # signed, 7.8125 mC
CURRENT = 0x07  # signed 20 bits in 24, CURRENT_LSB
POWER = 0x08  # 24 bits, 3.2 CURRENT_LSB watts
ENERGY = 0x09  # 40 bits, 51.2 CURRENT_LSB joules, a sum of magnitudes
CHARGE = 0x0A  # signed 40 bits, CURRENT_LSB coulombs
DIAG_ALRT = 0x0B
MANUFACTURER_ID = 0x3E
DEVICE_ID = 0x3F

CONFIG_RST = 0x8000
CONFIG_ADCRANGE = 0x0010  # the shunt's full scale is 40.96 mV and not 163.84 mV
RESET_MS = 2  # datasheet: 300 us
# All inputs continuously, 1052 us each, mean of 64: new values every 202 ms. Not the default
# (0xFB68), so that it tells a chip that was reset from ours.
ADC_CONFIG_RUN = 0xFB6B
DIAG_MATHOF = 0x0200  # current and power left their registers
DIAG_CHARGEOF = 0x0400
DIAG_ENERGYOF = 0x0800
DIAG_MEMSTAT = 0x0001  # 0: the trim memory lost its checksum
MANUFACTURER = 0x5449
DEVICE = 0x228  # the low four bits are the revision

FULL_SCALE_NV = 163_840_000  # of the shunt input
FULL_SCALE_FINE_NV = 40_960_000
VBUS_LIMIT = 0x6AB00  # 85 V and a little: what stands above cannot be on the pin
CODES = 1 << 19  # CURRENT runs from -CODES to CODES - 1
# CURRENT_LSB in uA: those whose energy count is a short fraction of a Wh (L / 62500). At 2000
# times the lowest code, a current still fits the small ints of an ESP32.
CURRENT_LSBS = (2, 4, 5, 10, 20, 25, 40, 50, 100, 125, 200, 250, 400, 500, 1000, 1250, 2000)
RAW_A_COUNT = 1125  # energy LSBs in a count of ours: 16 CURRENT_LSB Wh exactly
LOWEST_SHUNT_CAL = 500  # below, one step of it is over 0.2 %
HIGHEST_SHUNT_CAL = 0x7FFF
