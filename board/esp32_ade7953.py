"""ESP32 with an isolated ADE7953 board on I2C 0, a latching relay and a DS3231 clock.

Single phase; the chip's second current is the neutral's. The scale is that of Shelly-class front
ends as ESPHome has it (26 000 counts a volt, 100 000 an ampere); calibration refines it. No pin is
one that the ESP32 reads or drives while it starts (0, 2, 5, 12, 15), so no relay moves then.
"""

NAME = "esp32_ade7953"
PLATFORM = "esp32"
CHIP = "ade7953"
BUS = "i2c"
I2C_BUS = 0
SDA = 21
SCL = 22
CHIP_ADDRESS = 0x38
REGISTER_BYTES = 2
PHASES = (0,)
CALIBRATION = ({},)
OPTIONS = {"second": "neutral", "volt_lsb": 26_000, "amp_lsb": 100_000}
MAX_AMPS = 60
MAX_VOLTS = 276
RELAY_KIND = "latching"
RELAY_OPEN = 25
RELAY_CLOSE = 26
RELAY_PULSE_MS = 100
CONTACT = 32
BUTTON = 33
CLOCK = "ds3231"
CLOCK_ADDRESS = 0x68
DISPLAY = {"lamp": 13, "buzzer": 14}  # a keypad hangs on the I2C bus
