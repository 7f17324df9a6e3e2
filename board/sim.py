"""The simulated board: one ATM90E32 phase on SPI, a latching relay with a contact to read."""

NAME = "sim"
CHIP = "atm90e32"
BUS = "spi"
PHASES = (0,)
RELAY_KIND = "latching"
# Constants of each phase: what the voltage divider and the current transformer need (a gain of
# 0x8000 is the chip's own 1.0).
CALIBRATION = ({"voltage_gain": 0x8F5C, "current_gain": 0x7C29},)
MAX_AMPS = 60  # the chip reports at most 65.535 A
MAX_VOLTS = 276
