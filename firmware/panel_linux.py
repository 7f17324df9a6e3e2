"""The small screen of a meter on a Raspberry Pi: its parts, and the thread that works it.

No tick waits for the screen's bus. A panel that fails is told in the log at the 1st, 2nd, 4th, 8th
... time.
"""

import threading

from wattledger.firmware import panel as panels
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.display import framebuf_linux

WIDTH, HEIGHT = 128, 64
FAILED_MS = 1000


class LinuxParts:
    """The parts of a panel on the I2C bus and the pins of `board`; close() gives them back."""

    clock = HostClock
    rows_of = staticmethod(framebuf_linux.rows_of)

    def __init__(self, board):
        self._bus = board.I2C_BUS
        self._open = []

    def _keep(self, part):
        self._open.append(part)
        return part

    def oled(self, chip, address):
        from wattledger.hal.display.oled_luma_linux import LumaPort

        return self._keep(LumaPort(chip, self._bus, address))

    def i2c(self, address):
        from wattledger.hal.bus.i2c_linux import LinuxI2c

        return self._keep(LinuxI2c(self._bus, address))

    def canvas(self, frame):
        return framebuf_linux.FrameBuffer(frame, WIDTH, HEIGHT, framebuf_linux.MONO_VLSB)

    def matrix(self, rows, columns):
        from wattledger.hal.display.keypad_linux import GpioMatrix

        return self._keep(GpioMatrix(rows, columns))

    def signals(self, lamp, buzzer):
        from wattledger.hal.display.buzzer_linux import GpioSignals

        return self._keep(GpioSignals(lamp, buzzer))

    def close(self):
        """Give everything back."""
        for part in self._open:
            part.close()


class PanelWorker:
    """A thread that works `panel` until close(); `parts` are closed with it."""

    def __init__(self, panel, parts, log):
        self.panel = panel
        self._parts = parts
        self._log = log
        self._stopped = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.is_set():
            try:
                wait_ms = self.panel.work()
            except Exception as error:  # metering goes on, and the next view may be another
                wait_ms = FAILED_MS
                self._failures += 1
                if not self._failures & (self._failures - 1):
                    self._log("the small screen failed %d times: %r" % (self._failures, error))
            self._stopped.wait(max(wait_ms, 1) / 1000)

    def close(self):
        """End the thread and give everything back."""
        self._stopped.set()
        self._thread.join(5)
        self._parts.close()


def make(board, settings, button, about, log):
    """The PanelWorker of `board` (constants) with `settings`; FirmwareError or HalError."""
    parts = LinuxParts(board)
    try:
        panel = panels.make(board, settings, parts, button, about)
    except BaseException:
        parts.close()
        raise
    return PanelWorker(panel, parts, log)
