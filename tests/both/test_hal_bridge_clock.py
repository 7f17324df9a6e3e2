"""The clock of a simulated meter: it moves only with the world, and wraps as every clock does."""

import unittest

from wattledger.hal.clock.bridge import BridgeClock
from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN

NOON = 1_799_704_800


class Port:
    offer_waits = False
    offered = NOON

    def take_offer(self):
        self.offer_waits = False
        return self.offered


class TestBridgeClock(unittest.TestCase):
    def setUp(self):
        self.port = Port()
        self.clock = BridgeClock(self.port)

    def test_it_boots_at_zero_and_trusts_nothing(self):
        self.assertEqual((self.clock.ticks_ms(), self.clock.unix_s()), (0, 0))
        self.assertEqual(self.clock.trust(), TRUST_UNKNOWN)

    def test_it_stands_until_time_passes(self):
        self.clock.set(NOON, TRUST_SYNCED)
        self.assertEqual(self.clock.unix_s(), NOON)
        self.clock.advance(900)
        self.assertEqual((self.clock.ticks_ms(), self.clock.unix_s()), (900, NOON))
        self.clock.advance(1_100)
        self.assertEqual((self.clock.ticks_ms(), self.clock.unix_s()), (2_000, NOON + 2))
        self.assertEqual(self.clock.trust(), TRUST_SYNCED)

    def test_setting_it_moves_no_ticks(self):
        self.clock.advance(5_000)
        self.clock.set(NOON, TRUST_SYNCED)
        self.assertEqual(self.clock.ticks_ms(), 5_000)
        self.assertEqual(self.clock.elapsed_ms(2_000), 3_000)

    def test_ticks_wrap_at_two_to_the_thirty(self):
        self.clock.advance(1_073_741_823)
        before = self.clock.ticks_ms()
        self.clock.advance(3)
        self.assertEqual(self.clock.ticks_ms(), 2)
        self.assertEqual(self.clock.elapsed_ms(before), 3)
        self.assertEqual(self.clock.unix_s(), 1_073_741)

    def test_an_offer_is_handed_on_once(self):
        self.assertIsNone(self.clock.offer())
        self.port.offer_waits = True
        self.assertEqual(self.clock.offer(), (NOON, "ntp"))
        self.assertIsNone(self.clock.offer())

    def test_an_offer_that_was_withdrawn_is_none(self):
        self.port.offer_waits = True
        self.port.offered = 0
        self.assertIsNone(self.clock.offer())


if __name__ == "__main__":
    unittest.main()
