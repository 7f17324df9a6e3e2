"""The simulated INA228 against its datasheet, byte by byte."""

import unittest

from wattledger.host_sim.chip.ina228 import Ina228


def read(chip, register, size):
    assert chip.i2c_write(bytes((register,)))
    into = bytearray(size)
    assert chip.i2c_read(into)
    return "".join("%02x" % byte for byte in into)


def configured():
    """The datasheet's example: 10 A, 16.2 milliohm, SHUNT_CAL 4050 = 0x0FD2."""
    chip = Ina228(16_200)
    chip.i2c_write(bytes((0x02, 0x0F, 0xD2)))
    return chip


class TestIna228(unittest.TestCase):
    def test_a_new_chip_says_who_it_is(self):
        chip = Ina228(16_200)
        for register, word in ((0x3E, "5449"), (0x3F, "2281"), (0x00, "0000"), (0x01, "fb68")):
            self.assertEqual(read(chip, register, 2), word)

    def test_the_example_of_the_datasheet(self):
        chip = configured()
        # CURRENT_LSB is 10 A / 2**19. 6 A are 314 572.8 codes, 48 V are 245 760 of 195.3125 uV,
        # 288 W are 288 / (3.2 x 10 / 2**19) = 4 718 592 codes; 25.0 C are 3 200 of 7.8125 mC;
        # 6 A x 16.2 mOhm = 97.2 mV are 311 040 of 312.5 nV.
        chip.set_phase(0, 48_000, 6_000, 288_000)
        self.assertEqual(read(chip, 0x07, 3), "%06x" % (314_572 << 4))
        self.assertEqual(read(chip, 0x05, 3), "%06x" % (245_760 << 4))
        self.assertEqual(read(chip, 0x08, 3), "%06x" % 4_718_592)
        self.assertEqual(read(chip, 0x06, 2), "%04x" % 3_200)
        self.assertEqual(read(chip, 0x04, 3), "%06x" % (311_040 << 4))
        # One second: 288 J / (51.2 x 10 / 2**19) = 294 912; 6 C / LSB = 314 572.8.
        chip.feed(1_000)
        self.assertEqual(read(chip, 0x09, 5), "%010x" % 294_912)
        self.assertEqual(read(chip, 0x0A, 5), "%010x" % 314_572)

    def test_energy_has_no_sign_and_charge_has(self):
        chip = configured()
        chip.set_phase(0, 48_000, 6_000, -288_000)
        chip.feed(1_000)
        self.assertEqual(read(chip, 0x09, 5), "%010x" % 294_912)
        self.assertEqual(read(chip, 0x0A, 5), "%010x" % (2**40 - 314_573))
        self.assertEqual(read(chip, 0x07, 3), "%06x" % ((2**20 - 314_572) << 4))

    def test_reading_clears_nothing_and_rstacc_does(self):
        chip = configured()
        chip.set_phase(0, 48_000, 6_000, 288_000)
        chip.feed(1_000)
        first = read(chip, 0x09, 5)
        self.assertEqual(read(chip, 0x09, 5), first)
        chip.i2c_write(b"\x00\x40\x00")
        self.assertEqual(read(chip, 0x09, 5), "0000000000")
        self.assertEqual(read(chip, 0x02, 2), "0fd2")

    def test_the_fine_range_has_four_times_the_codes(self):
        chip = Ina228(4_050)
        chip.i2c_write(b"\x02\x0f\xd2")
        chip.i2c_write(b"\x00\x00\x10")
        chip.set_phase(0, 48_000, 6_000, 288_000)
        self.assertEqual(read(chip, 0x07, 3), "%06x" % (314_572 << 4))

    def test_energy_wraps_with_a_flag_that_reading_it_clears(self):
        chip = configured()
        chip.poke(0x09, 2**40 - 1)
        chip.set_phase(0, 48_000, 6_000, 288_000)
        chip.feed(1_000)
        self.assertEqual(read(chip, 0x0B, 2), "0801")
        self.assertEqual(read(chip, 0x09, 5), "%010x" % 294_911)
        self.assertEqual(read(chip, 0x0B, 2), "0001")

    def test_too_much_current_saturates_and_says_so(self):
        chip = configured()
        chip.set_phase(0, 48_000, 10_100, -484_800)
        self.assertEqual(read(chip, 0x07, 3), "800000")
        self.assertEqual(read(chip, 0x0B, 2), "0201")

    def test_a_brown_out_and_a_reset_forget_the_set_up(self):
        for forget in (Ina228.brown_out, lambda chip: chip.i2c_write(b"\x00\x80\x00")):
            chip = configured()
            forget(chip)
            self.assertEqual(read(chip, 0x02, 2), "1000")

    def test_a_silent_chip_does_not_acknowledge(self):
        chip = configured()
        chip.silent = True
        self.assertFalse(chip.i2c_write(b"\x07"))
        self.assertFalse(chip.i2c_read(bytearray(3)))

    def test_a_state_taken_up_again_is_the_same_chip(self):
        chip = configured()
        chip.set_phase(0, 48_000, 6_000, -288_000)
        chip.feed(1_234)
        again = Ina228(16_200)
        again.restore(chip.state())
        for each in (chip, again):
            each.feed(777)
        self.assertEqual(again.state(), chip.state())


if __name__ == "__main__":
    unittest.main()
