"""Keypad, lamp and buzzer at a Raspberry Pi's pins, through gpiozero's own mock pins."""

import pytest

gpiozero = pytest.importorskip("gpiozero")
from gpiozero.pins.mock import MockFactory, MockPWMPin  # noqa: E402

from wattledger.hal.display.buzzer_linux import GpioSignals  # noqa: E402
from wattledger.hal.display.keypad import LAYOUT_4X4, Keypad  # noqa: E402
from wattledger.hal.display.keypad_linux import GpioMatrix  # noqa: E402
from wattledger.hal.errors import HalError  # noqa: E402

ROWS, COLUMNS = (17, 27, 22, 25), (24, 12, 4, 21)


@pytest.fixture
def pins(monkeypatch):
    factory = MockFactory(pin_class=MockPWMPin)
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    yield factory
    factory.reset()


class WiredMatrix(GpioMatrix):
    """The pins' other ends: keys in `down` connect a row to a column."""

    def __init__(self, factory, *pins):
        super().__init__(*pins)
        self.factory = factory
        self.down = set()
        self.driven = []  # rows driven at once, at each look

    def read(self, row):
        look = self.factory.pin(ROWS[row]).output_with_state

        def output_with_state(state):
            look(state)
            self.driven.append([p for p in ROWS if self.factory.pin(p).function == "output"])
            for pressed, column in self.down:
                if pressed == row:
                    self.factory.pin(COLUMNS[column]).drive_low()

        self.factory.pin(ROWS[row]).output_with_state = output_with_state
        try:
            return super().read(row)
        finally:
            del self.factory.pin(ROWS[row]).output_with_state
            for column in COLUMNS:
                self.factory.pin(column).drive_high()


def test_every_key_and_one_row_at_a_time(pins):
    matrix = WiredMatrix(pins, ROWS, COLUMNS)
    keypad = Keypad(matrix, LAYOUT_4X4)
    seen = []
    for index in range(16):
        matrix.down = {(index // 4, index % 4)}
        seen += [keypad.read() for _ in range(3)]
        matrix.down = set()
        seen += [keypad.read() for _ in range(2)]
    # A turns the page, B to D are nothing.
    told = [key for key in seen if key]
    assert told == ["1", "2", "3", "turn", *"456789", "erase", "0", "enter"]
    assert all(len(driven) == 1 for driven in matrix.driven)
    assert [pins.pin(row).function for row in ROWS] == ["input"] * 4


def test_pins_that_are_taken_are_an_error_with_their_numbers(pins):
    first = GpioMatrix(ROWS, COLUMNS)
    with pytest.raises(HalError, match="keypad's pins GPIO17, GPIO27"):
        GpioMatrix(ROWS, COLUMNS)
    first.close()
    GpioMatrix(ROWS, COLUMNS).close()


def test_lamp_and_tones(pins):
    signals = GpioSignals(23, 18)
    signals.lamp(True)
    assert pins.pin(23).state == 1
    for hertz in (800, 1000, 1200, 1500, 2000):  # those of agent/display/signals.py
        signals.sound(hertz)
        assert pins.pin(18).frequency == pytest.approx(hertz, abs=1)
    signals.sound(0)
    assert not pins.pin(18).state
    signals.lamp(False)
    assert pins.pin(23).state == 0
    signals.close()


def test_a_lamp_without_a_buzzer(pins):
    signals = GpioSignals(23, None)
    signals.sound(1000)
    signals.close()


def test_pins_of_lamp_and_buzzer_that_are_taken(pins):
    first = GpioSignals(23, 18)
    with pytest.raises(HalError, match="GPIO23 and GPIO18"):
        GpioSignals(23, 18)
    first.close()
    GpioSignals(23, 18).close()
