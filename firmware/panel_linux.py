"""The small screen of a meter on a Raspberry Pi, made of what device.json and the board say.

A thread of its own works it, so that no tick waits for its bus; one that fails is counted in the
log at the 1st, 2nd, 4th, 8th ... time.
"""

import threading

from wattledger.agent.display.panel import Panel
from wattledger.agent.display.settings import EXPANDER, LCD, MATRIX, NO_CHIP
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.display.keypad import LAYOUT_4X3, LAYOUT_4X4, Keypad

FRAME_BYTES = 1024
LAYOUTS = {"4x4": LAYOUT_4X4, "4x3": LAYOUT_4X3}


class NoGlass:
    """Where there is a keypad or a lamp and no screen."""

    charts = False

    def begin(self):
        """Nothing to set up."""

    def work(self):
        """Nothing to send."""

    def draw(self, layout):
        """Nothing to draw."""
        yield


class PanelWorker:
    """`panel` is a display (contract Page); `on_close` are called at the end."""

    def __init__(self, panel, log, on_close=()):
        self.panel = panel
        self._log = log
        self._on_close = on_close
        self._stopped = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.is_set():
            try:
                wait_ms = self.panel.work()
            except Exception as error:  # metering goes on, and the next view may be another
                wait_ms = 1000
                self._failures += 1
                if not self._failures & (self._failures - 1):
                    self._log("the small screen failed %d times: %r" % (self._failures, error))
            self._stopped.wait(max(wait_ms, 1) / 1000)

    def close(self):
        """End the thread and give everything back."""
        self._stopped.set()
        self._thread.join(5)
        for close in self._on_close:
            close()


def make(board, settings, button, about, log):
    """The PanelWorker of `board` (constants) with `settings`; FirmwareError or HalError."""
    _check(board, settings)
    closes = []
    try:
        screen, display, words = _screen(board, settings, closes)
        panel = Panel(
            screen,
            display,
            HostClock(),
            words,
            button,
            _keypad(board, settings, closes),
            _signals(board, settings, closes),
            about,
        )
    except BaseException:
        for close in closes:
            close()
        raise
    return PanelWorker(panel, log, closes)


def _check(board, settings):
    """What only board and settings together can get wrong."""
    taken = {board.CLOCK_ADDRESS: "the clock"}
    if board.BUS == "i2c":
        taken[board.CHIP_ADDRESS] = "the metering chip"
    used = []
    if settings.chip != NO_CHIP:
        used.append(("address", settings.address))
    if settings.keypad == EXPANDER:
        used.append(("keypad_address", settings.keypad_address))
    for key, address in used:
        if address in taken:
            raise FirmwareError(
                "device.json, display.%s: %s of %s has 0x%02X already; set another address at the "
                "module" % (key, taken[address], board.NAME, address)
            )


def _screen(board, settings, closes):
    from wattledger.agent.display import words_en

    words = words_en.WORDS
    if settings.chip == NO_CHIP:
        glass = NoGlass()
        return glass, glass, words
    if settings.chip == LCD:
        from wattledger.agent.display.lines import Lines
        from wattledger.hal.bus.i2c_linux import LinuxI2c
        from wattledger.hal.display.lcd_pcf8574 import Lcd

        device = LinuxI2c(board.I2C_BUS, settings.address)
        closes.append(device.close)
        lcd = Lcd(device)
        return Lines(lcd.show), lcd, words
    from wattledger.agent.display.screens import HEIGHT, WIDTH, Screens
    from wattledger.hal.display import framebuf_linux
    from wattledger.hal.display.glass import Glass
    from wattledger.hal.display.oled_luma_linux import LumaPort

    wide = None
    if settings.language == "zh":
        from wattledger.agent.display import glyphs_zh, words_zh

        words, wide = words_zh.WORDS, glyphs_zh
    port = LumaPort(settings.chip, board.I2C_BUS, settings.address)
    closes.append(port.close)
    frame = bytearray(FRAME_BYTES)
    canvas = framebuf_linux.FrameBuffer(frame, WIDTH, HEIGHT, framebuf_linux.MONO_VLSB)
    screens = Screens(canvas, framebuf_linux.rows_of, wide)
    return screens, Glass(port, frame, settings.chip), words


def _keypad(board, settings, closes):
    if settings.keypad == MATRIX:
        from wattledger.hal.display.keypad_linux import GpioMatrix

        pins = getattr(board, "DISPLAY", {})
        if "rows" not in pins:
            raise FirmwareError(
                "device.json, display.keypad: %s has no pins for a matrix; use pcf8574"
                % board.NAME
            )
        columns = pins["columns"][: int(settings.keys[-1])]
        matrix = GpioMatrix(pins["rows"], columns)
        closes.append(matrix.close)
    elif settings.keypad == EXPANDER:
        from wattledger.hal.bus.i2c_linux import LinuxI2c
        from wattledger.hal.display.keypad_pcf8574 import ExpanderMatrix

        device = LinuxI2c(board.I2C_BUS, settings.keypad_address)
        closes.append(device.close)
        matrix = ExpanderMatrix(device)
    else:
        return None
    return Keypad(matrix, LAYOUTS[settings.keys])


def _signals(board, settings, closes):
    if not settings.signals:
        return None
    from wattledger.agent.display.signals import Signals
    from wattledger.hal.display.buzzer_linux import GpioSignals

    pins = getattr(board, "DISPLAY", None)
    if pins is None:
        raise FirmwareError(
            "device.json, display.signals: %s has no pins for a lamp and a buzzer" % board.NAME
        )
    found = GpioSignals(pins["lamp"], pins["buzzer"])
    closes.append(found.close)
    return Signals(found.lamp, found.sound, HostClock())
