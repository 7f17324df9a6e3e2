"""The object `display` of device.json: what it may hold, and what is said when it does not."""

import json
import unittest

from wattledger.agent import config
from wattledger.agent.errors import ConfigError


def load(display):
    document = {"v": 1, "meter": "m", "tenant": "t", "board": "sim", "display": display}
    return config.load(json.dumps(document).encode()).display


class TestDisplay(unittest.TestCase):
    def refused(self, display, place, words):
        with self.assertRaises(ConfigError) as caught:
            load(display)
        self.assertEqual(caught.exception.place(), place)
        self.assertIn(words, str(caught.exception))

    def test_without_the_object_there_is_no_display(self):
        document = {"v": 1, "meter": "m", "tenant": "t", "board": "sim"}
        self.assertIsNone(config.load(json.dumps(document).encode()).display)

    def test_defaults(self):
        found = load({})
        self.assertEqual(
            (found.chip, found.language, found.keypad, found.keys, found.signals),
            ("none", "en", "none", "4x4", False),
        )

    def test_each_chip_has_its_usual_address(self):
        self.assertEqual(load({"chip": "sh1106"}).address, 0x3C)
        self.assertEqual(load({"chip": "hd44780"}).address, 0x27)
        self.assertEqual(load({"chip": "ssd1306", "address": 61}).address, 0x3D)
        self.assertEqual(load({"keypad": "pcf8574"}).keypad_address, 0x20)

    def test_everything_set(self):
        found = load(
            {
                "chip": "sh1106",
                "language": "zh",
                "keypad": "matrix",
                "keys": "4x3",
                "signals": True,
                "keypad_address": 33,
            }
        )
        self.assertEqual((found.chip, found.language, found.keys), ("sh1106", "zh", "4x3"))
        self.assertEqual((found.keypad, found.keypad_address), ("matrix", 33))
        self.assertIs(found.signals, True)

    def test_each_error_names_key_value_and_range(self):
        for display, place, words in (
            ([], "display", "must be an object, is a list"),
            ({"chips": "x"}, "display.chips", "unknown key"),
            ({"chip": "ssd1309"}, "display.chip", 'sh1106, hd44780, is "ssd1309"'),
            ({"chip": 1}, "display.chip", "must be one of"),
            ({"language": "de"}, "display.language", 'must be one of en, zh, is "de"'),
            ({"signals": 1}, "display.signals", "must be true or false, is 1"),
            ({"address": 120}, "display.address", "from 8 to 119 (0x08 to 0x77), is 120"),
            ({"address": True}, "display.address", "is true"),
            ({"keypad_address": 7}, "display.keypad_address", "is 7"),
        ):
            self.refused(display, place, words)

    def test_hanzi_need_an_oled(self):
        self.refused({"chip": "hd44780", "language": "zh"}, "display.language", "has no hanzi")

    def test_two_chips_on_one_bus_need_two_addresses(self):
        both = {"chip": "hd44780", "keypad": "pcf8574", "keypad_address": 39}
        self.refused(both, "display.keypad_address", "is 0x27 too")
        self.assertEqual(load({"keypad": "pcf8574", "keypad_address": 39}).keypad_address, 39)
