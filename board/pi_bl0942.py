"""Raspberry Pi with an isolated BL0942 board on its UART, a latching relay and a DS3231 clock.

Single phase. Between chip and Pi stands a two-way digital isolator: the chip's ground is live. The
login shell must be off that UART (docs/raspberry-pi.md). Pins are BCM numbers.
"""

NAME = "pi_bl0942"
PLATFORM = "pi"
CHIP = "bl0942"
BUS = "uart"
UART_BUS = 0  # /dev/serial0, on a Raspberry Pi 5 /dev/ttyAMA0
BAUD = 9600
PARITY = None
PHASES = (0,)
CALIBRATION = ({},)
OPTIONS = {"shunt_uohm": 1_000, "divider_low": 510, "divider_high": 1_950_000}
MAX_AMPS = 40
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
