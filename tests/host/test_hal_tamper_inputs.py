"""Cover and magnet at GPIO pins, through gpiozero's own mock pins."""

import pytest

gpiozero = pytest.importorskip("gpiozero")
from gpiozero.pins.mock import MockFactory  # noqa: E402

from wattledger.hal.errors import HalError  # noqa: E402
from wattledger.hal.inputs import gpiozero_linux  # noqa: E402
from wattledger.hal.inputs.gpiozero_linux import GpioTamperInputs  # noqa: E402

COVER_PIN, MAGNET_PIN = 16, 20


@pytest.fixture
def pins(monkeypatch):
    factory = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    # Bounce filtering waits for a second edge of a real pin.
    monkeypatch.setattr(gpiozero_linux, "BOUNCE_S", None)
    yield factory
    factory.reset()


def test_a_closed_cover_and_no_magnet_say_nothing(pins):
    inputs = GpioTamperInputs(COVER_PIN, MAGNET_PIN)
    pins.pin(COVER_PIN).drive_low()
    assert inputs.read() == 0


def test_an_opened_cover_and_a_cut_wire_are_bit_1(pins):
    inputs = GpioTamperInputs(COVER_PIN, MAGNET_PIN)
    assert inputs.read() == 1  # nothing pulls the pin down
    pins.pin(COVER_PIN).drive_low()
    assert inputs.read() == 0
    pins.pin(COVER_PIN).drive_high()
    assert inputs.read() == 1


def test_a_magnet_is_bit_2(pins):
    inputs = GpioTamperInputs(COVER_PIN, MAGNET_PIN)
    pins.pin(COVER_PIN).drive_low()
    pins.pin(MAGNET_PIN).drive_low()
    assert inputs.read() == 2
    pins.pin(COVER_PIN).drive_high()
    assert inputs.read() == 3


def test_a_board_may_have_one_of_them(pins):
    inputs = GpioTamperInputs(None, MAGNET_PIN)
    assert inputs.read() == 0
    pins.pin(MAGNET_PIN).drive_low()
    assert inputs.read() == 2


def test_what_cannot_be_read_says_what_it_said_last(pins):
    inputs = GpioTamperInputs(COVER_PIN, MAGNET_PIN)
    assert inputs.read() == 1
    for _, device, _ in inputs._inputs:
        device.close()
    assert inputs.read() == 1


def test_a_pin_that_is_taken_is_told_and_nothing_is_held(pins):
    first = GpioTamperInputs(None, MAGNET_PIN)
    with pytest.raises(HalError, match="cover and magnet cannot be used"):
        GpioTamperInputs(COVER_PIN, MAGNET_PIN)
    first.close()
    GpioTamperInputs(COVER_PIN, MAGNET_PIN).close()
