"""Raspberry Pi with an MCP3208 converter on SPI 0, one voltage and one current transformer.

The transformers are the isolation: nothing on this board touches the mains. By the
constants half a reference is 400 V and 101 A of the mains' peaks; calibration refines them. Pins
are BCM numbers.
"""

NAME = "pi_mcp3208"
PLATFORM = "pi"
CHIP = "mcp3208"
BUS = "spi"
SPI_BUS = 0
CHIP_SELECT = 0
SPI_HZ = 1_000_000  # at 3.3 V the converter takes little more
SPI_MODE = 0
PHASES = (0,)
CALIBRATION = ({"voltage_gain": 195_312, "current_gain": 49_718},)
OPTIONS = {"pairs": ((0, 1),)}  # channels of voltage and current
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
I2C_BUS = 1
CLOCK_ADDRESS = 0x68
DISPLAY = {
    "lamp": 23,
    "buzzer": 18,
    "rows": (17, 27, 22, 25),
    "columns": (24, 12, 4, 21),
}
