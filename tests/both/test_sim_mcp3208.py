"""The simulated MCP3208 against its datasheet, frame by frame, and its waves against a table."""

import unittest

from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.angle import rotate
from wattledger.host_sim.chip.mcp3208 import Mcp3208


def frame(chip, text):
    """Clock the bytes of a hex string out; what came back, in hex."""
    out = bytes(int(text[at : at + 2], 16) for at in range(0, len(text), 2))
    into = bytearray(len(out))
    chip.transfer(out, into)
    return "".join("%02x" % byte for byte in into)


class TestFrames(unittest.TestCase):
    """DS21298E figure 6-1: five zeros, start, SGL, D2 | D1, D0, ... | ...; here by hand."""

    def chip(self, codes):
        chip = Mcp3208()
        for channel, code in enumerate(codes):
            chip.stick(channel, code)
        return chip

    def test_each_channel_answers_after_a_floating_line_and_a_null_bit(self):
        chip = self.chip([0x000, 0xFFF, 0xABC, 0x123, 0x800, 0x7FF, 0x001, 0xDEA])
        # Eleven bits float (ones), then 0, then twelve bits: ff, 111 0 + high nibble, low byte.
        for out, into in (
            ("060000", "ffe000"),
            ("064000", "ffefff"),
            ("068000", "ffeabc"),
            ("06c000", "ffe123"),
            ("070000", "ffe800"),
            ("074000", "ffe7ff"),
            ("078000", "ffe001"),
            ("07c000", "ffedea"),
        ):
            self.assertEqual(frame(chip, out), into)

    def test_what_follows_the_channel_does_not_matter(self):
        self.assertEqual(frame(self.chip([0x5A5]), "063fff"), "ffe5a5")

    def test_a_start_bit_may_come_first(self):
        # Left-aligned: 1 1 000 | x | null | B11.. : null is bit 6, so 0xABC = 1010 1011 1100 ends
        # in bit 18 and is followed by B1 = 0, B2 = 1, B3 = 1, B4 = 1, B5 = 1.
        self.assertEqual(frame(self.chip([0xABC]), "c00000"), "fd578f")

    def test_more_clocks_give_the_bits_backwards_and_then_zeros(self):
        # 0x801: after B0 = 1 come B1..B10 = 0 and B11 = 1, then zeros.
        self.assertEqual(frame(self.chip([0x801]), "0600000000000000"), "ffe8010020000000")

    def test_no_start_bit_is_no_conversion(self):
        self.assertEqual(frame(self.chip([0x801]), "000000"), "ffffff")

    def test_a_frame_too_short_for_the_null_bit_says_nothing(self):
        self.assertEqual(frame(self.chip([0]), "06"), "ff")

    def test_a_difference_of_two_channels_does_not_go_below_zero(self):
        chip = self.chip([0x900, 0x800])
        self.assertEqual(frame(chip, "040000"), "ffe100")  # CH0+, CH1-
        self.assertEqual(frame(chip, "044000"), "ffe000")  # CH1+, CH0-

    def test_a_dead_bus_is_ones(self):
        chip = self.chip([0])
        chip.silent = True
        self.assertEqual(frame(chip, "060000"), "ffffff")

    def test_a_hit_answer_is_hit_once(self):
        chip = self.chip([0x0F0])
        chip.corrupt_next(0x801)
        self.assertEqual(frame(chip, "060000"), "ffe8f1")
        self.assertEqual(frame(chip, "060000"), "ffe0f0")


class TestWaves(unittest.TestCase):
    def test_codes_at_the_quarters_of_a_cycle(self):
        chip = Mcp3208(((0, 1),), 200_000, 50_000)
        chip.set_mains(50_000)
        # 200 V rms: 282.843 V peak, 1414.2 codes of 0.2 V. 10 A lagging by a quarter: 14.142 A
        # peak, 282.8 codes, lowest when the voltage is zero and rising.
        chip.set_phase(0, 200_000, 10_000, 0, 2_000_000)
        voltage = [chip.convert(0, at) - 2048 for at in (0, 5_000, 10_000, 15_000, 20_000)]
        current = [chip.convert(1, at) - 2048 for at in (0, 5_000, 10_000, 15_000)]
        self.assertEqual(voltage, [0, 1414, 0, -1414, 0])
        self.assertEqual(current, [-283, 0, 283, 0])

    def test_a_twelfth_of_a_cycle_is_half_the_peak(self):
        chip = Mcp3208(((0, 1),), 200_000, 50_000)
        chip.set_mains(60_000)
        chip.set_phase(0, 200_000, 0, 0)
        # 60 Hz: a twelfth is 1388.9 us; 1389 us is 30.0024 degrees: 707.1 + 0.05
        self.assertEqual(chip.convert(0, 1_389) - 2048, 707)

    def test_the_converter_clips(self):
        chip = Mcp3208(((0, 1),), 100_000, 50_000)
        chip.set_phase(0, 230_000, 0, 0)
        self.assertEqual((chip.convert(0, 5_000), chip.convert(0, 15_000)), (4095, 0))

    def test_a_change_of_frequency_makes_no_jump(self):
        chip = Mcp3208()
        chip.set_phase(0, 230_000, 0, 0)
        chip.feed(3)
        before = chip.convert(0, 3_000)
        chip.set_mains(51_000)
        self.assertEqual(chip.convert(0, 3_000), before)

    def test_harmonics_add_their_own_power(self):
        chip = Mcp3208()
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.set_harmonic(5, 100, 400)
        chip.feed(1_000)
        # 1 kW and a tenth of the voltage times four tenths of the current: 1040 W
        self.assertEqual(chip.true_import, 1_040_000 * 1_000)

    def test_noise_is_within_its_peak_and_the_same_for_a_seed(self):
        chips = [Mcp3208(seed=7), Mcp3208(seed=7)]
        for chip in chips:
            chip.set_offset(2, 250)  # a quarter of a code
            chip.noise_permille = 500
        codes = [[chip.convert(2, at) for at in range(400)] for chip in chips]
        self.assertEqual(codes[0], codes[1])
        self.assertEqual(set(codes[0]), {2048, 2049})
        # 0.25 code above the middle: a quarter of the codes are one higher.
        self.assertTrue(70 < codes[0].count(2049) < 130)

    def test_a_restored_chip_goes_on(self):
        chip = Mcp3208()
        chip.noise_permille = 500
        chip.set_phase(0, 230_000, 4_348, 1_000_000)
        chip.set_harmonic(3, 10, 20)
        chip.feed(1_234)
        other = Mcp3208()
        other.restore(chip.state())
        self.assertEqual(other.true_import, 1_000_200 * 1_234)
        for at in range(1_234_000, 1_254_000, 977):
            self.assertEqual(other.convert(1, at), chip.convert(1, at))


class TestAngle(unittest.TestCase):
    def test_a_turned_unit_is_cosine_and_sine(self):
        for angle, value in (
            (0, 0),
            (30_000, 500_000_000),
            (45_000, 707_106_781),
            (90_000, 1_000_000_000),
            (210_000, -500_000_000),
            (-90_000, -1_000_000_000),
            (540_000, 0),
        ):
            self.assertTrue(abs(rotate(1_000_000_000, 0, angle)[1] - value) <= 100, angle)

    def test_a_current_that_falls_behind_turns_power_into_reactive_power(self):
        power, reactive = rotate(1_000_000, 0, 60_000)
        self.assertTrue(abs(power - 500_000) <= 1 and abs(reactive - 866_025) <= 1)
        power, reactive = rotate(500_000, 866_025, -60_000)
        self.assertTrue(abs(power - 1_000_000) <= 2 and abs(reactive) <= 2)


class _Block:
    def __init__(self, size):
        self.raw = bytearray(size)
        self.ended_us = 0


class TestSampler(unittest.TestCase):
    def setUp(self):
        self.chip = Mcp3208(((0, 1), (0, 2)))
        self.sampler = SimulatedSampler(self.chip, 4, 1_000, 3)
        self.block = _Block(4 * 4 * 3)

    def test_conversions_come_in_rounds_each_at_its_time(self):
        asked = []
        self.chip.convert = lambda channel, at: asked.append((channel, at)) or 0x123
        self.sampler.start()
        self.chip.feed(4)
        self.assertTrue(self.sampler.take(self.block))
        self.assertEqual(asked[:5], [(0, 0), (1, 250), (0, 500), (2, 750), (0, 1_000)])
        self.assertEqual(len(asked), 16)
        self.assertEqual(self.block.ended_us, 4_000)
        self.assertEqual(bytes(self.block.raw[:3]), b"\xff\xe1\x23")

    def test_a_block_is_not_there_before_its_time(self):
        self.sampler.start()
        self.chip.feed(3)
        self.assertFalse(self.sampler.take(self.block))

    def test_blocks_that_nobody_took_are_overruns(self):
        self.sampler.start()
        self.chip.feed(20)
        ends = []
        while self.sampler.take(self.block):
            ends.append(self.block.ended_us)
        self.assertEqual((ends, self.sampler.overruns), ([12_000, 16_000, 20_000], 2))

    def test_a_repeated_block_is_the_one_converted_anew(self):
        # 20 ms a block of 50 Hz: served again, and the same as a sampler's that begins there.
        self.chip.set_phase(0, 230_000, 0, 1_000_000)
        plain = SimulatedSampler(self.chip, 20, 1_000)
        plain.start()
        block = _Block(20 * 4 * 3)
        self.chip.feed(20)
        plain.take(block)
        first = bytes(block.raw)
        self.chip.feed(20)
        plain.take(block)
        self.assertEqual(bytes(block.raw), first)
        self.chip.set_phase(0, 220_000, 0, 1_000_000)
        self.chip.feed(20)
        plain.take(block)
        self.assertTrue(bytes(block.raw) != first)


if __name__ == "__main__":
    unittest.main()
