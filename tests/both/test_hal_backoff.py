"""How long to wait for the next attempt."""

import unittest

from wattledger.hal.network.backoff import next_delay


class TestBackoff(unittest.TestCase):
    def test_it_grows_threefold_at_most_and_stays_within_its_bounds(self):
        waits = [0]
        for _ in range(9):
            waits.append(next_delay(waits[-1], 1, 900, uniform=lambda low, high: high))
        self.assertEqual(waits, [0, 1, 3, 9, 27, 81, 243, 729, 900, 900])
        self.assertEqual(next_delay(900, 1, 900, uniform=lambda low, high: low), 1)

    def test_the_first_wait_may_be_none_at_all(self):
        for most, wait in ((900, 75), (5, 5)):
            self.assertEqual(next_delay(0, 75, most, uniform=lambda low, high: high), wait)
            self.assertEqual(next_delay(0, 75, most, uniform=lambda low, high: low), 0)

    def test_meters_spread(self):
        spread = [next_delay(20, 1, 900) for _ in range(200)]
        self.assertTrue(1 <= min(spread) < max(spread) <= 60)
        self.assertTrue(max(spread) - min(spread) > 20)
