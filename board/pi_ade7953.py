"""Raspberry Pi with an isolated ADE7953 board on I2C 1, a latching relay and a DS3231 clock.

Single phase; the chip's second current is the neutral's. The scale is that of Shelly-class front
ends as ESPHome has it (26 000 counts a volt, 100 000 an ampere); calibration refines it. Pins are
BCM numbers.
"""

NAME = "pi_ade7953"
PLATFORM = "pi"
CHIP = "ade7953"
BUS = "i2c"
I2C_BUS = 1
CHIP_ADDRESS = 0x38
REGISTER_BYTES = 2
PHASES = (0,)
CALIBRATION = ({},)
OPTIONS = {"second": "neutral", "volt_lsb": 26_000, "amp_lsb": 100_000}
MAX_AMPS = 60
MAX_VOLTS = 276
RELAY_KIND = "latching"
RELAY_OPEN = 5
RELAY_CLOSE = 6
RELAY_PULSE_MS = 100
CONTACT = 13
BUTTON = 26
COVER = 16  # a switch to ground while the cover is on
MAGNET = 20  # a sensor that pulls to ground while a magnet is near
CLOCK = "ds3231"
CLOCK_ADDRESS = 0x68
DISPLAY = {
    "lamp": 23,
    "buzzer": 18,
    "rows": (17, 27, 22, 25),
    "columns": (24, 12, 4, 21),
}
