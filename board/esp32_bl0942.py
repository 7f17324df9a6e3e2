"""ESP32 with an isolated BL0942 board on UART 2, a latching relay and a DS3231 clock.

Single phase. Between chip and ESP32 stands a two-way digital isolator: the chip's ground is live.
The module is a WROOM-32: a WROVER, and any other with PSRAM, has it at GPIO 16 and 17, a PICO-D4
its flash, where this board has its UART. No pin is one that the ESP32 reads or drives while it
starts (0, 2, 5, 12, 15), so no relay moves then.
"""

NAME = "esp32_bl0942"
PLATFORM = "esp32"
CHIP = "bl0942"
BUS = "uart"
UART_BUS = 2
TX = 17
RX = 16
BAUD = 9600
PARITY = None
PHASES = (0,)
CALIBRATION = ({},)
OPTIONS = {"shunt_uohm": 1_000, "divider_low": 510, "divider_high": 1_950_000}
MAX_AMPS = 40
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
