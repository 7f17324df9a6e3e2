"""The button that gives the supply back: three seconds by a person, seen all the time."""

import unittest

from wattledger.agent.supply.hold import HoldButton
from wattledger.host_sim.clock import VirtualClock


class TestHold(unittest.TestCase):
    def setUp(self):
        # The clock wraps in the middle of every press.
        self.clock = VirtualClock(0, (1 << 30) - 1500)
        self.button = HoldButton(self.clock)

    def hold(self, ms, every=500):
        """Pressed for `ms`, renewed `every` so many."""
        self.button.press()
        while ms > 0:
            step = min(every, ms)
            self.clock.advance(step)
            self.button.press()
            ms -= step

    def test_three_seconds_count_once(self):
        self.hold(3000)
        self.assertEqual(self.button.held_ms(), 3000)
        self.assertTrue(self.button.take())
        self.assertFalse(self.button.take())
        self.assertEqual(self.button.held_ms(), 0)

    def test_a_millisecond_less_does_not(self):
        self.hold(2999)
        self.assertEqual(self.button.held_ms(), 2999)
        self.assertFalse(self.button.take())

    def test_letting_go_starts_again(self):
        self.hold(2900)
        self.button.release()
        self.assertEqual(self.button.held_ms(), 0)
        self.hold(2900)
        self.assertFalse(self.button.take())

    def test_time_that_was_not_heard_was_not_held(self):
        self.hold(2000)
        self.clock.advance(1400)  # the page vanishes
        self.assertEqual(self.button.held_ms(), 2000)
        self.assertFalse(self.button.take())
        self.clock.advance(101)
        self.assertEqual(self.button.held_ms(), 0)

    def test_a_press_after_a_gap_starts_again(self):
        self.hold(2000)
        self.clock.advance(1501)
        self.button.press()
        self.assertEqual(self.button.held_ms(), 0)
        self.hold(2999)
        self.assertFalse(self.button.take())

    def test_a_renewal_may_take_a_second_and_a_half(self):
        self.hold(3000, every=1500)
        self.assertTrue(self.button.take())

    def test_progress_ends_at_three_seconds(self):
        self.hold(9000)
        self.assertEqual(self.button.held_ms(), 3000)

    def test_single_taps_are_no_hold(self):
        for _ in range(10):
            self.button.press()
            self.button.release()
            self.clock.advance(400)
        self.assertFalse(self.button.take())

    def test_a_button_nobody_touched_is_up(self):
        self.button.release()
        self.assertEqual(self.button.held_ms(), 0)
        self.assertFalse(self.button.take())


if __name__ == "__main__":
    unittest.main()
