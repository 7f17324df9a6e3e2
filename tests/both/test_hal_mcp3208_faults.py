"""The MCP3208 driver when wires, samplers and inputs fail: nothing silent, nothing invented."""

import unittest

from wattledger.hal.errors import BusError, ChipError
from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    OK,
    RESTARTED,
    UNCONFIRMED,
    new_sample,
)
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tests.both import fixtures_adc as adc

HEAP = "384K"


class Case(unittest.TestCase):
    """A house of 3.6 kW: a count a millisecond."""

    def setUp(self):
        self.house = adc.House()
        self.chip = self.house.chip
        self.driver = self.house.driver
        self.sampler = self.house.sampler
        self.chip.set_phase(0, 230_000, 15_652, 3_600_000)
        self.sample = new_sample()
        self.read(1_000, OK)

    def read(self, ms, status):
        """Counts of one reading after `ms`."""
        self.chip.feed(ms)
        self.assertEqual(self.driver.read_into(self.sample), status)
        return self.sample[ENERGY_COUNTS]

    def near(self, found, wanted, slack=2):
        self.assertTrue(abs(found - wanted) <= slack, "%r is not near %r" % (found, wanted))


class TestGaps(Case):
    def test_a_short_gap_is_estimated_flagged_and_measured(self):
        self.sampler.pause(300_000)
        # 7 whole blocks in a second after 300 ms: the first stands for 400 ms.
        self.near(self.read(1_000, UNCONFIRMED), 1_000)
        self.near(self.read(1_000, OK), 1_000)
        health = self.driver.health()
        self.assertEqual((health["estimated_ms"], health["lost_ms"]), (300, 0))

    def test_a_long_gap_is_lost_flagged_and_measured(self):
        self.sampler.pause(1_500_000)
        self.near(self.read(2_000, UNCONFIRMED), 500)
        health = self.driver.health()
        self.assertEqual((health["estimated_ms"], health["lost_ms"]), (0, 1_500))

    def test_jitter_of_a_stamp_is_no_gap_and_moves_no_energy(self):
        # 10 ms late and then early: the two blocks share what both stand for.
        self.sampler.pause(10_000)
        self.chip.feed(500)
        self.sampler.pause(-10_000)
        self.near(self.read(500, OK), 1_000)

    def test_blocks_that_were_not_fetched_in_time_are_told(self):
        # The ring holds 6.4 s: of 10 s, 3.6 s are overrun.
        self.near(self.read(10_000, UNCONFIRMED), 6_400)
        health = self.driver.health()
        self.assertEqual((health["overruns"], health["lost_ms"]), (36, 3_600))

    def test_a_late_reading_within_the_ring_loses_nothing(self):
        self.near(self.read(6_000, OK), 6_000, 3)
        self.assertEqual(self.driver.overflow_ms(3_600), 6_400)

    def test_counts_stay_far_below_a_small_integer_after_a_full_ring(self):
        self.chip.set_phase(0, 280_000, 71_000, 19_880_000)
        counts = self.read(6_400, OK)
        self.near(counts, 35_342, 40)
        self.assertTrue(counts < 1 << 30)


class TestBus(Case):
    def test_one_answer_with_a_wrong_null_bit_spoils_its_block_only(self):
        self.sampler.null_flips = 1
        self.near(self.read(1_000, UNCONFIRMED), 1_000)
        health = self.driver.health()
        self.assertEqual((health["corrupt"], health["estimated_ms"]), (1, 100))
        self.near(self.read(1_000, OK), 1_000)

    def test_nothing_but_spoilt_blocks_is_corrupt(self):
        self.sampler.null_flips = 1
        self.read(100, CORRUPT)
        # What it hid comes with the next good one.
        self.near(self.read(100, OK), 200)

    def test_a_line_stuck_high_or_low_is_no_answer(self):
        self.chip.silent = True
        self.read(1_000, NO_ANSWER)
        self.chip.silent = False
        self.near(self.read(1_000, OK), 1_000 + 1_000)
        for channel in (0, 1):
            self.chip.stick(channel, 0)
        self.read(1_000, NO_ANSWER)

    def test_one_input_at_the_end_of_its_range_is_corrupt(self):
        for channel in (0, 1):
            for code in (0, 4095):
                self.chip.stick(channel, code)
                self.read(1_000, CORRUPT)
                self.chip.stick(channel, None)
                self.read(1_000, OK)

    def test_a_long_silence_was_told_and_is_no_energy(self):
        self.chip.silent = True
        for _ in range(5):
            self.read(1_000, NO_ANSWER)
        self.chip.silent = False
        self.near(self.read(1_000, OK), 1_000)
        self.assertEqual(self.driver.health()["lost_ms"], 5_000)


class TestSampler(Case):
    def test_a_sampler_that_died_is_started_again_and_told(self):
        self.sampler.dead = True
        self.chip.feed(1_000)
        self.assertEqual(self.driver.read_into(self.sample), RESTARTED)
        self.assertEqual(self.driver.health()["restarts"], 1)
        self.near(self.read(1_000, OK), 1_000 + 1_000)  # a second of gap is estimated

    def test_one_that_cannot_be_started_is_no_answer(self):
        self.sampler.dead = True
        self.chip.silent = True
        self.read(1_000, NO_ANSWER)
        self.assertEqual(self.driver.restarts, 0)

    def test_one_that_hangs_is_no_answer(self):
        self.sampler.take = lambda block: False
        self.read(400, OK)
        self.read(200, NO_ANSWER)

    def test_begin_again_counts_on(self):
        self.chip.feed(500)
        self.driver.begin()
        self.near(self.read(1_000, UNCONFIRMED), 1_500)

    def test_errors_of_the_sampler_are_bus_errors(self):
        self.sampler.errors = 3
        self.assertEqual(self.driver.health()["bus_errors"], 3)


class _Loose:
    def transfer(self, out, into):
        raise BusError("the wire is loose")


class TestBegin(unittest.TestCase):
    def failure(self, chip, bus=None):
        sampler = SimulatedSampler(chip)
        driver = Mcp3208(bus or chip, adc.no_wait, [{}], sampler)
        with self.assertRaises(ChipError) as caught:
            driver.begin()
        self.assertFalse(sampler.alive())
        self.assertEqual(caught.exception.stage, "bus")
        return str(caught.exception)

    def test_a_missing_chip_is_named(self):
        chip = Chip()
        chip.silent = True
        self.assertIn("does not answer", self.failure(chip))

    def test_an_input_without_bias_is_named(self):
        for code in (0, 4095):
            chip = Chip()
            chip.stick(1, code)
            self.assertIn("channel 1 reads %d" % code, self.failure(chip))

    def test_a_failing_bus_is_named(self):
        self.assertIn("the wire is loose", self.failure(Chip(), _Loose()))

    def test_a_peak_at_the_end_of_the_range_is_asked_again(self):
        chip = Chip()
        codes = [4095, 2048, 2048]
        chip.convert = lambda channel, at: codes.pop(0)
        sampler = SimulatedSampler(chip)
        Mcp3208(chip, adc.no_wait, [{}], sampler).begin()
        self.assertTrue(sampler.alive())


if __name__ == "__main__":
    unittest.main()
