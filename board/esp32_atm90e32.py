"""ESP32 with a three-phase ATM90E32 board on SPI 2, a latching relay and a DS3231 clock.

The gains are CircuitSetup's figures for its board with an SCT-013-000 current transformer (100 A
to 50 mA) and a 9 V voltage transformer; calibration replaces them. No pin is one that the ESP32
reads or drives while it starts (0, 2, 5, 12, 15), so no relay moves then.
"""

NAME = "esp32_atm90e32"
PLATFORM = "esp32"
CHIP = "atm90e32"
BUS = "spi"
SPI_BUS = 2
CHIP_SELECT = 4
SCK = 18
MOSI = 23
MISO = 19
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
RELAY_OPEN = 25
RELAY_CLOSE = 26
RELAY_PULSE_MS = 100
CONTACT = 32
BUTTON = 33
CLOCK = "ds3231"
I2C_BUS = 0
SDA = 21
SCL = 22
CLOCK_ADDRESS = 0x68
DISPLAY = {"lamp": 13, "buzzer": 14}  # a keypad hangs on the I2C bus
