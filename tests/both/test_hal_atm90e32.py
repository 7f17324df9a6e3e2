"""The ATM90E32 driver against the chip at register level: every count once, whatever the wire."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.sample import (
    APPARENT_MVA,
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    REACTIVE_MVAR,
    TEMPERATURE_DC,
    UNCONFIRMED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_spi as spi

LOCK = 0x7F
SOFT_RESET = 0x70


def counts(sample, phase=0):
    return sample[phase * PHASE_FIELDS + ENERGY_COUNTS]


class TestBegin(unittest.TestCase):
    def test_a_cold_chip_is_reset_unlocked_written_read_back_and_locked(self):
        wire = spi.Wire(spi.new_chip())
        spi.new_driver(wire).begin()
        writes = [(address, value) for is_read, address, value in wire.log if not is_read]
        self.assertEqual(writes[0], (SOFT_RESET, 0x789A))
        self.assertEqual(writes[1], (LOCK, 0x55AA))
        self.assertEqual(writes[-1], (LOCK, 0))
        setup = writes[2:-1]
        # 3P4W, 50 Hz, channel A only. 2.4 W in all is 7500 of 0.00032 W, 0.24 W a phase is 750.
        # 179.4 V and 23 V (78 and 10 % of 230 V) are 17940 x 16384 sqrt(2) / 0x8F5C = 11326 and
        # 2300 x 16384 sqrt(2) / 0x8F5C = 1452.
        expected = [(0x00, 1), (0x07, 0xD655), (0x08, 11326), (0x09, 1452), (0x33, 0x0084)]
        expected += [(register, 7500) for register in (0x35, 0x36, 0x37)]
        expected += [(register, 750) for register in (0x38, 0x39, 0x3A)]
        expected += [(0x61, spi.GAINS[0]), (0x62, spi.GAINS[1])]
        for item in expected:
            self.assertIn(item, setup)
        self.assertEqual(len(setup), len(expected))
        # MC 3200: PL constant 140 625 000 = 0x0861C468, which the chip holds by itself and which
        # is not written: a write that goes astray must leave its own register wrong.
        writes_at = [at for at, entry in enumerate(wire.log) if not entry[0]]
        read_back = [entry[1:] for entry in wire.log[writes_at[-2] + 1 : writes_at[-1]]]
        for item in expected + [(0x31, 0x0861), (0x32, 0xC468), (0x05, 0x143F), (0x47, 0)]:
            self.assertIn(item, read_back)
        self.assertEqual(wire.log[-1], (True, LOCK, 0))

    def test_sixty_hertz_sets_its_bit(self):
        chip = spi.new_chip()
        spi.Atm90e32(chip, spi.no_wait, [{}], sixty_hertz=True).begin()
        self.assertEqual(chip.peek(0x33), 0x1084)

    def test_each_phase_has_its_gains(self):
        chip = spi.new_chip()
        gains = [(0x8001, 0x7001), (0x8002, 0x7002), (0x8003, 0x7003)]
        spi.Atm90e32(chip, spi.no_wait, spi.calibration(*gains)).begin()
        self.assertEqual([chip.peek(a) for a in (0x61, 0x65, 0x69)], [0x8001, 0x8002, 0x8003])
        self.assertEqual([chip.peek(a) for a in (0x62, 0x66, 0x6A)], [0x7001, 0x7002, 0x7003])

    def test_the_reset_is_given_its_forty_milliseconds(self):
        waited = []
        spi.Atm90e32(spi.new_chip(), waited.append, [{}]).begin()
        self.assertEqual(waited, [40])

    def test_a_dead_bus_is_refused_at_the_stage_bus(self):
        chip = spi.new_chip()
        chip.silent = True
        with self.assertRaises(ChipError) as caught:
            spi.new_driver(chip).begin()
        self.assertEqual(caught.exception.stage, "bus")

    def test_a_bus_error_is_refused_at_the_stage_bus_and_counted(self):
        for at in range(90):
            wire = spi.FailingWire(spi.new_chip(), at)
            driver = spi.new_driver(wire)
            try:
                driver.begin()
            except ChipError as error:
                self.assertEqual(error.stage, "bus")
                self.assertEqual(driver.health()["bus_errors"], 1)
            else:
                self.assertLessEqual(wire.count, at)
        self.assertLess(wire.count, 91)  # the whole sequence was walked through

    def test_a_cell_that_does_not_hold_is_refused_at_the_stage_read_back(self):
        wire = spi.BentWire(spi.new_chip(), spi.U_GAIN_A, 0x1234)
        with self.assertRaises(ChipError) as caught:
            spi.new_driver(wire).begin()
        self.assertEqual(caught.exception.stage, "read back")
        # A person can mend it: which register, what is there, what should be.
        for word in ("0x61", "0x1234", "0x8F5C"):
            self.assertIn(word, str(caught.exception))

    def test_a_write_that_went_astray_is_undone(self):
        class Astray:
            """The first write to 0x62 (Igain of A) arrives at 0x22 and would stay there."""

            def __init__(self, chip):
                self.chip = chip
                self.strayed = False

            def transfer(self, out, into):
                if bytes(out[:2]) == b"\x00\x62" and not self.strayed:
                    self.strayed = True
                    out = bytes((0, 0x22)) + bytes(out[2:])
                self.chip.transfer(out, into)

        wire = Astray(spi.new_chip())
        spi.new_driver(wire).begin()
        self.assertTrue(wire.strayed)
        self.assertEqual(wire.chip.peek(0x22), spi.new_chip().peek(0x22))
        self.assertEqual(wire.chip.peek(0x62), spi.GAINS[1])

    def test_a_chip_that_was_refused_is_not_measured_with(self):
        chip = spi.new_chip()
        driver = spi.new_driver(spi.BentWire(chip, spi.U_GAIN_A, 0x4000))
        with self.assertRaises(ChipError):
            driver.begin()
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.feed(10_000)
        # Under a gain that is wrong by half, energy is wrong by half: it is no reading.
        self.assertTrue(driver.read_into(new_sample()) & (NO_ANSWER | CORRUPT))

    def test_a_refused_chip_that_is_mended_is_set_up_by_a_later_read(self):
        chip = spi.new_chip()
        wire = spi.BentWire(chip, spi.U_GAIN_A, 0x4000)
        driver = spi.new_driver(wire)
        with self.assertRaises(ChipError):
            driver.begin()
        wire.bent = False
        sample = new_sample()
        for _ in range(3):
            driver.read_into(sample)
        self.assertEqual(chip.peek(spi.U_GAIN_A), spi.GAINS[0])
        self.assertEqual(driver.read_into(sample), OK)

    def test_a_warm_chip_keeps_its_energy_and_is_not_written_to(self):
        chip, _ = spi.running()
        chip.set_phase(0, 230_000, 10_000, 2_300_000)
        chip.feed(100_000)
        held = chip.held_counts(0)
        # 2300 W x 100 s = 230 kJ, 11.25 J a count: 20 444.4
        self.assertEqual(held, 20_444)
        wire = spi.Wire(chip)
        driver = spi.new_driver(wire)
        driver.begin()
        self.assertEqual([entry for entry in wire.log if not entry[0]], [])
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(counts(sample), 20_444)

    def test_one_misheard_answer_does_not_reset_a_warm_chip(self):
        for register in (spi.METER_EN, 0x31, spi.U_GAIN_A, 0x62):
            with self.subTest(register=register):
                chip, _ = spi.running()
                chip.set_phase(0, 230_000, 10_000, 2_300_000)
                chip.feed(100_000)
                chip.corrupt_next(0x0001, register)
                spi.new_driver(chip).begin()
                self.assertEqual(chip.held_counts(0), 20_444)

    def test_a_warm_chip_with_other_gains_is_set_up_anew(self):
        chip, _ = spi.running()
        spi.Atm90e32(chip, spi.no_wait, spi.calibration((0x9000, 0x7000))).begin()
        self.assertEqual((chip.peek(0x61), chip.peek(0x62)), (0x9000, 0x7000))

    def test_a_chip_that_cannot_be_locked_is_refused(self):
        chip = spi.new_chip()
        wire = spi.BentWire(chip, LOCK, 0x55AA)  # closing arrives as opening
        with self.assertRaises(ChipError) as caught:
            spi.new_driver(wire).begin()
        self.assertEqual(caught.exception.stage, "lock")

    def test_begin_leaves_the_configuration_locked(self):
        chip, _ = spi.running()
        self.assertEqual(chip.peek(LOCK), 0)


class TestValues(unittest.TestCase):
    def read(self, chip, driver, times=6):
        """One sample after as many reads as the slow values take turns."""
        sample = new_sample()
        for _ in range(times):
            self.assertEqual(driver.read_into(sample), OK)
        return sample

    def test_values_arrive_in_the_units_of_the_sample(self):
        chip, driver = spi.running()
        # 230.00 V, 5.5 A, PF 0.8: 1265 VA, 1012 W, 759 var.
        chip.set_phase(0, 230_000, 5_500, 1_012_000, 759_000)
        chip.set_mains(50_020, 310)
        chip.feed(1_000)
        sample = self.read(chip, driver)
        self.assertEqual(sample[VOLTAGE_MV], 230_000)
        self.assertEqual(sample[CURRENT_MA], 5_500)
        # Rounded to the chip's 0.00032 W, then down to whole mW.
        self.assertLess(abs(sample[POWER_MW] - 1_012_000), 2)
        self.assertLess(abs(sample[REACTIVE_MVAR] - 759_000), 2)
        self.assertLess(abs(sample[APPARENT_MVA] - 1_265_000), 2)
        self.assertEqual(sample[POWER_FACTOR], 800)
        self.assertEqual(sample[FREQUENCY_MHZ], 50_020)
        self.assertEqual(sample[TEMPERATURE_DC], 310)

    def test_power_and_factor_are_negative_in_export(self):
        chip, driver = spi.running()
        chip.set_phase(0, 231_000, 4_000, -924_000, 0)
        chip.set_mains(49_980, -50)
        chip.feed(1_000)
        sample = self.read(chip, driver)
        self.assertLess(abs(sample[POWER_MW] + 924_000), 2)
        self.assertEqual(sample[POWER_FACTOR], -1000)
        self.assertEqual(sample[FREQUENCY_MHZ], 49_980)
        self.assertEqual(sample[TEMPERATURE_DC], -50)

    def test_power_words_become_milliwatts(self):
        # 0.00032 W a bit is 8/25 mW: 65536 bits are 20 971.52 mW, rounded down.
        chip, driver = spi.running()
        for high, low, milliwatts in (
            (0, 0, 0),
            (0, 25, 8),
            (1, 0, 20_971),
            (0xFFFF, 0xFFFF, -1),
            (0xFFFF, 0, -20_972),
            (0x002F, 0xAF08, 1_000_000),  # 3 125 000 bits
            (0xFFD0, 0x50F8, -1_000_000),
        ):
            chip.poke(spi.POWER_HIGH_A, high)
            chip.poke(spi.POWER_LOW_A, low)
            sample = new_sample()
            driver.read_into(sample)
            self.assertEqual(sample[POWER_MW], milliwatts)

    def test_a_power_no_board_can_have_keeps_the_one_before_and_is_counted(self):
        chip, driver = spi.running()
        sample = new_sample()
        sample[POWER_MW] = 4321
        for high in (0x7FFF, 0x8000, 2040, 0x10000 - 2041):
            before = driver.health()["corrupt"]
            chip.poke(spi.POWER_HIGH_A, high)
            self.assertEqual(driver.read_into(sample), OK)
            self.assertEqual(sample[POWER_MW], 4321)
            self.assertEqual(driver.health()["corrupt"], before + 1)

    def test_a_power_that_moves_between_its_two_words_is_read_again(self):
        # 0x0000FFFF becomes 0x00010000: a torn read would say 0 or twice as much.
        chip = spi.new_chip()
        torn = spi.HookedWire(chip, spi.POWER_HIGH_A, self.carry)
        driver = spi.new_driver(torn)
        driver.begin()
        torn.armed = True
        chip.poke(spi.POWER_HIGH_A, 0)
        chip.poke(spi.POWER_LOW_A, 0xFFFF)
        sample = new_sample()
        driver.read_into(sample)
        self.assertEqual(sample[POWER_MW], 20_971)

    def carry(self, chip):
        chip.poke(spi.POWER_HIGH_A, 1)
        chip.poke(spi.POWER_LOW_A, 0)


class TestEnergy(unittest.TestCase):
    def test_import_and_export_over_three_phases(self):
        chip, driver = spi.running(3)
        # In 10 s: 1125 W is 1000 counts, 4500 W is 4000 counts, 2250 W is 2000 counts.
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.set_phase(1, 230_000, 19_565, -4_500_000)
        chip.set_phase(2, 230_000, 9_782, 2_250_000)
        sample = new_sample()
        for _ in range(3):
            chip.feed(10_000)
            self.assertEqual(driver.read_into(sample), OK)
            self.assertEqual([counts(sample, p) for p in (0, 1, 2)], [1000, -4000, 2000])
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual([counts(sample, p) for p in (0, 1, 2)], [0, 0, 0])

    def test_import_and_export_within_one_reading_are_their_difference(self):
        chip, driver = spi.running()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        chip.set_phase(0, 230_000, 4_891, -1_125_000)
        chip.feed(4_000)
        sample = new_sample()
        driver.read_into(sample)
        self.assertEqual(counts(sample), 600)

    def test_a_misheard_energy_is_found_again(self):
        for register, sign in ((spi.FORWARD_A, 1), (spi.REVERSE_A, -1)):
            for bit in range(16):
                chip, driver = spi.running()
                chip.set_phase(0, 230_000, 4_891, sign * 1_125_000)
                chip.feed(10_000)
                chip.corrupt_next(1 << bit, register)
                sample = new_sample()
                self.assertEqual(driver.read_into(sample), UNCONFIRMED)
                self.assertEqual(counts(sample), sign * 1000)
                self.assertEqual(driver.health()["unconfirmed"], 1)
                chip.feed(10_000)
                self.assertEqual(driver.read_into(sample), OK)
                self.assertEqual(counts(sample), sign * 1000)

    def test_a_misheard_confirmation_changes_nothing(self):
        for mask in (0x0001, 0x8000, 0xFFFF):
            chip, driver = spi.running()
            chip.set_phase(0, 230_000, 4_891, 1_125_000)
            chip.feed(10_000)
            chip.corrupt_next(mask, spi.LAST_SPI_DATA)
            sample = new_sample()
            self.assertEqual(driver.read_into(sample), UNCONFIRMED)
            self.assertEqual(counts(sample), 1000)

    def test_energy_and_its_confirmation_misheard_alike_in_turn(self):
        # The answer is hit, and later the confirmation too: the register's own word wins.
        chip = spi.new_chip()
        hit = spi.HookedWire(
            chip, spi.FORWARD_A, lambda chip: chip.corrupt_next(0x0100, spi.LAST_SPI_DATA)
        )
        driver = spi.new_driver(hit)
        driver.begin()
        hit.armed = True
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        chip.corrupt_next(0x0001, spi.FORWARD_A)
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), UNCONFIRMED)
        self.assertEqual(counts(sample), 1000)

    def test_a_misheard_meter_enable_resets_no_good_chip(self):
        # 1 becomes 0 (as after a brown-out), 3, or all ones.
        for mask in (0x0001, 0x0002, 0xFFFE):
            chip, driver = spi.running()
            chip.set_phase(0, 230_000, 4_891, 1_125_000)
            chip.feed(10_000)
            chip.corrupt_next(mask, spi.METER_EN)
            sample = new_sample()
            self.assertEqual(driver.read_into(sample), OK)
            self.assertEqual(counts(sample), 1000)
            self.assertEqual(driver.restarts, 0)
            self.assertEqual(driver.health()["corrupt"], 1)


if __name__ == "__main__":
    unittest.main()
