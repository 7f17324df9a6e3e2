"""The small screen of a meter, made of what device.json and the board say, on either computer.

`parts` make what differs: oled(chip, address), i2c(address), canvas(frame), rows_of(buffer, width,
height), matrix(rows, columns), signals(lamp, buzzer) and clock().
"""

from wattledger.agent.display.panel import Panel
from wattledger.agent.display.settings import EXPANDER, LCD, MATRIX, NO_CHIP
from wattledger.firmware.errors import FirmwareError

FRAME_BYTES = 1024
CLOCK_NAME = "the clock"
CHIP_NAME = "the metering chip"


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


def make(board, settings, parts, button, about):
    """The Panel of `board` (constants) with `settings`; FirmwareError, or what `parts` raise."""
    _check(board, settings)
    screen, display, words = _screen(settings, parts)
    keypad = _keypad(board, settings, parts)
    signals = _signals(board, settings, parts)
    return Panel(screen, display, parts.clock(), words, button, keypad, signals, about)


def _check(board, settings):
    """What only board and settings together can get wrong."""
    taken = {board.CLOCK_ADDRESS: CLOCK_NAME}
    if board.BUS == "i2c":
        taken[board.CHIP_ADDRESS] = CHIP_NAME
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


def _screen(settings, parts):
    """(what draws, what shows, the words). Only what is configured is ever loaded."""
    if settings.language == "zh":
        from wattledger.agent.display.words_zh import WORDS
    else:
        from wattledger.agent.display.words_en import WORDS
    if settings.chip == NO_CHIP:
        glass = NoGlass()
        return glass, glass, WORDS
    if settings.chip == LCD:
        from wattledger.agent.display.lines import Lines
        from wattledger.hal.display.lcd_pcf8574 import Lcd

        lcd = Lcd(parts.i2c(settings.address))
        return Lines(lcd.show), lcd, WORDS
    from wattledger.agent.display.screens import Screens
    from wattledger.hal.display.glass import Glass

    wide = None
    if settings.language == "zh":
        from wattledger.agent.display import glyphs_zh as wide
    frame = bytearray(FRAME_BYTES)
    glass = Glass(parts.oled(settings.chip, settings.address), frame, settings.chip)
    return Screens(parts.canvas(frame), parts.rows_of, wide), glass, WORDS


def _keypad(board, settings, parts):
    if settings.keypad == MATRIX:
        pins = getattr(board, "DISPLAY", {})
        if "rows" not in pins:
            raise FirmwareError(
                "device.json, display.keypad: %s has no pins for a matrix; use pcf8574"
                % board.NAME
            )
        matrix = parts.matrix(pins["rows"], pins["columns"][: int(settings.keys[-1])])
    elif settings.keypad == EXPANDER:
        from wattledger.hal.display.keypad_pcf8574 import ExpanderMatrix

        matrix = ExpanderMatrix(parts.i2c(settings.keypad_address))
    else:
        return None
    from wattledger.hal.display.keypad import LAYOUT_4X3, LAYOUT_4X4, Keypad

    return Keypad(matrix, LAYOUT_4X3 if settings.keys == "4x3" else LAYOUT_4X4)


def _signals(board, settings, parts):
    if not settings.signals:
        return None
    pins = getattr(board, "DISPLAY", None)
    if pins is None:
        raise FirmwareError(
            "device.json, display.signals: %s has no pins for a lamp and a buzzer" % board.NAME
        )
    from wattledger.agent.display.signals import Signals

    found = parts.signals(pins["lamp"], pins["buzzer"])
    return Signals(found.lamp, found.sound, parts.clock())
