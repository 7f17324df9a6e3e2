"""What every metering chip's driver promises (hal/contract.py), whichever chip it is.

A driver for another chip adds a bench like Atm90e32Bench and a class with `bench`.
"""

import unittest

from wattledger.hal.sample import (
    CORRUPT,
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_MW,
    RESTARTED,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tests.both import fixtures_spi as spi


class Atm90e32Bench:
    """One simulated chip of `phases` phases and its driver."""

    overflow_ms = (16_560, 44_521)  # 65 535 counts of 11 250 mWs are 737 268 750 mWs

    def __init__(self, phases):
        self.chip = spi.new_chip()
        self.driver = spi.new_driver(self.chip, phases)

    def mains(self, phase, voltage_mv, current_ma, power_mw):
        self.chip.set_phase(phase, voltage_mv, current_ma, power_mw)
        self.chip.set_mains(50_000)

    def feed(self, ms):
        self.chip.feed(ms)

    def waiting(self, phase):
        """Signed counts that were made and not yet fetched."""
        return self.chip.held_counts(phase)

    def made(self, phase):
        """Signed counts ever made."""
        return self.chip.total_counts(phase)

    def lose_registers(self):
        self.chip.brown_out()

    def cut_bus(self, cut):
        self.chip.silent = cut


class MeteringChipContract:
    """The promises. Not a TestCase itself, so that only the classes below are collected."""

    bench = None

    def started(self, phases=1):
        bench = self.bench(phases)
        bench.driver.begin()
        return bench

    def check_a_count_is_a_fraction_in_lowest_terms(self):
        driver = self.bench(1).driver
        high, low = driver.energy_denominator, driver.energy_numerator
        while low:
            high, low = low, high % low
        self.assertEqual(high, 1)

    def check_units_and_signs(self):
        bench = self.started(3)
        self.assertEqual(bench.driver.phases, 3)
        for phase, power in enumerate((1_150_000, -690_000, 0)):
            bench.mains(phase, 230_000, abs(power) // 230, power)
        bench.feed(1_000)
        sample = new_sample()
        for _ in range(5):
            self.assertEqual(bench.driver.read_into(sample), OK)
        for phase, power in enumerate((1_150_000, -690_000, 0)):
            at = phase * PHASE_FIELDS
            self.assertEqual(sample[at + VOLTAGE_MV], 230_000)
            self.assertEqual(sample[at + CURRENT_MA], abs(power) // 230)
            self.assertLess(abs(sample[at + POWER_MW] - power), 10)
        self.assertEqual(sample[FREQUENCY_MHZ], 50_000)

    def check_each_count_is_handed_on_exactly_once(self):
        bench = self.started(3)
        handed = [0, 0, 0]
        sample = new_sample()
        for turn in range(40):
            # Powers, signs and gaps that share no factor with a count.
            for phase in range(3):
                power = (turn * 7919 + phase * 104_729) % 9_000_011 - 4_500_000
                bench.mains(phase, 230_000, abs(power) // 230, power)
            bench.feed(137 + 211 * (turn % 7))
            self.assertEqual(bench.driver.read_into(sample), OK)
            for phase in range(3):
                handed[phase] += sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
        for phase in range(3):
            self.assertEqual(handed[phase], bench.made(phase) - bench.waiting(phase))
            self.assertEqual(bench.waiting(phase), 0)

    def check_an_hour_of_a_kilowatt_is_a_kilowatt_hour(self):
        bench = self.started()
        bench.mains(0, 230_000, 4_347, 1_000_000)
        sample = new_sample()
        counts = 0
        for _ in range(360):
            bench.feed(10_000)
            bench.driver.read_into(sample)
            counts += sample[ENERGY_COUNTS]
        driver = bench.driver
        self.assertEqual(counts * driver.energy_numerator, 1000 * driver.energy_denominator)

    def check_a_chip_that_lost_its_registers_is_found_out(self):
        bench = self.started()
        bench.mains(0, 230_000, 4_347, 1_000_000)
        sample = new_sample()
        bench.driver.read_into(sample)
        bench.lose_registers()
        self.assertEqual(bench.driver.read_into(sample), RESTARTED)
        bench.feed(9_000)  # 800 counts at 11.25 J
        self.assertEqual(bench.driver.read_into(sample), OK)
        wh = sample[ENERGY_COUNTS] * bench.driver.energy_numerator
        self.assertEqual(wh * 10, 25 * bench.driver.energy_denominator)  # 2.5 Wh

    def check_a_dead_bus_is_a_status_and_energy_waits(self):
        bench = self.started()
        bench.mains(0, 230_000, 4_347, 1_000_000)
        bench.cut_bus(True)
        sample = new_sample()
        for _ in range(3):
            bench.feed(3_000)
            self.assertTrue(bench.driver.read_into(sample) & (NO_ANSWER | CORRUPT))
        bench.cut_bus(False)
        self.assertEqual(bench.driver.read_into(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS] * 10, 25 * bench.driver.energy_denominator)

    def check_a_second_begin_keeps_energy(self):
        bench = self.started()
        bench.mains(0, 230_000, 4_347, 1_000_000)
        bench.feed(9_000)
        waiting = bench.waiting(0)
        self.assertGreater(waiting, 0)
        bench.driver.begin()
        sample = new_sample()
        self.assertEqual(bench.driver.read_into(sample), OK)
        self.assertEqual(sample[ENERGY_COUNTS], waiting)

    def check_overflow_time(self):
        watts, expected = self.bench.overflow_ms
        driver = self.bench(1).driver
        self.assertEqual(driver.overflow_ms(watts), expected)
        self.assertEqual(driver.overflow_ms(watts * 1000), expected // 1000)

    def check_no_energy_is_lost_at_half_the_overflow_time(self):
        watts, expected = self.bench.overflow_ms
        bench = self.started()
        bench.mains(0, 230_000, watts * 1000 // 230, watts * 1000)
        bench.feed(expected // 2)
        self.assertEqual(bench.waiting(0), bench.made(0))

    def check_health_names_its_counters(self):
        health = self.started().driver.health()
        for key in ("restarts", "bus_errors"):
            self.assertEqual(health[key], 0)


class TestAtm90e32(unittest.TestCase):
    """Every promise, in turn: the subset both interpreters share has no multiple inheritance."""

    bench = Atm90e32Bench

    def promise(self, name):
        contract = MeteringChipContract()
        contract.bench = self.bench
        for check in ("assertEqual", "assertTrue", "assertLess", "assertGreater"):
            setattr(contract, check, getattr(self, check))
        getattr(contract, "check_" + name)()

    def test_every_promise_is_checked(self):
        names = [name for name in dir(MeteringChipContract) if name.startswith("check_")]
        self.assertEqual(len(names), 10)
        for name in sorted(names):
            with self.subTest(promise=name):
                self.promise(name[len("check_") :])


if __name__ == "__main__":
    unittest.main()
