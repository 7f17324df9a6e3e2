"""Registers, commands and scales of the BL0942 on its UART.

Sources: ESPHome `components/bl0942`, RobTillaart/BL0942_SPI, Tasmota `xnrg_14_bl09xx.ino`; the
bits of MODE also openshwprojects/OpenBK7231T_App pull requests 1136, 1147 and 1484. No datasheet
was read.
"""

from wattledger.hal.meter.scale import PPM, Scale, nearest_fraction

READ = 0x58  # with the address in the two lowest bits
WRITE = 0xA8
PACKET = 0xAA  # in place of a register: answer with everything
PACKET_HEAD = 0x55
PACKET_LENGTH = 23
ANSWER_LENGTH = 4  # three bytes, lowest first, and a checksum

# Where a value stands in a packet, each in 24 bits, lowest byte first.
CURRENT_AT = 1
VOLTAGE_AT = 4
WATT_AT = 10
CF_CNT_AT = 13
FREQUENCY_AT = 16
STATUS_AT = 19

MODE = 0x19
GAIN_CR = 0x1A
SOFT_RESET = 0x1C
USR_WRPROT = 0x1D
RESET_CODE = 0x5A5A5A
UNLOCK_CODE = 0x55

# MODE after a reset is 0x87. Bit 7, CNT_ADD_SEL, is taken from drivers and never seen in a
# datasheet: 1 adds absolute values, so that export would count as import; 0 adds with sign.
MODE_SET = 0x07
MODE_60HZ = 0x20
MODE_DEFAULT = 0x87
GAIN_16 = 2

# raw = CURRENT_SCALE x mV at the input / Vref in V, and so on.
CURRENT_SCALE = 305_978
VOLTAGE_SCALE = 73_989
WATT_SCALE = 3_537  # x mV x mV / Vref^2
COUNT_TENTHS = 4_194_304  # a count is 419 430.4 s of one bit of WATT (1638.4 x 256)


def scales(constants, shunt_uohm, divider_low, divider_high, vref_uv):
    """Scales of voltage (mV), current (mA) and power (mW), and the Wh of a count as a fraction.

    `constants` are the gains in ppm, the rest is the board's: uOhm, Ohm, Ohm, uV.
    """
    divided = divider_low + divider_high
    voltage = Scale(
        vref_uv * divided * constants["voltage_gain"], VOLTAGE_SCALE * divider_low * PPM * PPM
    )
    current = Scale(vref_uv * constants["current_gain"], CURRENT_SCALE * shunt_uohm * PPM)
    # W of one bit of WATT: Vref^2 / (3537 x shunt x the divider's ratio).
    watt = vref_uv * vref_uv * divided
    bits = PPM * PPM * WATT_SCALE * shunt_uohm * divider_low
    power = Scale(1000 * watt * constants["power_gain"], bits * PPM)
    count = nearest_fraction(COUNT_TENTHS * watt * constants["energy_gain"], 36_000 * bits * PPM)
    return voltage, current, power, count
