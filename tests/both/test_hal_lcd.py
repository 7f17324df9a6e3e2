"""A text display of 20x4 half byte by half byte, with the time that its bus really takes."""

import unittest

from wattledger.hal.display.lcd_pcf8574 import RESYNC, SIGN_ROWS, Lcd, code_of
from wattledger.hal.errors import BusError
from wattledger.host_sim.chip.hd44780 import Hd44780
from wattledger.host_sim.chip.pcf8574 import Pcf8574

HEAP = "256K"
LINES = (
    "Balance        14:05",
    "86.42               ",
    "12 days left      ON",
    "abcdefghijklmnopqrst",
)


class Bench:
    def __init__(self, hz=100000):
        self.glass = Hd44780()
        self.expander = Pcf8574(self.glass, hz)
        self.lcd = Lcd(self.expander)
        self.lcd.show(LINES)

    def once(self):
        """One slice, and the time it asks for; what it returned."""
        wait = self.lcd.work()
        self.glass.pass_us((wait or 0) * 1000)
        return wait

    def finish(self):
        slices = 0
        while self.once() is not None:
            slices += 1
        return slices


class TestLcd(unittest.TestCase):
    def setUp(self):
        self.bench = Bench()

    def begin(self):
        self.bench.lcd.begin()
        self.bench.finish()

    def test_four_lines_after_a_start_that_never_hurries_it(self):
        self.begin()
        self.assertEqual(self.bench.glass.lines(), LINES)
        self.assertEqual(self.bench.glass.faults, 0)
        self.assertTrue(self.bench.glass.lit)

    def test_the_simulated_display_does_count_hurry(self):
        glass = self.bench.glass
        self.bench.lcd.begin()
        while self.bench.lcd.work() is not None:
            pass  # without the waits
        self.assertGreater(glass.faults, 0)
        self.assertNotEqual(glass.lines(), LINES)

    def test_only_letters_that_changed_are_sent(self):
        self.begin()
        self.bench.lcd.show(LINES[:1] + ("86.41               ",) + LINES[2:])
        # One slice of five letters holds the change.
        self.assertEqual(self.bench.finish(), 1)
        self.assertEqual(self.bench.glass.lines()[1], "86.41               ")

    def test_no_message_is_longer_than_a_few_milliseconds(self):
        self.begin()
        # A sign's eight rows are 32 bytes and the address: 33 x 9 bits at 100 kHz is 3 ms.
        self.assertLessEqual(self.bench.expander.longest, 32)

    def test_signs_of_money_are_letters_of_its_own(self):
        self.bench.lcd.show(("\u00a51 \u20ac2 \u00a33" + " " * 12,) + LINES[1:])
        self.begin()
        self.assertEqual(self.bench.glass.lines()[0][:8], "\x001 \x012 \x023")
        self.assertEqual(bytes(self.bench.glass.signs[:40]), b"".join(SIGN_ROWS))

    def test_a_letter_it_has_not_is_a_question_mark(self):
        self.assertEqual([code_of(letter) for letter in "A\\~\u4e00"], [0x41, 0x3F, 0x3F, 0x3F])

    def test_half_a_byte_too_many_is_mended_within_a_minute(self):
        self.begin()
        glass = self.bench.glass
        glass.pass_us(1000)
        glass.slip()
        self.bench.lcd.show(("All is garbled now. ",) + LINES[1:])
        self.bench.finish()
        self.assertNotEqual(glass.lines()[0], "All is garbled now. ")
        for _ in range(RESYNC + 1):
            self.bench.once()
        self.bench.finish()
        self.assertEqual(glass.lines(), ("All is garbled now. ",) + LINES[1:])
        self.assertEqual(glass.faults, 0)

    def test_nobody_there_is_an_error_and_plugging_in_shows_all(self):
        self.bench.expander.silent = True
        self.assertRaises(BusError, self.bench.lcd.begin)
        self.bench.expander.silent = False
        self.begin()
        self.assertEqual(self.bench.glass.lines(), LINES)
        self.bench.expander.silent = True
        self.bench.lcd.show(("x" * 20,) * 4)
        self.assertRaises(BusError, self.bench.lcd.work)
        self.bench.expander.silent = False
        self.bench.glass.brown_out()
        self.begin()
        self.assertEqual(self.bench.glass.lines(), ("x" * 20,) * 4)
