"""The challenge: fresh without a clock, spent once, and forgotten after the next but one."""

import unittest

from wattledger.agent.comms.challenge import Challenge
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy


class TestChallenge(unittest.TestCase):
    def setUp(self):
        self.clock = VirtualClock(0)
        self.challenge = Challenge(SeededEntropy(7), self.clock)

    def test_eight_bytes_of_the_entropy_in_hex(self):
        # The first bytes of sha256(b"7:0"), see test_sim_devices.py.
        self.assertEqual(self.challenge.now, "f5ff61d7b533cd73")
        self.challenge.renew()
        self.assertEqual(self.challenge.now, "71f120b74bb93602")

    def test_a_counter_is_spent_and_only_rises(self):
        now = self.challenge.now
        self.assertTrue(self.challenge.accepts(now, 1))
        self.assertFalse(self.challenge.accepts(now, 1))
        self.assertTrue(self.challenge.accepts(now, 5))
        self.assertFalse(self.challenge.accepts(now, 4))
        self.assertTrue(self.challenge.accepts(now, (1 << 53) - 1))
        self.assertFalse(self.challenge.accepts(now, 6))

    def test_zero_is_below_the_first_counter(self):
        self.assertFalse(self.challenge.accepts(self.challenge.now, 0))

    def test_the_one_before_is_accepted_with_the_counter_it_had(self):
        before = self.challenge.now
        self.challenge.accepts(before, 7)
        self.challenge.renew()
        self.assertFalse(self.challenge.accepts(before, 7))
        self.assertTrue(self.challenge.accepts(before, 8))
        self.assertTrue(self.challenge.accepts(self.challenge.now, 1))

    def test_the_one_before_that_is_dead(self):
        old = self.challenge.now
        self.challenge.renew()
        self.challenge.renew()
        self.assertFalse(self.challenge.accepts(old, 99))

    def test_nothing_else_is_a_challenge(self):
        now = self.challenge.now
        for other in ("", None, 0, [], {}, [now], now.upper(), now[:-1], now + "0", " " + now):
            self.assertFalse(self.challenge.accepts(other, 1))
        self.challenge.renew()
        self.assertFalse(self.challenge.accepts("", 1))

    def test_it_is_due_after_ten_minutes_and_counts_from_the_renewal(self):
        self.clock.advance(599_999)
        self.assertFalse(self.challenge.due())
        self.clock.advance(1)
        self.assertTrue(self.challenge.due())
        self.challenge.renew()
        self.clock.advance(599_999)
        self.assertFalse(self.challenge.due())


if __name__ == "__main__":
    unittest.main()
