"""The parts of a small screen on an ESP32: its I2C bus and its pins.

The root calls the worker between its turns, and waits no longer than it says.
"""

import framebuf

from wattledger.agent.display.settings import EXPANDER, LCD
from wattledger.firmware import panel as panels

WIDTH, HEIGHT = 128, 64
FAILED_MS = 1000
FAST_HZ = 400000
SLOW_HZ = 100000  # all that a PCF8574 can


class EspParts:
    """The parts of a panel on `board` with `settings`; `link_clock` is the time of people."""

    def __init__(self, board, settings, link_clock):
        self._board = board
        self._clock = link_clock
        # All that is made on one host has the speed of the last: that of its slowest chip.
        slow = settings.chip == LCD or settings.keypad == EXPANDER
        self._hz = SLOW_HZ if slow else FAST_HZ

    def clock(self):
        return self._clock

    def oled(self, chip, address):
        from wattledger.hal.display.oled_esp32 import EspPort

        board = self._board
        return EspPort(chip, board.I2C_BUS, address, self._hz, board.SCL, board.SDA)

    def i2c(self, address):
        from wattledger.hal.bus.i2c_esp32 import Esp32I2c

        board = self._board
        return Esp32I2c(board.I2C_BUS, address, 1, self._hz, board.SCL, board.SDA)

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


class PanelWorker:
    """Works `panel` between the meter's turns; one that fails is told to `failed(what, error)`."""

    def __init__(self, panel, clock):
        self.panel = panel
        self._clock = clock
        self._looked_at = clock.ticks_ms()
        self._wait_ms = 0

    def work(self, failed):
        """A slice when it is due; milliseconds until the next."""
        passed = self._clock.elapsed_ms(self._looked_at)
        if passed < self._wait_ms:
            return self._wait_ms - passed
        try:
            self._wait_ms = max(self.panel.work(), 1)
        except Exception as error:  # metering goes on, and the next view may be another
            self._wait_ms = FAILED_MS
            failed("panel", error)
        self._looked_at = self._clock.ticks_ms()
        return self._wait_ms


def make(board, settings, link_clock, about):
    """A worker for the Panel of `board` (constants) with `settings` and its button.
    FirmwareError, HalError."""
    from wattledger.hal.display.button_esp32 import EspButton

    button = EspButton(board.BUTTON, link_clock)
    parts = EspParts(board, settings, link_clock)
    return PanelWorker(panels.make(board, settings, parts, button, about), link_clock)
