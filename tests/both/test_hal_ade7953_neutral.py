"""The neutral's own energy on an ADE7953, and a meter that bills the larger of the two."""

import unittest

from wattledger.agent.metering.meter import Meter
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    NEUTRAL_MA,
    OK,
    PHASE_FIELDS,
    new_sample,
)
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import fixtures_ade7953 as ade


class Config:
    max_amps = 60
    max_volts = 276
    tick_ms = 1000
    phase_sum = "vector"
    bill_on = "larger"


def loaded():
    """(chip, driver): 1 kW through the phase, 2 kW back through the neutral."""
    chip, driver = ade.running()
    chip.set_phase(0, 230_000, 4_348, 1_000_000)
    chip.set_phase(1, 230_000, 8_696, 2_000_000)
    return chip, driver


class TestNeutral(unittest.TestCase):
    def test_its_energy_stands_after_the_phases(self):
        chip, driver = loaded()
        self.assertEqual((driver.phases, driver.neutral_phase), (1, 1))
        sample = new_sample()
        driver.read_into(sample)
        chip.feed(9_000)
        self.assertEqual(driver.read_into(sample), OK)
        # 1 kW x 9 s is 2.5 Wh: 2.5 x 15208 / 41 is 927 counts, the neutral's 1854.
        self.assertTrue(abs(sample[ENERGY_COUNTS] - 927) <= 1)
        self.assertTrue(abs(sample[PHASE_FIELDS + ENERGY_COUNTS] - 1854) <= 1)
        self.assertTrue(abs(sample[NEUTRAL_MA] - 8_696) <= 1)
        self.assertTrue(abs(sample[CURRENT_MA] - 4_348) <= 1)

    def test_a_second_circuit_is_no_neutral(self):
        self.assertEqual(ade.running(phases=2)[1].neutral_phase, None)

    def billed(self, larger):
        chip, driver = loaded()
        clock = VirtualClock(0)
        meter = Meter(driver, clock, Config)
        meter.begin()
        meter.tick()
        register = meter.register
        began = register.import_wh * register.denominator + register.import_rest
        meter.bill_larger = larger
        for _ in range(90):
            clock.advance(1_000)
            chip.feed(1_000)
            meter.tick()
        counted = register.import_wh * register.denominator + register.import_rest - began
        return counted * 100 // register.denominator  # 1/100 Wh

    def test_the_phase_is_billed_until_the_neutral_carries_more_for_long(self):
        # 90 s of 1 kW are 25 Wh.
        self.assertTrue(abs(self.billed(False) - 2_500) <= 1)

    def test_the_larger_of_both_is_billed_then(self):
        self.assertTrue(abs(self.billed(True) - 5_000) <= 1)


if __name__ == "__main__":
    unittest.main()
