"""The ADE7953 driver against the chip at register level: set-up, scale, signs, calibration."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.ade7953_setup import energy_fraction, power_fraction
from wattledger.hal.sample import (
    APPARENT_MVA,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SAG,
    FLAG_SATURATED,
    FLAGS,
    FREQUENCY_MHZ,
    NEUTRAL_MA,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    TEMPERATURE_DC,
    field_bit,
    new_sample,
)
from wattledger.tests.both import fixtures_ade7953 as ade

HEAP = "320K"


class Log:
    """An SPI device that keeps (is read, address, data) of every select."""

    def __init__(self, chip):
        self.chip = chip
        self.log = []

    def transfer(self, out, into):
        self.chip.transfer(out, into)
        value = 0
        for byte in out[3:]:
            value = value << 8 | byte
        self.log.append((bool(out[2]), out[0] << 8 | out[1], value))


class TestBegin(unittest.TestCase):
    def started(self):
        chip = ade.Chip()
        log = Log(chip)
        ade.Ade7953(ade.Ade7953Spi(log), ade.no_wait, [{}]).begin()
        return chip, log.log

    def test_the_unlock_and_the_optimum_setting_follow_each_other_at_once(self):
        chip, log = self.started()
        at = log.index((False, 0x0FE, 0xAD))
        self.assertEqual(log[at + 1], (False, 0x120, 0x0030))
        self.assertEqual(chip.peek(0x120), 0x0030)

    def test_the_set_up_in_the_chip(self):
        chip, _ = self.started()
        # Read with reset, no line-cycle accumulation; interface locked; signed; all protected.
        for register, value in ((0x004, 0x40), (0x102, 0x0004), (0x201, 0), (0x040, 7)):
            self.assertEqual(chip.peek(register), value)
        self.assertFalse(chip.i2c_write(b"\x01\x02"))

    def test_everything_written_is_read_back(self):
        _, log = self.started()
        writes = [entry[1] for entry in log if not entry[0] and entry[1] != 0x0FE]
        last_write = max([at for at, entry in enumerate(log) if not entry[0]])
        read = [entry[1] for entry in log[last_write + 1 :]]
        for register in writes:
            self.assertTrue(register in read, "0x%03X" % register)

    def test_a_running_chip_with_other_line_cycle_bits_is_set_up_again(self):
        chip, driver = ade.running()
        chip.poke(0x004, 0x41)
        driver.begin()
        self.assertEqual(chip.peek(0x004), 0x40)

    def test_a_dead_bus_is_refused_without_waiting_for_a_reset(self):
        for port in ade.PORTS:
            chip = ade.Chip()
            chip.silent = True
            waited = []
            with self.assertRaises(ChipError) as caught:
                ade.Ade7953(port(chip), waited.append, [{}]).begin()
            self.assertEqual((caught.exception.stage, waited), ("bus", []))

    def test_a_chip_that_never_leaves_its_reset_is_refused(self):
        chip = ade.Chip()
        chip._reset = lambda: None
        chip.poke(0x22D, 0)
        waited = []
        with self.assertRaises(ChipError) as caught:
            ade.Ade7953(ade.Ade7953Spi(chip), waited.append, [{}]).begin()
        self.assertEqual((caught.exception.stage, sum(waited)), ("reset", 100))


class TestCalibration(unittest.TestCase):
    def test_constants_go_to_the_registers_of_their_channel(self):
        a = {"voltage_gain": 0x410000, "current_gain": 0x420000, "power_gain": 0x430000}
        a.update({"reactive_gain": 0x440000, "apparent_gain": 0x450000, "voltage_offset": -2})
        a.update({"current_offset": -3, "power_offset": -4, "reactive_offset": 5})
        b = {"current_gain": 0x3F0000, "power_gain": 0x3E0000, "phase": 7, "power_offset": 9}
        chip, _ = ade.running(phases=2, calibration=[a, b])
        wanted = {0x281: 0x410000, 0x280: 0x420000, 0x282: 0x430000, 0x283: 0x440000}
        wanted.update({0x284: 0x450000, 0x288: 0xFFFFFE, 0x286: 0xFFFFFD, 0x289: 0xFFFFFC})
        wanted.update({0x28A: 5, 0x28C: 0x3F0000, 0x28E: 0x3E0000, 0x109: 7, 0x295: 9})
        wanted[0x28D] = 0x400000  # BVGAIN is left alone
        for register in wanted:
            self.assertEqual(chip.peek(register), wanted[register])

    def test_phase_is_sign_and_magnitude(self):
        # Two's complement of -5 in 10 bits would be 0x3FB.
        chip, _ = ade.running(calibration=[{"phase": -5}])
        self.assertEqual(chip.peek(0x108), 0x205)

    def test_a_sensor_that_lags_is_brought_back(self):
        # 5 steps of 1/895 kHz are 0.1006 degree at 50 Hz. At a power factor of a half an error of
        # 0.1 degree is 0.3 %: 1 150 000 mW less 3 480; with the constant within 0.02 %.
        for constant, low, high in ((0, 1_146_400, 1_146_700), (-5, 1_149_770, 1_150_230)):
            chip, driver = ade.running(calibration=[{"phase": constant}])
            chip.set_front_end(0, 0, 0, 100)
            chip.set_phase(0, 230_000, 10_000, 1_150_000, 1_991_858)
            chip.feed(1_000)
            sample = new_sample()
            driver.read_into(sample)
            self.assertTrue(low <= sample[POWER_MW] <= high, sample[POWER_MW])

    def test_what_cannot_be_is_refused(self):
        for second, calibration in (
            ("neutral", [{"phase": 384}]),
            ("neutral", [{"phase": -384}]),
            ("neutral", [{"voltage_gain": 0x1FFFFF}]),
            ("neutral", [{"current_gain": 0x600001}]),
            ("neutral", [{"sag": 1}]),
            ("neutral", [{}, {"voltage_gain": 0x400000}]),
            ("neutral", []),
            ("phase", [{}]),
            ("other", [{}]),
        ):
            with self.assertRaises(ChipError) as caught:
                ade.Ade7953(None, ade.no_wait, calibration, second=second)
            self.assertEqual(caught.exception.stage, "calibration")

    def test_a_scale_whose_power_is_no_small_int_is_refused(self):
        # 2^23 x 1000 x 9032007^2 / (4862401 x volts x amps) mW are 2^30 at 131 070 000 LSB^2.
        for volts, amps, good in ((28_000, 4_000, False), (28_000, 5_000, True)):
            try:
                ade.Ade7953(None, ade.no_wait, [{}], volt_lsb=volts, amp_lsb=amps)
                self.assertTrue(good)
            except ChipError as error:
                self.assertEqual((error.stage, good), ("calibration", False))


class TestScale(unittest.TestCase):
    def test_a_count_is_close_to_the_exact_fraction(self):
        # The exact Wh of a count is 64 R^2 / (volts x amps x 206 900 x 3600), R = 9 032 007.
        # 5 000 LSB an ampere are 1.8 kA at full scale.
        for volts, amps in (
            (26_000, 100_000),
            (1_000, 1_000_000),
            (30_000, 240_000),
            (28_000, 5_000),
            (1_000_000, 1_000_000),
        ):
            numerator, denominator = energy_fraction(volts, amps)
            exact = denominator * 9_032_007**2 * 64
            found = numerator * volts * amps * 206_900 * 3600
            self.assertTrue(abs(found - exact) * 50_000 < exact)

    def test_a_power_step_of_shellys_scale(self):
        # 9032007^2 x 1000 / (2.6e9 x 4862401) = 6.452749 mW.
        numerator, denominator = power_fraction(26_000, 100_000)
        self.assertTrue(abs(numerator * 1_000_000 // denominator - 6_452_744) < 10)

    def test_full_scale_fills_a_register_in_forty_seconds(self):
        _, driver = ade.running()
        # 8 388 607 / 206 900 = 40.5443 s at 31 375.83 W.
        self.assertEqual(driver.overflow_ms(31_376) // 10, 4_054)


class TestReading(unittest.TestCase):
    def sample_of(self, chip, driver):
        sample = new_sample()
        for _ in range(6):
            chip.feed(1_000)
            self.assertEqual(driver.read_into(sample), OK)
        return sample

    def test_every_field_with_its_sign_on_both_buses(self):
        for port in ade.PORTS:
            chip, driver = ade.running(port)
            chip.set_mains(60_000)
            # 10 A at 230 V and a power factor of 0.8: 1840 W, 1380 var, exported.
            chip.set_phase(0, 230_000, 10_000, -1_840_000, 1_380_000)
            sample = self.sample_of(chip, driver)
            for field, wanted, slack in (
                (CURRENT_MA, 10_000, 1),
                (POWER_MW, -1_840_000, 20),
                (REACTIVE_MVAR, 1_380_000, 20),
                (APPARENT_MVA, 2_300_000, 20),
                (POWER_FACTOR, -800, 1),
                (FREQUENCY_MHZ, 60_000, 20),
            ):
                self.assertTrue(abs(sample[field] - wanted) <= slack, (field, sample[field]))
            # 1840 W x 6.594248 LSB a W and second, 64 a count; never the absolute value.
            self.assertTrue(abs(sample[ENERGY_COUNTS] + 190) <= 1)
            self.assertFalse(driver.fields & field_bit(TEMPERATURE_DC))

    def test_the_second_current_is_the_neutrals(self):
        chip, driver = ade.running()
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.set_neutral(9_500)
        sample = self.sample_of(chip, driver)
        self.assertTrue(driver.fields & field_bit(NEUTRAL_MA))
        self.assertEqual((sample[NEUTRAL_MA], sample[CURRENT_MA]), (9_500, 10_000))

    def test_or_a_second_circuit_with_energy_of_its_own(self):
        chip, driver = ade.running(phases=2)
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.set_phase(1, 230_000, 5_000, -1_150_000)
        sample = self.sample_of(chip, driver)
        self.assertFalse(driver.fields & field_bit(NEUTRAL_MA))
        # 2300 W and 1150 W x 6.594248 / 64
        self.assertTrue(abs(sample[ENERGY_COUNTS] - 237) <= 1)
        self.assertTrue(abs(sample[PHASE_FIELDS + ENERGY_COUNTS] + 118) <= 1)
        self.assertEqual(sample[PHASE_FIELDS + CURRENT_MA], 5_000)

    def test_sag_and_saturation_are_flags(self):
        chip = ade.Chip()
        driver = ade.Ade7953(ade.Ade7953Spi(chip), ade.no_wait, [{}], sag_level=26_000 * 184)
        driver.begin()
        for voltage, current, flags in (
            (230_000, 10_000, 0),
            (170_000, 10_000, FLAG_SAG),
            (230_000, 10_000, 0),
            (230_000, 90_400, FLAG_SATURATED),  # 9 040 000 is above 9 032 007
            (230_000, 90_300, 0),
        ):
            chip.set_phase(0, voltage, current, 0)
            sample = new_sample()
            chip.feed(1_000)
            driver.read_into(sample)
            self.assertEqual(sample[FLAGS], flags)

    def test_the_over_current_level_of_the_chip_is_a_flag(self):
        chip = ade.Chip()
        driver = ade.Ade7953(ade.Ade7953Spi(chip), ade.no_wait, [{}], over_current_level=2_000_000)
        driver.begin()
        sample = new_sample()
        for current, flags in ((19_900, 0), (20_100, FLAG_SATURATED), (19_900, 0)):
            chip.set_phase(0, 230_000, current, 0)
            chip.feed(1_000)
            driver.read_into(sample)
            self.assertEqual(sample[FLAGS], flags)


if __name__ == "__main__":
    unittest.main()
