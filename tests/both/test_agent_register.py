"""The energy register: exact, rising, and within the small integers of a device."""

import unittest

from wattledger.agent.errors import ConfigError
from wattledger.agent.metering.quality import (
    counts_per_second,
    is_possible,
    seconds_of,
    worse,
)
from wattledger.agent.metering.register import EnergyRegister
from wattledger.agent.units import micro_of, ticks_between


def contents(register):
    return (
        register.import_wh,
        register.import_rest,
        register.export_wh,
        register.export_rest,
    )


class TestRegister(unittest.TestCase):
    def test_a_count_is_a_part_of_a_wh_and_nothing_is_rounded(self):
        register = EnergyRegister(1, 320, 10_000)
        for _ in range(319):
            register.add(1)
        self.assertEqual(contents(register), (0, 319, 0, 0))
        register.add(1)
        self.assertEqual(contents(register), (1, 0, 0, 0))

    def test_export_has_a_register_of_its_own_and_import_never_falls(self):
        register = EnergyRegister(1, 320, 10_000)
        register.add(1000)
        register.add(-650)
        register.add(0)
        register.add(-1)
        self.assertEqual(contents(register), (3, 40, 2, 11))

    def test_any_slicing_of_a_million_counts_is_the_same_energy(self):
        for piece in (1, 7, 319, 320, 321, 9_999):
            register = EnergyRegister(1, 320, 10_000)
            left = 1_000_003 if piece > 1 else 10_003
            total = left
            while left:
                counts = min(piece, left)
                register.add(counts)
                left -= counts
            self.assertEqual(contents(register), (total // 320, total % 320, 0, 0))

    def test_a_count_that_is_no_whole_milliwatt_second(self):
        # 7/900 Wh a count: 900 counts are exactly 7 Wh.
        register = EnergyRegister(7, 900, 1_000)
        for _ in range(899):
            register.add(1)
        self.assertEqual(contents(register), (6, 893, 0, 0))
        register.add(1)
        self.assertEqual(contents(register), (7, 0, 0, 0))

    def test_stored_values_go_on(self):
        register = EnergyRegister(1, 320, 10_000)
        register.restore(123_456, 319, 77, 3)
        register.add(1)
        register.add(-317)
        self.assertEqual(contents(register), (123_457, 0, 78, 0))

    def test_a_rest_of_another_calibration_is_dropped(self):
        register = EnergyRegister(1, 320, 10_000)
        register.restore(5, 320, 6, 899)
        self.assertEqual(contents(register), (5, 0, 6, 0))

    def test_more_counts_a_tick_than_a_small_integer_holds_are_refused(self):
        # 2**30 - 1 = most + denominator is the last that fits.
        EnergyRegister(1, 320, 1_073_741_823 - 320)
        with self.assertRaises(ConfigError) as caught:
            EnergyRegister(1, 320, 1_073_741_824 - 320)
        self.assertEqual(caught.exception.path, ("max_amps",))


class TestQuality(unittest.TestCase):
    def test_counts_a_second_are_rounded_up(self):
        # 16 560 W is 4.6 Wh a second: 1472 counts of 1/320 Wh. 1 W is 0.089.
        self.assertEqual(counts_per_second(16_560, 1, 320), 1472)
        self.assertEqual(counts_per_second(1, 1, 320), 1)
        self.assertEqual(counts_per_second(16_561, 1, 320), 1473)

    def test_two_seconds_of_grace(self):
        self.assertEqual([seconds_of(ms) for ms in (0, 999, 1000, 9_000_999)], [2, 2, 3, 9002])

    def test_as_many_counts_as_the_time_can_bring_and_not_one_more(self):
        self.assertTrue(is_possible(4416, 1472, 3))
        self.assertFalse(is_possible(4417, 1472, 3))
        self.assertTrue(is_possible(0, 1, 2))
        # A day at 16 560 W: 397.44 kWh, 127 180 800 counts.
        self.assertTrue(is_possible(127_180_800, 1472, 86_400))
        self.assertFalse(is_possible(127_180_801, 1472, 86_400))

    def test_the_worse_quality_wins(self):
        self.assertEqual([worse(0, 3), worse(3, 0), worse(1, 2), worse(0, 0)], [3, 3, 2, 0])


class TestUnits(unittest.TestCase):
    def test_ticks_go_on_across_the_wrap(self):
        self.assertEqual(ticks_between(1_073_741_823, 0), 1)
        self.assertEqual(ticks_between(1_073_741_000, 176), 1_000)
        self.assertEqual(ticks_between(5, 5), 0)

    def test_micro_units_are_rounded_down(self):
        self.assertEqual([micro_of(1999), micro_of(-1), micro_of(-1000)], [1, -1, -1])


if __name__ == "__main__":
    unittest.main()
