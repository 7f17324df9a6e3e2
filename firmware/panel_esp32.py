"""The parts of a small screen on an ESP32: its I2C bus and its pins.

The root calls the panel's work() from a task of its own and waits the milliseconds it returns.
"""

import framebuf

from wattledger.firmware import panel as panels

WIDTH, HEIGHT = 128, 64
FAST_HZ = 400000
SLOW_HZ = 100000  # all that a PCF8574 can


class EspParts:
    """The parts of a panel on `board`; `link_clock` is the time of people."""

    def __init__(self, board, link_clock):
        self._board = board
        self._clock = link_clock

    def clock(self):
        return self._clock

    def oled(self, chip, address):
        from wattledger.hal.display.oled_esp32 import EspPort

        board = self._board
        return EspPort(chip, board.I2C_BUS, address, FAST_HZ, board.SCL, board.SDA)

    def i2c(self, address):
        from wattledger.hal.bus.i2c_esp32 import Esp32I2c

        board = self._board
        return Esp32I2c(board.I2C_BUS, address, 1, SLOW_HZ, board.SCL, board.SDA)

    def canvas(self, frame):
        return framebuf.FrameBuffer(frame, WIDTH, HEIGHT, framebuf.MONO_VLSB)

    def rows_of(self, buffer, width, height):
        return framebuf.FrameBuffer(buffer, width, height, framebuf.MONO_HLSB)

    def matrix(self, rows, columns):
        from wattledger.hal.display.keypad_esp32 import EspMatrix

        return EspMatrix(rows, columns)

    def signals(self, lamp, buzzer):
        from wattledger.hal.display.buzzer_esp32 import EspSignals

        return EspSignals(lamp, buzzer)


def make(board, settings, link_clock, about):
    """The Panel of `board` (constants) with `settings` and its button. FirmwareError, HalError."""
    from wattledger.hal.display.button_esp32 import EspButton

    button = EspButton(board.BUTTON, link_clock)
    return panels.make(board, settings, EspParts(board, link_clock), button, about)
