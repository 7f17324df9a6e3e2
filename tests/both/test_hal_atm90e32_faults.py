"""The ATM90E32 driver on a wire and a chip that fail: every count once."""

import unittest

from wattledger.hal.errors import ChipError
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    RESTARTED,
    new_sample,
)
from wattledger.tests.both import fixtures_spi as spi

LOCK = 0x7F
SOFT_RESET = 0x70


def counts(sample, phase=0):
    return sample[phase * PHASE_FIELDS + ENERGY_COUNTS]


class TestSilence(unittest.TestCase):
    def test_a_chip_that_ran_on_through_a_silence_is_believed(self):
        chip = spi.new_chip()
        driver = spi.new_driver(chip)
        driver.begin()
        sample = new_sample()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.silent = True
        for _ in range(4):
            chip.feed(1_000)
            self.assertTrue(driver.read_into(sample) & (NO_ANSWER | CORRUPT))
        with self.assertRaises(ChipError):
            driver.begin()  # as the meter does after three of them
        chip.silent = False
        chip.feed(1_000)
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(counts(sample), 500)  # five seconds of 100
        self.assertEqual(driver.restarts, 0)

    def test_one_that_lost_its_registers_meanwhile_is_not(self):
        chip = spi.new_chip()
        driver = spi.new_driver(chip)
        driver.begin()
        chip.silent = True
        with self.assertRaises(ChipError):
            driver.begin()
        chip.silent = False
        chip.brown_out()
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), RESTARTED)
        self.assertEqual(driver.restarts, 1)


class TestLooseWire(unittest.TestCase):
    """A bus error at any select of a reading: not one count is lost or counted twice."""

    def total(self, at, after):
        """(counts handed on over 8 readings, counts made, selects of the failing reading)."""
        chip = spi.new_chip()
        spi.new_driver(chip, 3).begin()
        wire = spi.FailingWire(chip, after=after)
        driver = spi.new_driver(wire, 3)
        driver.begin()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.set_phase(1, 230_000, 19_565, -4_500_000)
        chip.set_phase(2, 230_000, 9_782, 2_250_000)
        sample = new_sample()
        handed = [0, 0, 0]
        failed = 0
        for turn in range(8):
            chip.feed(1_000 + 77 * turn)
            if turn == 3:
                wire.at = wire.count + at
                before = wire.count
            status = driver.read_into(sample)
            if turn == 3:
                length = wire.count - before
            if status & (NO_ANSWER | CORRUPT):
                failed += 1
                continue
            for phase in range(3):
                handed[phase] += counts(sample, phase)
        made = [chip.total_counts(phase) - chip.held_counts(phase) for phase in range(3)]
        return handed, made, failed, length

    def each_select(self, after):
        length = self.total(1000, after)[3]
        self.assertGreater(length, 30)
        lost = []
        for at in range(length):
            handed, made, failed, _ = self.total(at, after)
            self.assertEqual(failed, 1)
            if handed != made:
                lost.append((at, handed, made))
        self.assertEqual(lost, [])

    def test_a_select_that_never_reached_the_chip_loses_nothing(self):
        self.each_select(False)

    def test_an_answer_that_never_reached_the_host_loses_nothing(self):
        self.each_select(True)

    def test_a_loose_wire_is_a_status_and_is_counted(self):
        wire = spi.FailingWire(spi.new_chip())
        driver = spi.new_driver(wire)
        driver.begin()
        wire.at = wire.count + 4
        self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        self.assertEqual(driver.health()["bus_errors"], 1)
        self.assertEqual(driver.read_into(new_sample()), OK)


class TestTrouble(unittest.TestCase):
    def test_a_brown_out_is_told_and_the_chip_set_up_and_read_back(self):
        chip = spi.new_chip()
        wire = spi.Wire(chip)
        driver = spi.new_driver(wire)
        driver.begin()
        sample = new_sample()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        driver.read_into(sample)
        chip.feed(5_000)
        chip.brown_out()
        chip.feed(5_000)
        del wire.log[:]
        self.assertEqual(driver.read_into(sample), RESTARTED)
        self.assertEqual(driver.restarts, 1)
        self.assertEqual(chip.peek(spi.U_GAIN_A), spi.GAINS[0])
        self.assertIn((True, spi.U_GAIN_A, spi.GAINS[0]), wire.log)
        self.assertEqual(chip.peek(LOCK), 0)
        chip.feed(10_000)
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(counts(sample), 1000)
        self.assertEqual(driver.restarts, 1)

    def test_a_chip_that_will_not_come_back_is_no_answer(self):
        chip = spi.new_chip()
        wire = spi.BentWire(chip, spi.U_GAIN_A, 0x1111)
        wire.bent = False
        driver = spi.new_driver(wire)
        driver.begin()
        wire.bent = True
        chip.brown_out()
        for _ in range(3):
            self.assertEqual(driver.read_into(new_sample()), NO_ANSWER)
        self.assertEqual(driver.restarts, 0)

    def test_a_dead_bus_is_a_status_and_no_exception(self):
        chip, driver = spi.running(3)
        chip.silent = True
        for _ in range(5):
            self.assertTrue(driver.read_into(new_sample()) & (NO_ANSWER | CORRUPT))
        self.assertEqual(driver.restarts, 0)

    def test_energy_waits_in_the_chip_while_the_bus_is_dead(self):
        chip, driver = spi.running()
        chip.set_phase(0, 230_000, 4_891, 1_125_000)
        chip.feed(10_000)
        chip.silent = True
        driver.read_into(new_sample())
        chip.feed(10_000)
        chip.silent = False
        sample = new_sample()
        self.assertEqual(driver.read_into(sample), OK)
        self.assertEqual(counts(sample), 2000)

    def test_a_bus_that_dies_within_a_reading_counts_no_ones(self):
        # The chip goes silent after each possible register: 0xFFFF must never become energy.
        for register in (spi.METER_EN, spi.FORWARD_A, spi.LAST_SPI_DATA, spi.REVERSE_A, 0xD9):
            with self.subTest(register=register):
                chip = spi.new_chip()
                spi.new_driver(chip).begin()
                chip.set_phase(0, 230_000, 4_891, 1_125_000)
                hook = spi.HookedWire(chip, register, self.silence)
                driver = spi.new_driver(hook)
                driver.begin()
                chip.feed(10_000)
                hook.armed = True
                sample = new_sample()
                handed = 0
                for _ in range(2):
                    if not driver.read_into(sample) & (NO_ANSWER | CORRUPT):
                        handed += counts(sample)
                chip.silent = False
                if not driver.read_into(sample) & (NO_ANSWER | CORRUPT):
                    handed += counts(sample)
                self.assertEqual(handed, 1000)

    def silence(self, chip):
        chip.silent = True

    def test_health_shows_the_set_up_as_the_chip_holds_it(self):
        chip, driver = spi.running()
        held = dict(driver.health()["setup"])
        self.assertEqual((held[0x61], held[0x62]), spi.GAINS)
        self.assertEqual(spi.new_driver(spi.FailingWire(chip, 0)).health()["setup"], [])


if __name__ == "__main__":
    unittest.main()
