"""A power turned by an angle, against a table of sines."""

import unittest

from wattledger.host_sim.chip.angle import rotate


class TestRotate(unittest.TestCase):
    def assert_near(self, found, wanted):
        for at in (0, 1):
            self.assertLess(abs(found[at] - wanted[at]), 5)  # 5e-9

    def test_no_angle_changes_nothing(self):
        self.assertEqual(rotate(123_457, -98_765, 0), (123_457, -98_765))

    def test_a_current_that_lags_turns_power_into_reactive_power(self):
        # cos and sin of 2 degrees: 0.9993908270, 0.0348994967; of 60: 0.5, 0.8660254038.
        self.assert_near(rotate(10**9, 0, 2_000), (999_390_827, 34_899_497))
        self.assert_near(rotate(10**9, 0, 60_000), (500_000_000, 866_025_404))
        self.assert_near(rotate(0, 10**9, 60_000), (-866_025_404, 500_000_000))

    def test_one_that_leads_turns_it_back(self):
        self.assert_near(rotate(10**9, 0, -2_000), (999_390_827, -34_899_497))

    def test_whole_quarters_are_exact(self):
        self.assertEqual(rotate(700, 30, 90_000), (-30, 700))
        self.assertEqual(rotate(700, 30, 180_000), (-700, -30))
        self.assertEqual(rotate(700, 30, -90_000), (30, -700))
        self.assertEqual(rotate(700, 30, 720_000), (700, 30))


if __name__ == "__main__":
    unittest.main()
