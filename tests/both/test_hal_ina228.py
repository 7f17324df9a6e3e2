"""The INA228's driver on the simulated chip: units, direction, faults, and its peers' bugs."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.meter.ina228 import Ina228
from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FLAG_SATURATED,
    FLAGS,
    NO_ANSWER,
    OK,
    POWER_MW,
    RESTARTED,
    TEMPERATURE_DC,
    UNCONFIRMED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.host_sim.chip.ina228 import Ina228 as Chip

# 10 A in steps of 20 uA; 131072 x 20 x 3125 / 10**7 = 819.2, x 5 for 15 625 micro-ohm: 4096.
SHUNT = 15_625
ENERGY = 0x09
CHARGE = 0x0A
COUNT_MJ = 1_152  # 1125 LSBs of 51.2 x 20 uJ; 1/3125 Wh


def started(calibration=None, **options):
    chip = Chip(SHUNT)
    driver = Ina228(chip, lambda ms: None, [calibration or {}], 10, SHUNT, **options)
    driver.begin()
    return chip, driver


def fetched(driver, wanted=OK):
    sample = new_sample()
    status = driver.read_into(sample)
    assert status == wanted, status
    return sample


class TestUnits(unittest.TestCase):
    def test_a_count_is_a_3125th_of_a_watt_hour(self):
        _, driver = started()
        self.assertEqual((driver.energy_numerator, driver.energy_denominator), (1, 3_125))
        self.assertEqual(driver.shunt_cal, 4_096)

    def test_values_of_a_discharge(self):
        chip, driver = started()
        chip.set_phase(0, 48_000, 5_000, -240_000)
        chip.set_mains(0, -105)
        sample = fetched(driver)
        self.assertEqual(sample[VOLTAGE_MV], 48_000)
        self.assertEqual(sample[CURRENT_MA], -5_000)
        self.assertEqual(sample[POWER_MW], -240_000)
        self.assertEqual(sample[TEMPERATURE_DC], -105)

    def test_the_lowest_code_is_the_most_negative_current(self):
        # A helper that asks `> 2**19` instead of `>=` reads +10.485 A here.
        chip, driver = started()
        chip.poke(0x07, 0x800000)
        sample = fetched(driver)
        self.assertEqual(sample[CURRENT_MA], -10_485)  # -524 288 x 20 uA, towards zero
        self.assertEqual(sample[FLAGS], FLAG_SATURATED)

    def test_small_negative_currents_and_temperatures_are_not_huge(self):
        # Decoded without a sign they are 20.97 A and 511.9 C.
        chip, driver = started()
        chip.poke(0x07, (2**20 - 50) << 4)
        chip.poke(0x06, 2**16 - 128)
        sample = fetched(driver)
        self.assertEqual(sample[CURRENT_MA], -1)
        self.assertEqual(sample[TEMPERATURE_DC], -10)

    def test_the_fine_range_measures_the_same(self):
        chip = Chip(4_000)
        driver = Ina228(chip, lambda ms: None, [{}], 10, 4_000, True)
        driver.begin()
        chip.set_phase(0, 12_000, 9_000, 108_000)
        # SHUNT_CAL 4194.304 is rounded to 4194: 73 ppm up, 0.7 mA.
        self.assertTrue(9_000 <= fetched(driver)[CURRENT_MA] <= 9_001)

    def test_a_gain_goes_into_shunt_cal(self):
        chip, driver = started({"current_gain": 1_010_000})
        self.assertEqual(driver.shunt_cal, 4_055)  # 4096 / 1.01 = 4055.4
        chip.set_front_end(0, current_ppm=-9_901)
        chip.set_phase(0, 48_000, 5_000, 240_000)
        sample = fetched(driver)
        self.assertTrue(abs(sample[CURRENT_MA] - 5_000) <= 1)

    def test_numbers_that_do_not_fit_are_refused(self):
        for calibration, amps, shunt in (
            ({"current_gain": 1_200_001}, 10, SHUNT),
            ({"voltage_gain": 1_000_000}, 10, SHUNT),
            ({}, 0, SHUNT),
            ({}, 1_049, 100),
            ({}, 10, 16_385),  # 163.85 mV
            ({}, 10, 1_900),  # SHUNT_CAL 498
        ):
            with self.assertRaises(ChipError) as raised:
                Ina228(None, None, [calibration], amps, shunt)
            self.assertEqual(raised.exception.stage, "calibration")

    def test_a_saturated_power_is_flagged(self):
        chip, driver = started()
        chip.set_phase(0, 48_000, 10_900, 523_200)
        self.assertEqual(fetched(driver)[FLAGS], FLAG_SATURATED)


class TestEnergy(unittest.TestCase):
    def test_charge_tells_import_from_export(self):
        chip, driver = started()
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(60_000)
        # 14 400 J over 1.152 J a count
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)
        chip.set_phase(0, 48_000, 5_000, -240_000)
        chip.feed(60_000)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], -12_500)

    def test_a_turn_within_a_tick_goes_to_the_longer_side(self):
        # 700 ms in, 300 ms out at 240 W: 168 J and 72 J. All 240 J count as import: import is 72 J
        # too high and export 72 J too low, at most half of what moved.
        chip, driver = started()
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(700)
        chip.set_phase(0, 48_000, 5_000, -240_000)
        chip.feed(300)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 240_000 // COUNT_MJ)

    def test_the_last_moment_does_not_decide(self):
        # The sign of CURRENT alone would give all of it to the other side.
        chip, driver = started()
        chip.set_phase(0, 48_000, 5_000, -240_000)
        chip.feed(990)
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(10)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], -(240_000 // COUNT_MJ))

    def test_noise_about_zero_makes_no_counts(self):
        chip, driver = started()
        for turn in range(400):
            chip.set_phase(0, 48_000, 1, 1 if turn % 2 else -1)
            chip.feed(1_000)
            self.assertEqual(fetched(driver)[ENERGY_COUNTS], 0)

    def test_the_wrap_at_2_to_the_40_is_an_ordinary_difference(self):
        # Adding 2**40 of anything but raw LSBs on overflow would be 313 kWh and more.
        chip, _ = started()
        chip.poke(ENERGY, 2**40 - 1)
        chip.poke(CHARGE, 2**39 - 1)  # CHARGE wraps in the same tick, to its most negative code
        driver = Ina228(chip, lambda ms: None, [{}], 10, SHUNT)
        driver.begin()
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(60_000)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)
        self.assertEqual(driver.overflows, 1)

    def test_small_loads_count_however_full_the_register_is(self):
        # 2**39 has 15 bits more than a float32's mantissa: 1 W for a minute would be 0 or 67 J.
        chip, driver = started()
        chip.poke(ENERGY, 2**39)
        driver.read_into(new_sample())
        driver.read_into(new_sample())
        chip.set_phase(0, 10_000, 100, 1_000)
        counts = 0
        for _ in range(60):
            chip.feed(1_000)
            counts += fetched(driver)[ENERGY_COUNTS]
        self.assertEqual(counts, 60_000 // COUNT_MJ)

    def test_a_new_driver_starts_from_what_the_chip_holds(self):
        chip, _ = started()
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(60_000)
        again = Ina228(chip, lambda ms: None, [{}], 10, SHUNT)
        again.begin()
        self.assertEqual(fetched(again)[ENERGY_COUNTS], 0)
        chip.feed(60_000)
        self.assertEqual(fetched(again)[ENERGY_COUNTS], 12_500)


class TestFaults(unittest.TestCase):
    def loaded(self):
        chip, driver = started()
        chip.set_phase(0, 48_000, 5_000, 240_000)
        chip.feed(60_000)
        return chip, driver

    def test_a_flipped_energy_is_read_again(self):
        for bit in range(40):
            for register in (ENERGY, CHARGE):
                chip, driver = self.loaded()
                chip.corrupt_next(1 << bit, register)
                self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_the_second_of_two_readings_may_be_the_one_that_was_hit(self):
        for register in (ENERGY, CHARGE):
            chip, driver = self.loaded()
            driver._port.i2c = SecondHit(chip, register)
            self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_an_energy_misheard_twice_is_healed_later(self):
        # Bit 20 is 1 048 576 LSBs too much: 932 counts, taken back by waiting, never below zero.
        chip, driver = self.loaded()
        chip.poke(ENERGY, chip.peek(ENERGY) + (1 << 20))
        total = fetched(driver)[ENERGY_COUNTS]
        self.assertEqual(total, (12_500 * 1125 + (1 << 20)) // 1125)
        chip.poke(ENERGY, chip.peek(ENERGY) - (1 << 20))
        statuses = []
        for _ in range(10):
            chip.feed(1_000)
            sample = new_sample()
            statuses.append(driver.read_into(sample))
            self.assertTrue(sample[ENERGY_COUNTS] >= 0)
            total += sample[ENERGY_COUNTS]
        # 240 W are 234 375 LSBs a second: four seconds make 937 500, five 1 171 875.
        self.assertEqual(statuses, [UNCONFIRMED] * 4 + [OK] * 6)
        self.assertEqual(total, 70 * 240_000 // COUNT_MJ)

    def test_an_impossible_energy_is_never_handed_on(self):
        chip, driver = self.loaded()
        fetched(driver)
        chip.corrupt_next(1 << 33, ENERGY, 2)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), CORRUPT)
        chip.feed(60_000)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_a_reset_by_another_master_is_a_gap(self):
        chip, driver = self.loaded()
        chip.feed(3_600_000)
        fetched_once = new_sample()
        driver.read_into(fetched_once)
        driver.read_into(fetched_once)
        chip.i2c_write(b"\x00\x40\x00")  # RSTACC
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), CORRUPT)
        self.assertEqual(driver.read_into(sample), RESTARTED)
        chip.feed(60_000)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_a_brown_out_is_set_up_again_and_said(self):
        chip, driver = self.loaded()
        chip.brown_out()
        self.assertEqual(driver.read_into(new_sample()), RESTARTED)
        self.assertEqual(chip.peek(0x01), 0xFB6B)
        self.assertEqual(driver.restarts, 1)
        chip.feed(60_000)
        self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_a_shunt_cal_of_zero_is_set_up_again(self):
        chip, driver = self.loaded()
        chip.poke(0x02, 0)
        self.assertEqual(driver.read_into(new_sample()), RESTARTED)
        self.assertEqual(chip.peek(0x02), 4_096)

    def test_one_misheard_set_up_register_restarts_nothing(self):
        for register in (0x00, 0x01, 0x02):
            chip, driver = self.loaded()
            chip.corrupt_next(0x0010, register)
            self.assertEqual(fetched(driver)[ENERGY_COUNTS], 12_500)

    def test_a_stuck_bus_is_no_answer_and_energy_waits(self):
        for level in (0x00, 0xFF):
            chip, driver = self.loaded()
            chip.stuck = level
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
            chip.stuck = None
            sample = new_sample()
            # A restart of the bus only: the chip kept all.
            self.assertEqual(driver.read_into(sample) & ~RESTARTED, OK)
            counts = sample[ENERGY_COUNTS] or fetched(driver)[ENERGY_COUNTS]
            self.assertEqual(counts, 12_500)

    def test_a_bus_that_sticks_during_a_reading_hands_nothing_on(self):
        for level in (0x00, 0xFF):
            chip, driver = self.loaded()
            wire = StickingWire(chip, level)
            driver._port.i2c = wire
            for at in range(13):  # a whole reading is 13 transfers
                wire.left = at
                sample = new_sample()
                status = driver.read_into(sample)
                self.assertTrue(status & (NO_ANSWER | CORRUPT | RESTARTED), (level, at))
                self.assertEqual(sample[ENERGY_COUNTS], 0)
            wire.left = 1000
            sample = new_sample()
            driver.read_into(sample)
            counts = sample[ENERGY_COUNTS] or fetched(driver)[ENERGY_COUNTS]
            self.assertEqual(counts, 12_500)

    def test_a_failed_trim_memory_is_not_measured_with(self):
        chip, driver = self.loaded()
        chip.poke(0x0B, 0)
        self.assertEqual(driver.read_into(new_sample()), CORRUPT)

    def test_a_voltage_that_cannot_be_is_corrupt(self):
        chip, driver = self.loaded()
        chip.corrupt_next(0x400000, 0x05)
        self.assertEqual(fetched(driver)[VOLTAGE_MV], 48_000)
        chip.poke(0x05, 0xFFFFF0)
        self.assertEqual(driver.read_into(new_sample()), CORRUPT)

    def test_another_chip_is_named(self):
        for register, value, stage in ((0x3E, 0x1234, "bus"), (0x3F, 0x2381, "identity")):
            chip = Chip(SHUNT)
            chip.poke(register, value)
            driver = Ina228(chip, lambda ms: None, [{}], 10, SHUNT)
            with self.assertRaises(ChipError) as raised:
                driver.begin()
            self.assertEqual(raised.exception.stage, stage)


class SecondHit:
    """The second answer of `register` has a bit of its third byte flipped."""

    def __init__(self, chip, register):
        self._chip = chip
        self._register = register
        self._count = 0

    def read_into(self, register, buffer):
        self._chip.read_into(register, buffer)
        if register == self._register:
            self._count += 1
            if self._count == 2:
                buffer[2] ^= 0x80


class StickingWire:
    """Answers as the chip does `left` times, then one level."""

    def __init__(self, chip, level):
        self._chip = chip
        self._level = level
        self.left = 0

    def read_into(self, register, buffer):
        self._chip.stuck = None if self.left > 0 else self._level
        self.left -= 1
        self._chip.read_into(register, buffer)

    def write(self, register, buffer):
        self._chip.write(register, buffer)


if __name__ == "__main__":
    unittest.main()
