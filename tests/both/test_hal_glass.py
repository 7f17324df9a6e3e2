"""An OLED a few bytes at a time: what is on the glass of either chip, and on the bus."""

import unittest

from wattledger.hal.display.glass import CHECK, Glass
from wattledger.hal.errors import BusError
from wattledger.host_sim.chip.oled import Oled
from wattledger.tests.both.fixtures_oled import Wired

HEAP = "256K"


def bench(chip="ssd1306", configured=None):
    """(oled, port, frame, glass), begun."""
    oled = Oled(chip)
    port = Wired(oled)
    frame = bytearray([index * 7 & 0xFF for index in range(1024)])
    glass = Glass(port, frame, configured or chip)
    glass.begin()
    return oled, port, frame, glass


def finish(glass):
    """Slices until all is shown; how many."""
    slices = 0
    while glass.work() is not None:
        slices += 1
    return slices


class TestGlass(unittest.TestCase):
    def test_both_chips_show_the_frame(self):
        for chip in ("ssd1306", "sh1106"):
            oled, _, frame, glass = bench(chip)
            # 1024 bytes in pieces of 32.
            self.assertEqual(finish(glass), 32)
            self.assertEqual(oled.frame(), frame)

    def test_a_frame_for_the_other_chip_stands_two_columns_off(self):
        oled, _, frame, glass = bench("sh1106", "ssd1306")
        finish(glass)
        seen = oled.frame()
        for page in range(8):
            row = page * 128
            self.assertEqual(seen[row : row + 126], frame[row + 2 : row + 128])
        oled, _, frame, glass = bench("ssd1306", "sh1106")
        finish(glass)
        seen = oled.frame()
        for page in range(8):
            row = page * 128
            self.assertEqual(seen[row + 2 : row + 128], frame[row : row + 126])

    def test_only_what_changed_goes_over_the_bus(self):
        oled, port, frame, glass = bench()
        finish(glass)
        del port.sent[:]
        frame[200] ^= 0x10
        frame[1023] ^= 0x01
        self.assertEqual(finish(glass), 2)
        self.assertEqual(port.sent, [32, 32])
        self.assertEqual(oled.frame(), frame)
        self.assertEqual(finish(glass), 0)

    def test_no_message_is_longer_than_a_few_milliseconds_of_bus(self):
        oled, _, _, glass = bench()
        finish(glass)
        # 34 bytes and the address, 9 bits each, at 100 kHz: 3.15 ms.
        self.assertLessEqual(oled.longest, 33)

    def test_a_frame_that_changes_while_it_is_sent_ends_whole(self):
        oled, _, frame, glass = bench()
        for _ in range(10):
            glass.work()
        for index in range(1024):
            frame[index] = index & 0xFF
        finish(glass)
        finish(glass)
        self.assertEqual(oled.frame(), frame)

    def test_an_unplugged_glass_is_an_error_and_comes_back_whole(self):
        oled, _, frame, glass = bench()
        finish(glass)
        oled.silent = True
        frame[5] ^= 1
        self.assertRaises(BusError, glass.work)
        oled.silent = False
        oled.brown_out()
        glass.begin()
        finish(glass)
        self.assertEqual(oled.frame(), frame)

    def test_a_supply_lost_between_two_pictures_is_noticed(self):
        oled, _, _, glass = bench()
        finish(glass)
        oled.brown_out()
        self.assertEqual(oled.frame(), bytearray(1024))
        with self.assertRaises(BusError):
            for _ in range(CHECK + 1):
                glass.work()

    def test_a_glass_that_does_not_tell_its_status_is_not_asked(self):
        oled, port, _, glass = bench()
        for answer in (None, 0xFF):
            port.status = lambda answer=answer: answer
            glass.begin()
            finish(glass)
            for _ in range(2 * CHECK):
                glass.work()


class TestChip(unittest.TestCase):
    """The simulated chips by their datasheets, without our driver."""

    def test_horizontal_addressing_fills_the_window(self):
        oled = Oled("ssd1306")
        oled.i2c_write(b"\x00\xa1\xc8\x8d\x14\xaf\x20\x00\x21\x02\x03\x22\x01\x02")
        oled.i2c_write(b"\x40\x01\x02\x03\x04\x05")
        frame = oled.frame()
        # Two columns, two pages, then the first again.
        self.assertEqual([frame[128 + 2], frame[128 + 3]], [5, 2])
        self.assertEqual([frame[256 + 2], frame[256 + 3]], [3, 4])

    def test_commands_one_by_one_are_as_those_in_a_row(self):
        one, row = Oled("ssd1306"), Oled("ssd1306")
        for code in b"\xa1\xc8\x8d\x14\xaf\xb3\x05\x11":
            one.i2c_write(bytes((0x80, code)))
        row.i2c_write(b"\x00\xa1\xc8\x8d\x14\xaf\xb3\x05\x11")
        for oled in (one, row):
            oled.i2c_write(b"\x40\x81")
            self.assertEqual(oled.frame()[3 * 128 + 0x15], 0x81)

    def test_without_remap_the_picture_stands_on_its_head(self):
        oled = Oled("sh1106")
        oled.i2c_write(b"\x00\xaf\xb0\x02\x10")
        oled.i2c_write(b"\x40\x01")
        self.assertEqual(oled.frame()[7 * 128 + 127] & 0x80, 0x80)

    def test_inverse_all_on_and_off(self):
        oled = Oled("ssd1306")
        oled.ram = bytearray(1024)
        oled.i2c_write(b"\x00\x8d\x14\xa7")
        self.assertEqual(oled.frame(), bytearray(1024))
        oled.i2c_write(b"\x00\xaf")
        self.assertEqual(oled.frame(), b"\xff" * 1024)
        oled.i2c_write(b"\x00\xa6\xa5")
        self.assertEqual(oled.frame(), b"\xff" * 1024)
        oled.i2c_write(b"\x00\xa4\x8d\x10")
        self.assertEqual(oled.frame(), bytearray(1024))
