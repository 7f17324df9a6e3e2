"""The button at a GPIO pin, through gpiozero's own mock pins."""

import pytest

gpiozero = pytest.importorskip("gpiozero")
from gpiozero.pins.mock import MockFactory  # noqa: E402

from wattledger.hal.display import button_linux  # noqa: E402
from wattledger.hal.display.button_linux import GpioButton  # noqa: E402
from wattledger.hal.display.faces import Faces  # noqa: E402
from wattledger.hal.errors import HalError  # noqa: E402

PIN = 26


@pytest.fixture
def pins(monkeypatch):
    factory = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    # Bounce filtering waits for a second edge of a real pin.
    monkeypatch.setattr(button_linux, "BOUNCE_S", None)
    yield factory
    factory.reset()


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_press_is_told_again_while_it_lasts_and_its_end_once(pins):
    clock = Clock()
    button = GpioButton(PIN, clock)
    assert button.request() is None
    pins.pin(PIN).drive_low()
    assert button.request() == ("press",)
    assert button.request() is None  # the agent asks until there is nothing more
    clock.now += 0.25
    assert button.request() == ("press",)
    pins.pin(PIN).drive_high()
    assert button.request() == ("release",)
    assert button.request() is None


def test_a_pin_without_a_button_reads_as_not_pressed(pins):
    button = GpioButton(PIN)
    assert pins.pin(PIN).pull == "up"
    assert button.request() is None


def test_a_pin_that_is_taken_is_an_error_with_its_number(pins):
    first = GpioButton(PIN)
    with pytest.raises(HalError, match="the button at GPIO26 cannot be used"):
        GpioButton(PIN)
    first.close()
    GpioButton(PIN).close()


class Face:
    def __init__(self, *requests):
        self.requests = list(requests)
        self.shown = []

    def show(self, view):
        self.shown.append(view)

    def request(self):
        return self.requests.pop(0) if self.requests else None


def test_every_face_shows_and_any_may_ask():
    left, right = Face(), Face(("accept",))
    faces = Faces([left, right])
    faces.show({"a": 1})
    assert left.shown == right.shown == [{"a": 1}]
    assert faces.request() == ("accept",)
    assert faces.request() is None
