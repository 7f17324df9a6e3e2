"""Raspberry Pi with a three-phase ATM90E32 board on SPI 0, a latching relay and a DS3231 clock.

The gains are CircuitSetup's figures for its board with an SCT-013-000 current transformer (100 A
to 50 mA) and a 9 V voltage transformer; calibration replaces them. Pins are BCM numbers.
"""

NAME = "pi_atm90e32"
PLATFORM = "pi"
CHIP = "atm90e32"
BUS = "spi"
SPI_BUS = 0
CHIP_SELECT = 0
SPI_HZ = 1_000_000
SPI_MODE = 3
PHASES = (0, 1, 2)
CALIBRATION = (
    {"voltage_gain": 7305, "current_gain": 27518},
    {"voltage_gain": 7305, "current_gain": 27518},
    {"voltage_gain": 7305, "current_gain": 27518},
)
OPTIONS = {}
MAX_AMPS = 60  # the chip reports at most 65.535 A
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
