"""A keypad: a key once, bounces and ghosts never; behind a PCF8574 as at pins."""

import unittest

from wattledger.hal.display.keypad import LAYOUT_4X3, LAYOUT_4X4, Keypad
from wattledger.hal.display.keypad_pcf8574 import ExpanderMatrix
from wattledger.host_sim.chip.pcf8574 import KeyMatrix, Pcf8574


def bench(layout=LAYOUT_4X4):
    """(keys that are down, expander, keypad)."""
    keys = KeyMatrix()
    expander = Pcf8574(keys)
    return keys.down, expander, Keypad(ExpanderMatrix(expander), layout)


def looks(keypad, count):
    return [keypad.read() for _ in range(count)]


class TestKeypad(unittest.TestCase):
    def test_every_key_of_both_layouts(self):
        names = {"*": "erase", "#": "enter", "A": "turn", "B": None, "C": None, "D": None}
        for layout, columns in ((LAYOUT_4X4, 4), (LAYOUT_4X3, 3)):
            down, _, keypad = bench(layout)
            for index, letter in enumerate(layout):
                place = (index // columns, index % columns)
                down.add(place)
                told = looks(keypad, 3)
                down.discard(place)
                looks(keypad, 2)
                self.assertEqual(told, [None, names.get(letter, letter), None], letter)

    def test_a_held_key_is_told_once(self):
        down, _, keypad = bench()
        down.add((1, 1))
        self.assertEqual(looks(keypad, 100).count("5"), 1)
        down.clear()
        looks(keypad, 2)
        down.add((1, 1))
        self.assertEqual(looks(keypad, 3).count("5"), 1)

    def test_a_bounce_is_no_key_and_no_second_one(self):
        down, _, keypad = bench()
        told = []
        for pressed in (1, 0, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0):
            down.clear()
            if pressed:
                down.add((3, 1))
            told += looks(keypad, 1)
        self.assertEqual([key for key in told if key], ["0"])

    def test_of_several_keys_none_is_told(self):
        down, _, keypad = bench()
        # Three corners: the matrix shows the fourth as well.
        down.update([(0, 0), (0, 1), (1, 0)])
        self.assertEqual(looks(keypad, 10), [None] * 10)
        down.clear()
        down.update([(2, 0), (2, 1)])
        self.assertEqual(looks(keypad, 10), [None] * 10)

    def test_the_second_of_two_is_told_when_the_first_is_up(self):
        down, _, keypad = bench()
        down.add((0, 0))
        self.assertEqual(looks(keypad, 3)[1], "1")
        down.add((0, 1))
        self.assertEqual(looks(keypad, 3), [None] * 3)
        down.discard((0, 0))
        self.assertEqual([key for key in looks(keypad, 3) if key], ["2"])

    def test_a_keypad_that_nobody_touches_takes_one_transfer_a_look(self):
        down, expander, keypad = bench()
        reads = []
        answer = expander.i2c_read

        def i2c_read(into):
            reads.append(expander.latch)
            return answer(into)

        expander.i2c_read = i2c_read
        looks(keypad, 3)
        self.assertEqual(reads, [0xF0] * 3)
        down.add((0, 0))
        looks(keypad, 1)
        self.assertEqual(reads[3:], [0xF0, 0xFE, 0xFD, 0xFB, 0xF7])

    def test_an_unplugged_keypad_has_no_key_down_and_is_counted(self):
        down, expander, keypad = bench()
        down.add((0, 0))
        expander.silent = True
        self.assertEqual(looks(keypad, 5), [None] * 5)
        self.assertEqual(keypad.faults, 5)
        expander.silent = False
        self.assertEqual([key for key in looks(keypad, 3) if key], ["1"])
