"""The panel's parts on an ESP32's own buses and pins, simulated chips behind them."""

import unittest

from wattledger.hal.errors import BusError
from wattledger.host_sim import machine
from wattledger.host_sim.chip.oled import Oled
from wattledger.tests.both import (
    fixtures_machine,  # noqa: F401  before the ESP32's files
    fixtures_ssd1306,  # noqa: F401
)

# isort: split
from wattledger.hal.display.buzzer_esp32 import EspSignals
from wattledger.hal.display.glass import Glass
from wattledger.hal.display.keypad import LAYOUT_4X4, Keypad
from wattledger.hal.display.keypad_esp32 import EspMatrix
from wattledger.hal.display.oled_esp32 import EspPort

HEAP = "320K"
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
