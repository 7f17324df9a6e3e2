"""Wires that fail do so as often as they say, and the same way for the same seed."""

import unittest

from wattledger.hal.errors import BusError
from wattledger.host_sim import bus_faults as faults
from wattledger.tests.both.fixtures_wires import Cells, Mirror, Talker


def ones(data):
    """Bits that are set."""
    return sum(bin(byte).count("1") for byte in data)


class TestFlipper(unittest.TestCase):
    def test_one_in_a_hundred_is_about_one_in_a_hundred(self):
        zeros = bytearray(2500)
        flipper = faults.Flipper(1, 10_000)
        for _ in range(10):
            flipper.flip(zeros, len(zeros))
        # 200 000 bits, 2000 expected, deviation 44.5: within four of them.
        self.assertTrue(1822 <= flipper.flips <= 2178, flipper.flips)

    def test_each_bit_of_a_byte_is_hit_as_often(self):
        hits = [0] * 8
        flipper = faults.Flipper(2, 50_000)
        for _ in range(4000):
            byte = bytearray(1)
            flipper.flip(byte, 1)
            for bit in range(8):
                hits[bit] += byte[0] >> bit & 1
        # 200 expected of each, deviation 13.8: within four of them.
        self.assertTrue(all(145 <= count <= 255 for count in hits), hits)

    def test_gaps_are_geometric(self):
        # At a half, a gap of 0 has the chance 1/2, of 1 1/4, of 2 1/8, and so on.
        flipper = faults.Flipper(3, 500_000)
        counts = [0] * 40
        for _ in range(1600):
            counts[flipper._gap()] += 1
        for gap, expected, four_deviations in ((0, 800, 80), (1, 400, 70), (2, 200, 53)):
            self.assertTrue(abs(counts[gap] - expected) <= four_deviations, counts)

    def test_none_and_all(self):
        buffer = bytearray(64)
        faults.Flipper(4, 0).flip(buffer, 64)
        self.assertEqual(ones(buffer), 0)
        faults.Flipper(4, 1_000_000).flip(buffer, 64)
        self.assertEqual(ones(buffer), 512)

    def test_only_what_passed_is_hit(self):
        buffer = bytearray(8)
        faults.Flipper(5, 1_000_000).flip(buffer, 3)
        self.assertEqual(buffer, bytearray(b"\xff\xff\xff\0\0\0\0\0"))

    def test_a_seed_replays_however_the_bits_are_cut(self):
        whole = bytearray(400)
        faults.Flipper(6, 20_000).flip(whole, 400)
        pieces = bytearray()
        flipper = faults.Flipper(6, 20_000)
        for length in (1, 7, 92, 300):
            piece = bytearray(length)
            flipper.flip(piece, length)
            pieces += piece
        self.assertEqual(whole, pieces)
        other = bytearray(400)
        faults.Flipper(7, 20_000).flip(other, 400)
        self.assertNotEqual(whole, other)


class TestFlipping(unittest.TestCase):
    def test_spi_is_hit_on_both_ways_and_the_drivers_buffer_on_none(self):
        chip = Mirror()
        wire = faults.FlippingSpi(chip, 1, 1_000_000)
        out = bytearray(b"\x0f\x00")
        into = bytearray(2)
        wire.transfer(out, into)
        self.assertEqual((chip.last(), out), ("f0ff", bytearray(b"\x0f\x00")))
        # The chip answers 0F 00 to what it heard, and all of that is hit again.
        self.assertEqual(into, bytearray(b"\xf0\xff"))
        self.assertEqual(wire.flips, 32)

    def test_i2c_is_hit_in_pointer_and_data(self):
        chip = Cells()
        wire = faults.FlippingI2c(chip, 1, 1_000_000)
        wire.write(0x00FF, b"\x12")
        self.assertEqual(chip.peek(0xFF00), 0xED)
        into = bytearray(1)
        wire.read_into(0x00FF, into)
        self.assertEqual((into, wire.flips), (bytearray(b"\x12"), 48))

    def test_a_uart_is_hit_on_both_ways(self):
        chip = Talker()
        wire = faults.FlippingUart(chip, 1, 1_000_000)
        wire.write(b"\x00")
        chip.says = b"\xf0\x00"
        buffer = bytearray(4)
        self.assertEqual(wire.read_into(buffer), 2)
        self.assertEqual((chip.heard, buffer), (b"\xff", bytearray(b"\x0f\xff\0\0")))
        self.assertEqual(wire.flips, 24)


class TestBrokenWires(unittest.TestCase):
    def test_every_third_frame_is_short(self):
        chip = Mirror()
        wire = faults.ShortFrames(chip, 3)
        into = bytearray(4)
        for _ in range(6):
            wire.transfer(b"\x01\x02\x03\x04", into)
        self.assertEqual(chip.frames(), [4, 4, 3, 4, 4, 3])
        self.assertEqual(into, bytearray(b"\xfe\xfd\xfc\xff"))

    def test_every_second_message_is_not_acknowledged_and_not_heard(self):
        chip = Cells()
        wire = faults.Nack(chip, 2)
        wire.write(1, b"\x05")
        with self.assertRaises(BusError):
            wire.write(1, b"\x06")
        into = bytearray(1)
        wire.read_into(1, into)
        self.assertEqual(into, bytearray(b"\x05"))
        with self.assertRaises(BusError):
            wire.read_into(1, into)

    def test_a_stuck_line_hides_the_answer_and_the_chip_hears(self):
        for level, seen in ((0, b"\0\0"), (1, b"\xff\xff")):
            chip = Mirror()
            wire = faults.StuckLine(chip, level)
            into = bytearray(2)
            wire.transfer(b"\x0f\xf0", into)
            self.assertEqual((into, chip.last()), (bytearray(seen), "0ff0"))
            wire.stuck = False
            wire.transfer(b"\x0f\xf0", into)
            self.assertEqual(into, bytearray(b"\xf0\x0f"))

    def test_silence_is_ones_on_spi(self):
        chip = Mirror()
        wire = faults.Silence(chip)
        into = bytearray(2)
        wire.transfer(b"\x01\x02", into)
        self.assertEqual((into, chip.frames()), (bytearray(b"\xff\xff"), []))
        wire.silent = False
        wire.transfer(b"\x01\x02", into)
        self.assertEqual(into, bytearray(b"\xfe\xfd"))

    def test_silence_is_no_acknowledge_on_i2c(self):
        chip = Cells()
        wire = faults.Silence(chip)
        with self.assertRaises(BusError):
            wire.write(1, b"\x05")
        with self.assertRaises(BusError):
            wire.read_into(1, bytearray(1))
        self.assertEqual(chip.peek(1), 0)
        wire.silent = False
        wire.write(1, b"\x05")
        into = bytearray(1)
        wire.read_into(1, into)
        self.assertEqual(into, bytearray(b"\x05"))

    def test_silence_is_nothing_on_a_uart(self):
        chip = Talker()
        wire = faults.Silence(chip)
        chip.says = b"ab"
        wire.write(b"x")
        buffer = bytearray(4)
        self.assertEqual((wire.read_into(buffer), chip.heard), (0, b""))
        wire.silent = False
        wire.write(b"x")
        self.assertEqual((wire.read_into(buffer), chip.heard), (2, b"x"))

    def test_a_slow_line_brings_a_few_bytes_a_read(self):
        chip = Talker()
        wire = faults.Slow(chip, 2)
        chip.says = b"abcde"
        buffer = bytearray(8)
        counts = [wire.read_into(buffer) for _ in range(4)]
        self.assertEqual((counts, buffer[0]), ([2, 2, 1, 0], 101))
        chip.says = b"fgh"
        small = bytearray(1)
        self.assertEqual((wire.read_into(small), small), (1, bytearray(b"f")))
        wire.write(b"x")
        self.assertEqual(chip.heard, b"x")


if __name__ == "__main__":
    unittest.main()
