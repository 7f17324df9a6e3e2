"""The small screen that a Raspberry Pi's root makes of device.json and the board's constants."""

import json
import time
import types

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from wattledger.agent import config
from wattledger.board import pi_ade7953, pi_atm90e32
from wattledger.firmware import main_pi, panel_linux
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.bus import i2c_linux
from wattledger.hal.display import oled_luma_linux
from wattledger.hal.errors import HalError
from wattledger.host_sim.chip.hd44780 import Hd44780
from wattledger.host_sim.chip.oled import Oled
from wattledger.host_sim.chip.pcf8574 import KeyMatrix, Pcf8574
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.host.fake_smbus import FakeSMBus

PATIENCE_S = 10


class Button:
    """Nobody at it."""

    def request(self):
        return None


class Timed(Hd44780):
    """A text display on the time of this computer."""

    last_us = 0

    def port(self, byte):
        now_us = time.monotonic_ns() // 1000
        self.pass_us(now_us - self.last_us)
        self.last_us = now_us
        super().port(byte)


class Expander(Pcf8574):
    closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def world(monkeypatch):
    """Chips by address on the Pi's I2C bus, and mock pins."""
    chips = {}
    monkeypatch.setattr(gpiozero.Device, "pin_factory", MockFactory(pin_class=MockPWMPin))
    monkeypatch.setattr(oled_luma_linux, "_open", lambda bus, place: FakeSMBus(chips))
    monkeypatch.setattr(i2c_linux, "LinuxI2c", lambda bus, address: chips[address])
    return chips


def settings(**display):
    document = {"v": 1, "meter": "m", "tenant": "t", "board": "pi_atm90e32", "display": display}
    return config.load(json.dumps(document).encode()).display


def wait_for(holds):
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def make(board=pi_atm90e32, log=None, **display):
    log = [] if log is None else log
    return panel_linux.make(board, settings(**display), Button(), "pi", log.append)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_oled_shows_the_view_while_nobody_waits(world, language):
    pytest.importorskip("luma.oled")
    oled = world[0x3C] = Oled("sh1106")
    worker = make(chip="sh1106", language=language)
    worker.panel.show(views.view())
    wait_for(lambda: any(oled.frame()))
    worker.close()
    assert not worker._thread.is_alive()


def test_a_text_display_with_a_keypad_on_the_same_bus(world):
    glass, keys = Timed(), KeyMatrix()
    world[0x27] = Expander(glass)
    world[0x20] = Expander(keys)
    worker = make(chip="hd44780", keypad="pcf8574")
    worker.panel.show(views.view())
    wait_for(lambda: "ON" in glass.lines()[2])
    assert glass.lines()[0] == "Balance        00:05"
    keys.down.add((1, 1))
    wait_for(lambda: worker.panel.request() == ("key", "5"))
    worker.close()
    assert world[0x27].closed and world[0x20].closed


def test_a_keypad_and_a_lamp_without_any_screen(world):
    worker = make(keypad="matrix", keys="4x3", signals=True)
    worker.panel.show(views.off())
    lamp = gpiozero.Device.pin_factory.pin(pi_atm90e32.DISPLAY["lamp"])
    wait_for(lambda: lamp.state)
    # Three columns leave the fourth pin to others.
    gpiozero.LED(pi_atm90e32.DISPLAY["columns"][3]).close()
    worker.close()
    # Everything was given back.
    make(keypad="matrix", signals=True).close()


def test_a_panel_that_fails_is_told_and_goes_on(world, monkeypatch):
    log = []
    worker = make(log=log)
    monkeypatch.setattr(worker.panel, "work", lambda: 1 // 0)
    wait_for(lambda: log)
    assert "the small screen failed 1 times: ZeroDivisionError" in log[0]
    worker.close()


def test_an_address_that_the_board_uses_already_is_refused(world):
    with pytest.raises(FirmwareError, match=r"display.address: the clock of pi_atm90e32 has 0x68"):
        make(chip="ssd1306", address=0x68)
    with pytest.raises(FirmwareError, match=r"display.keypad_address: the metering chip .* 0x38"):
        make(pi_ade7953, keypad="pcf8574", keypad_address=0x38)


def test_a_board_without_pins_for_it_says_so(world, monkeypatch):
    monkeypatch.delattr(pi_atm90e32, "DISPLAY")
    with pytest.raises(FirmwareError, match="no pins for a matrix; use pcf8574"):
        make(keypad="matrix")
    with pytest.raises(FirmwareError, match="no pins for a lamp"):
        make(signals=True)


def test_a_later_part_that_cannot_be_had_gives_the_earlier_ones_back(world):
    world[0x27] = Expander(Hd44780())
    taken = gpiozero.LED(pi_atm90e32.DISPLAY["lamp"])
    with pytest.raises(HalError, match="lamp and buzzer"):
        make(chip="hd44780", signals=True)
    assert world[0x27].closed
    taken.close()


def test_a_person_at_the_panel_does_not_wait_for_the_next_tick(monkeypatch):
    waits = []

    class Meter:
        """One whose next tick is a second away."""

        def __init__(self, options, parts):
            self.turns = 0

        def start(self):
            pass

        def turn(self):
            return 1.0

        def wants_restart(self):
            return False

        def stop(self):
            pass

    class Stopped:
        """Set after three waits."""

        def is_set(self):
            return len(waits) == 3

        def wait(self, seconds):
            waits.append(seconds)

    monkeypatch.setattr(main_pi, "PiMeter", Meter)
    main_pi.serve(None, Stopped())
    assert max(waits) <= 0.1


def test_the_panel_takes_the_button_from_the_faces(monkeypatch, tmp_path):
    hardware = types.SimpleNamespace(button="button", panel=lambda *words: ("panel", words[1]))
    meter = object.__new__(main_pi.PiMeter)
    meter._config = types.SimpleNamespace(display=None)
    options = types.SimpleNamespace(page=None, site=str(tmp_path))
    assert meter._faces(options, hardware, None, None)._faces == ("button",)
    meter._config.display = settings(chip="ssd1306")
    assert meter._faces(options, hardware, None, None)._faces == (("panel", "pi"),)
