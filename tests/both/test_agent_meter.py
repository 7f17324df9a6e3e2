"""The meter: what it believes, what it refuses, and what it does with a chip that fails."""

import unittest

from wattledger.agent.errors import ConfigError
from wattledger.agent.metering.meter import Meter
from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    PHASE_FIELDS,
    QUALITY_ESTIMATED,
    QUALITY_OK,
    QUALITY_REJECTED,
    QUALITY_STALE,
    RESTARTED,
    UNCONFIRMED,
)
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.fixtures_agent import ScriptedChip, config_of
from wattledger.tests.both.houses_watch import SampledChip

# 60 A x 276 V = 16 560 W: 1472 counts a second and phase, and two seconds of grace.
MOST_IN_A_SECOND = 1472 * 3

HEAP = "384K"


class TestMeter(unittest.TestCase):
    def setUp(self):
        self.begin_with()

    def begin_with(self, phases=1, ticks=0, **config):
        self.chip = ScriptedChip(phases)
        self.clock = VirtualClock(0, ticks)
        self.meter = Meter(self.chip, self.clock, config_of(**config))
        self.meter.begin()
        self.tick()

    def tick(self, counts=0, ms=1000, status=0, phase=0):
        self.clock.advance(ms)
        self.chip.feed(counts, phase)
        self.chip.status = status
        self.meter.tick()

    def wh(self):
        register = self.meter.register
        return register.import_wh * 320 + register.import_rest, (
            register.export_wh * 320 + register.export_rest
        )

    # --- what is believed ---

    def test_the_most_that_the_service_can_carry_is_believed(self):
        self.tick(MOST_IN_A_SECOND)
        self.assertEqual(self.wh(), (MOST_IN_A_SECOND, 0))
        self.assertEqual(self.meter.quality, QUALITY_OK)
        self.tick(-MOST_IN_A_SECOND)
        self.assertEqual(self.wh(), (MOST_IN_A_SECOND, MOST_IN_A_SECOND))
        self.assertEqual(self.meter.rejected, 0)

    def test_one_count_more_is_rejected_counted_and_never_clamped(self):
        for sign in (1, -1):
            self.setUp()
            self.tick(sign * (MOST_IN_A_SECOND + 1))
            self.assertEqual(self.wh(), (0, 0))
            self.assertEqual(self.meter.rejected, MOST_IN_A_SECOND + 1)
            self.assertEqual(self.meter.quality, QUALITY_REJECTED)
            self.tick(10)
            self.assertEqual(self.meter.quality, QUALITY_OK)
            self.assertEqual(self.wh(), (10, 0))

    def test_rejected_counts_add_up_until_they_are_told(self):
        self.tick(60_000)
        self.tick(65_535)
        self.assertEqual(self.meter.rejected, 125_535)

    def test_opposite_phases_do_not_hide_an_impossible_energy(self):
        self.begin_with(3)
        self.chip.feed(60_000, 0)
        self.tick(-60_000, phase=1)
        self.assertEqual(self.wh(), (0, 0))
        self.assertEqual(self.meter.rejected, 120_000)

    def test_an_interval_keeps_the_worst_quality_until_it_is_taken(self):
        self.tick(10)
        self.tick(MOST_IN_A_SECOND + 1)
        self.tick(10)
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_REJECTED)
        self.tick(10)
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_OK)

    def test_a_late_tick_may_bring_more_and_is_told(self):
        # Half of 44 521 ms is 22 260: the last gap that is not late. 24 s carry 1472 x 24.
        self.tick(35_000, ms=22_260)
        self.assertEqual(self.meter.late_gap_ms, -1)
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_OK)
        self.tick(35_000, ms=22_261)
        self.assertEqual(self.meter.late_gap_ms, 22_261)
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_ESTIMATED)
        self.assertEqual(self.wh(), (70_000, 0))
        self.tick(1472 * 24 + 1, ms=22_261)
        self.assertEqual(self.meter.rejected, 1472 * 24 + 1)

    def test_energy_of_missed_reads_is_believed_when_it_comes(self):
        for _ in range(5):
            self.tick(1400, status=NO_ANSWER)
        self.tick(1400)
        self.assertEqual(self.wh(), (8400, 0))
        self.assertEqual(self.meter.rejected, 0)

    def test_the_first_read_after_a_boot_brings_what_the_chip_kept(self):
        # Nobody knows how long the chip counted: up to a full register is believed.
        self.chip = ScriptedChip()
        self.meter = Meter(self.chip, self.clock, config_of())
        self.meter.begin()
        self.tick(65_535)
        self.assertEqual(self.wh(), (65_535, 0))
        self.assertEqual(self.meter.quality, QUALITY_OK)
        self.tick(65_535)
        self.assertEqual(self.meter.rejected, 65_535)

    def test_the_first_read_is_first_even_when_others_failed_before_it(self):
        self.chip = ScriptedChip()
        self.meter = Meter(self.chip, self.clock, config_of())
        self.meter.begin()
        self.tick(30_000, status=NO_ANSWER)
        self.tick(30_000)
        self.assertEqual(self.wh(), (60_000, 0))

    def test_a_day_without_a_reading_may_bring_what_a_day_can_carry(self):
        # 127 180 800 counts a day at 16 560 W, and two seconds of grace.
        self.tick(1472 * 86_402, ms=86_400_000)
        self.assertEqual(self.wh(), (1472 * 86_402, 0))
        self.assertEqual(self.meter.late_gap_ms, 86_400_000)
        self.tick(-1472 * 86_402, ms=86_400_000)
        self.assertEqual(self.wh(), (1472 * 86_402, 1472 * 86_402))
        self.tick(1472 * 86_402 + 1, ms=86_400_000)
        self.assertEqual(self.meter.rejected, 1472 * 86_402 + 1)

    def test_a_gap_that_the_chips_register_may_not_have_held_is_uncertain(self):
        # 65 535 counts last 44 521 ms at 16 560 W.
        self.tick(100, ms=44_519)
        self.assertFalse(self.meter.uncertain)
        self.tick(100, ms=44_521)
        self.assertTrue(self.meter.uncertain)

    def test_a_confirmed_energy_is_as_good_as_any(self):
        self.tick()
        read_into = self.chip.read_into
        self.chip.read_into = lambda sample: read_into(sample) | UNCONFIRMED
        self.tick(100)
        self.assertEqual(self.wh(), (100, 0))
        self.assertEqual((self.meter.quality, self.meter.unconfirmed), (QUALITY_OK, 1))

    def test_corrupt_readings_are_counted_and_misses_are_not(self):
        for status in (CORRUPT, NO_ANSWER, CORRUPT):
            self.tick(status=status)
        self.assertEqual((self.meter.corrupt, self.meter.unconfirmed), (2, 0))

    # --- the neutral ---

    def bill_larger(self, phase, neutral, larger=True, **config):
        """Wh carried in counts, of one second in which phase and neutral counted so much."""
        chip = SampledChip(1, neutral_phase=1)
        self.clock = VirtualClock(0)
        self.meter = Meter(chip, self.clock, config_of(bill_on="larger", **config))
        self.clock.advance(1000)
        self.meter.tick()
        self.meter.bill_larger = larger
        chip.sample[ENERGY_COUNTS] = phase
        chip.sample[PHASE_FIELDS + ENERGY_COUNTS] = neutral
        self.clock.advance(1000)
        self.meter.tick()
        return self.wh()

    def test_the_larger_of_phase_and_neutral_is_billed_while_they_differ(self):
        self.assertEqual(self.bill_larger(100, 160), (160, 0))
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_ESTIMATED)
        self.assertEqual(self.bill_larger(100, -160), (160, 0))
        self.assertEqual(self.bill_larger(0, 160), (160, 0))
        self.assertEqual(self.bill_larger(100, 99), (100, 0))
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_OK)
        self.assertEqual(self.bill_larger(0, 160, phase_sum="per_phase"), (160, 0))

    def test_the_phase_is_billed_while_they_agree_and_when_it_exports(self):
        self.assertEqual(self.bill_larger(100, 160, larger=False), (100, 0))
        self.assertEqual(self.bill_larger(-100, -160), (0, 100))

    def test_a_neutral_that_cannot_be_true_is_not_billed(self):
        self.assertEqual(self.bill_larger(100, MOST_IN_A_SECOND), (MOST_IN_A_SECOND, 0))
        self.assertEqual(self.bill_larger(100, MOST_IN_A_SECOND + 1), (100, 0))

    def test_a_chip_without_energy_of_the_neutral_cannot_bill_on_it(self):
        for chip in (ScriptedChip(), SampledChip(1), SampledChip(3, neutral_phase=1)):
            with self.assertRaises(ConfigError) as caught:
                Meter(chip, self.clock, config_of(bill_on="larger"))
            self.assertEqual(caught.exception.path, ("bill_on",))

    def test_the_tick_goes_on_across_the_wrap_of_the_clock(self):
        self.begin_with(ticks=(1 << 30) - 1500)
        self.tick(MOST_IN_A_SECOND)
        self.tick(MOST_IN_A_SECOND)
        self.assertEqual(self.wh(), (2 * MOST_IN_A_SECOND, 0))
        self.assertEqual(self.meter.late_gap_ms, -1)
        self.tick(MOST_IN_A_SECOND + 1)
        self.assertEqual(self.meter.rejected, MOST_IN_A_SECOND + 1)

    # --- phases ---

    def test_phases_are_summed_with_their_sign_each_tick(self):
        self.begin_with(3)
        self.chip.feed(1000, 0)
        self.chip.feed(-700, 1)
        self.tick(200, phase=2)
        self.assertEqual(self.wh(), (500, 0))
        self.chip.feed(-900, 0)
        self.tick(700, phase=1)
        self.assertEqual(self.wh(), (500, 200))

    def test_phases_by_themselves_when_the_meter_is_told_so(self):
        self.begin_with(3, phase_sum="per_phase")
        self.chip.feed(1000, 0)
        self.chip.feed(-700, 1)
        self.tick(200, phase=2)
        self.assertEqual(self.wh(), (1200, 700))

    def test_power_is_the_signed_sum_of_the_phases(self):
        self.begin_with(3)
        self.chip.power_mw = [2_000_000, -500_000, 42_000]
        self.tick()
        self.assertEqual(self.meter.power_mw(), 1_542_000)

    # --- faults ---

    def test_a_missed_read_is_stale_and_ages(self):
        self.tick(10)
        self.assertEqual(self.meter.sample_age_ms(), 0)
        for missed, status in ((1, NO_ANSWER), (2, CORRUPT)):
            self.tick(status=status)
            self.assertEqual((self.meter.missed, self.meter.quality), (missed, QUALITY_STALE))
        self.clock.advance(250)
        self.assertEqual(self.meter.sample_age_ms(), 2_250)
        self.tick()
        self.assertEqual((self.meter.missed, self.meter.quality), (0, QUALITY_OK))

    def test_an_interval_that_ends_without_answer_leaves_the_next_stale(self):
        self.tick(status=NO_ANSWER)
        self.meter.take_interval_quality()
        self.assertEqual(self.meter.interval_quality, QUALITY_STALE)

    def test_a_restarted_chip_tells_its_gap(self):
        self.tick(10)
        self.tick(status=NO_ANSWER)
        self.tick(status=RESTARTED)
        self.assertEqual(self.meter.restarted_gap_ms, 2000)
        self.assertEqual(self.meter.quality, QUALITY_ESTIMATED)
        self.assertEqual(self.meter.take_interval_quality(), QUALITY_ESTIMATED)
        self.assertEqual(self.wh(), (10, 0))

    def test_the_third_reset_within_an_hour_is_a_fault_once(self):
        self.assertFalse(self.meter.reset(100))
        self.assertFalse(self.meter.reset(200))
        self.assertTrue(self.meter.reset(3_699))
        self.assertTrue(self.meter.faulty)
        self.assertFalse(self.meter.reset(3_699))
        self.assertTrue(self.meter.faulty)

    def test_the_hour_is_over_after_an_hour(self):
        self.meter.reset(100)
        self.meter.reset(200)
        self.assertFalse(self.meter.reset(3_700))
        self.assertFalse(self.meter.faulty)

    def test_a_reset_sets_the_chip_up_and_counts_from_nothing(self):
        begun = self.chip.begun
        for _ in range(3):
            self.tick(status=NO_ANSWER)
        self.assertEqual(self.meter.missed, 3)
        self.meter.reset(3)
        self.assertEqual((self.chip.begun, self.meter.missed), (begun + 1, 0))

    def test_a_chip_that_will_not_come_up_raises_nothing(self):
        self.chip.dead = True
        self.meter.begin()
        for _ in range(5):
            self.tick()
        self.meter.reset(5)
        self.assertEqual(self.meter.quality, QUALITY_STALE)

    def test_a_silence_that_was_told_says_when_it_is_over(self):
        self.tick()
        for _ in range(3):
            self.tick(status=NO_ANSWER)
        self.tick()
        self.assertEqual(self.meter.recovered_gap_ms, -1)
        self.meter.silent = True
        self.tick(status=NO_ANSWER)
        self.tick()
        self.assertEqual(self.meter.recovered_gap_ms, 2000)
        self.assertFalse(self.meter.silent)

    # --- configuration ---

    def test_a_tick_too_slow_for_the_register_is_refused_naming_both_numbers(self):
        # 200 A x 276 V = 55 200 W: 13 356 ms; half is 6678.
        with self.assertRaises(ConfigError) as caught:
            Meter(ScriptedChip(), self.clock, config_of(max_amps=200, tick_ms=6_679))
        self.assertEqual(caught.exception.path, ("tick_ms",))
        self.assertIn("6679", str(caught.exception))
        self.assertIn("13356", str(caught.exception))
        Meter(ScriptedChip(), self.clock, config_of(max_amps=200, tick_ms=6_678))

    def test_a_service_too_large_for_small_integers_is_refused(self):
        # 2000 A x 400 V on three phases: 213 334 counts a second, 8.7 x 10^8 in 4095 s, fits;
        # at 1000 V the tick must be under 184 ms and 2.2 x 10^9 do not fit.
        Meter(ScriptedChip(3), self.clock, config_of(max_amps=2000, max_volts=400, tick_ms=100))
        with self.assertRaises(ConfigError) as caught:
            Meter(
                ScriptedChip(3), self.clock, config_of(max_amps=2000, max_volts=1000, tick_ms=100)
            )
        self.assertEqual(caught.exception.path, ("max_amps",))


if __name__ == "__main__":
    unittest.main()
