"""The panel's parts on an ESP32's own buses and pins, simulated chips behind them."""

import unittest

from wattledger.agent.display import settings
from wattledger.board import esp32_ade7953, esp32_bl0942
from wattledger.firmware.errors import FirmwareError
from wattledger.hal.errors import BusError
from wattledger.host_sim import machine
from wattledger.host_sim.chip.hd44780 import Hd44780
from wattledger.host_sim.chip.oled import Oled
from wattledger.host_sim.chip.pcf8574 import KeyMatrix, Pcf8574
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import (
    fixtures_machine,  # noqa: F401  before the ESP32's files
    fixtures_ssd1306,  # noqa: F401
)
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_canvas import digest
from wattledger.tests.both.golden_screens import DIGESTS

# isort: split
from wattledger.firmware import panel_esp32
from wattledger.hal.display.button_esp32 import EspButton
from wattledger.hal.display.buzzer_esp32 import EspSignals
from wattledger.hal.display.glass import Glass
from wattledger.hal.display.keypad import LAYOUT_4X4, Keypad
from wattledger.hal.display.keypad_esp32 import EspMatrix
from wattledger.hal.display.oled_esp32 import EspPort

HEAP = "512K"
SCL, SDA, HZ = 22, 21, 400000


class TestOled(unittest.TestCase):
    def setUp(self):
        machine.detach_all()

    def bench(self, chip):
        oled = Oled(chip)
        machine.attach_i2c(0, 0x3C, oled)
        frame = bytearray([index * 11 & 0xFF for index in range(1024)])
        glass = Glass(EspPort(chip, 0, 0x3C, HZ, SCL, SDA), frame, chip)
        return oled, frame, glass

    def finish(self, glass):
        while glass.work() is not None:
            pass

    def test_both_chips_show_the_frame(self):
        for chip in ("ssd1306", "sh1106"):
            oled, frame, glass = self.bench(chip)
            glass.begin()
            self.finish(glass)
            self.assertEqual(oled.frame(), frame, chip)
            self.assertEqual(oled.longest, 33)  # the library's whole frame is never sent
            frame[700] ^= 0x18  # a piece of its own, in the middle
            self.finish(glass)
            self.assertEqual(oled.frame(), frame, chip)

    def test_the_pump_of_an_sh1106_runs(self):
        # The library's 0xAD 0x30 is another chip's; to an SH1106 it stops the pump.
        oled, _, glass = self.bench("sh1106")
        glass.begin()
        self.assertTrue(oled.pumped)

    def test_nobody_there_is_an_error_and_a_second_start_works(self):
        oled, frame, glass = self.bench("ssd1306")
        oled.silent = True
        with self.assertRaises(BusError) as caught:
            glass.begin()
        self.assertIn("0x3C", str(caught.exception))
        oled.silent = False
        glass.begin()
        self.finish(glass)
        oled.silent = True
        frame[3] ^= 1
        self.assertRaises(BusError, glass.work)
        oled.silent = False
        oled.brown_out()
        glass.begin()
        self.finish(glass)
        self.assertEqual(oled.frame(), frame)


class TestPins(unittest.TestCase):
    def setUp(self):
        machine.detach_all()

    def test_every_key_of_a_matrix(self):
        down = set()
        machine.attach_matrix((27, 16, 17, 4), (18, 19, 23, 5), down)
        keypad = Keypad(EspMatrix((27, 16, 17, 4), (18, 19, 23, 5)), LAYOUT_4X4)
        for index, letter in enumerate("123A456B789C*0#D"):
            down.add((index // 4, index % 4))
            told = [keypad.read() for _ in range(3)]
            down.clear()
            keypad.read()
            keypad.read()
            if "0" <= letter <= "9":
                self.assertEqual(told, [None, letter, None])

    def test_a_row_is_let_go_after_it_was_looked_at(self):
        machine.attach_matrix((27, 16), (18, 19), set())
        matrix = EspMatrix((27, 16), (18, 19))
        matrix.read(1)
        self.assertEqual([machine.Pin(pin).value() for pin in (27, 16)], [1, 1])

    def test_lamp_and_tone(self):
        signals = EspSignals(13, 14)
        signals.lamp(True)
        signals.sound(1500)
        self.assertEqual(machine.Pin(13).value(), 1)
        self.assertEqual(machine.wave(14), (1500, 32768))
        signals.lamp(False)
        signals.sound(0)
        self.assertEqual(machine.Pin(13).value(), 0)
        self.assertEqual(machine.wave(14)[1], 0)

    def test_no_buzzer_is_no_tone(self):
        signals = EspSignals(13, None)
        signals.sound(1500)
        self.assertIsNone(machine.wave(14))


class TestButton(unittest.TestCase):
    def setUp(self):
        machine.detach_all()
        self.clock = VirtualClock(0)
        self.pin = machine.Pin(33, machine.Pin.OUT, value=1)
        self.button = EspButton(33, self.clock)

    def told(self, ms):
        """Requests in the `ms` to come, asked for each 20 ms."""
        found = []
        for _ in range(ms // 20):
            self.clock.advance(20)
            request = self.button.request()
            if request is not None:
                found.append(request[0])
        return found

    def test_a_press_is_told_again_while_it_lasts_and_its_end_once(self):
        self.assertEqual(self.told(200), [])
        self.pin.value(0)
        # At 40 to 60 ms, then each 250 to 260.
        self.assertEqual(self.told(1000), ["press"] * 4)
        self.pin.value(1)
        self.assertEqual(self.told(500), ["release"])

    def test_a_bounce_is_no_press(self):
        for _ in range(10):
            self.pin.value(0)
            self.assertEqual(self.told(20), [])
            self.pin.value(1)
            self.assertEqual(self.told(20), [])


class TestRoot(unittest.TestCase):
    """The whole panel as a root makes it of a board and device.json."""

    def setUp(self):
        machine.detach_all()
        machine.Pin(33, machine.Pin.OUT, value=1)  # nobody presses the button
        self.clock = VirtualClock(0)

    def work(self, panel, ms):
        until = self.clock.ticks_ms() + ms
        while self.clock.ticks_ms() < until:
            self.clock.advance(max(panel.work(), 1))

    def make(self, board=esp32_bl0942, **display):
        return panel_esp32.make(board, settings.check(display), self.clock, "esp32").panel

    def test_an_oled_in_chinese_and_a_keypad_on_the_bus(self):
        oled, keys = Oled("sh1106"), KeyMatrix()
        machine.attach_i2c(0, 0x3C, oled)
        machine.attach_i2c(0, 0x20, Pcf8574(keys))
        panel = self.make(chip="sh1106", language="zh", keypad="pcf8574", signals=True)
        panel.show(views.view(zone="low1", available_micro=19990000))
        self.work(panel, 1000)
        self.assertEqual(digest(oled.frame()), DIGESTS["zh"]["low1"])
        keys.down.add((0, 1))
        self.work(panel, 100)
        self.assertEqual(panel.request(), ("key", "2"))
        self.assertEqual(machine.wave(esp32_bl0942.DISPLAY["buzzer"])[0], 1000)

    def test_the_bus_has_the_speed_of_the_slowest_chip(self):
        for display, hertz in (
            ({"chip": "ssd1306"}, 400000),
            ({"chip": "ssd1306", "keypad": "pcf8574"}, 100000),
            ({"chip": "hd44780"}, 100000),
        ):
            self.make(**display)
            self.assertEqual(machine.speed(0), hertz)

    def test_the_home_screen_is_the_golden_one(self):
        oled = Oled("ssd1306")
        machine.attach_i2c(0, 0x3C, oled)
        panel = self.make(chip="ssd1306")
        panel.show(views.view())
        self.work(panel, 1000)
        self.assertEqual(digest(oled.frame()), DIGESTS["en"]["home"])

    def test_a_text_display(self):
        glass = Hd44780()
        machine.attach_i2c(0, 0x27, Pcf8574(glass))
        panel = self.make(chip="hd44780")
        panel.show(views.view())
        for _ in range(200):
            wait = max(panel.work(), 1)
            self.clock.advance(wait)
            glass.pass_us(wait * 1000)
        self.assertEqual(glass.lines()[0], "Balance        00:05")
        self.assertEqual(glass.faults, 0)

    def test_a_matrix_at_pins_that_the_board_has_not_is_refused(self):
        with self.assertRaises(FirmwareError) as caught:
            self.make(keypad="matrix")
        self.assertIn("use pcf8574", str(caught.exception))

    def test_an_address_of_the_metering_chip_is_refused(self):
        with self.assertRaises(FirmwareError) as caught:
            self.make(esp32_ade7953, keypad="pcf8574", keypad_address=0x38)
        self.assertIn("the metering chip of esp32_ade7953 has 0x38", str(caught.exception))
