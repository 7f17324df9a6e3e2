"""The simulated relay, clock and entropy keep the promises of hal/contract.py."""

import unittest

from wattledger.hal.sample import TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.relay import LatchingRelay

START_S = 1_799_704_800


class TestLatchingRelay(unittest.TestCase):
    def test_never_moves_on_construction(self):
        self.assertTrue(LatchingRelay().contact())
        self.assertFalse(LatchingRelay(False).contact())
        self.assertEqual(LatchingRelay(False).operations, 0)

    def test_counts_movements_not_commands(self):
        relay = LatchingRelay()
        relay.close()
        self.assertEqual(relay.operations, 0)
        relay.open()
        relay.open()
        self.assertFalse(relay.contact())
        relay.close()
        self.assertTrue(relay.contact())
        self.assertEqual(relay.operations, 2)

    def test_position_survives_a_restart_without_movement(self):
        relay = LatchingRelay()
        relay.open()
        again = LatchingRelay()
        again.restore(relay.state())
        self.assertFalse(again.contact())
        self.assertEqual(again.operations, 1)


class TestVirtualClock(unittest.TestCase):
    def test_time_moves_only_when_advanced(self):
        clock = VirtualClock(START_S * 1000)
        before = clock.ticks_ms()
        self.assertEqual(clock.elapsed_ms(before), 0)
        clock.advance(1_500)
        self.assertEqual(clock.elapsed_ms(before), 1_500)
        self.assertEqual(clock.unix_s(), START_S + 1)
        clock.advance(500)
        self.assertEqual(clock.unix_s(), START_S + 2)

    def test_ticks_wrap_at_two_to_the_thirty(self):
        clock = VirtualClock(START_S * 1000, 1_073_741_823)
        before = clock.ticks_ms()
        clock.advance(10)
        self.assertEqual(clock.ticks_ms(), 9)
        self.assertEqual(clock.elapsed_ms(before), 10)

    def test_wall_clock_is_not_trusted_until_set(self):
        clock = VirtualClock(START_S * 1000, wall_s=0)
        self.assertEqual((clock.unix_s(), clock.trust()), (0, TRUST_UNKNOWN))
        ticks = clock.ticks_ms()
        clock.set(START_S, TRUST_SYNCED)
        self.assertEqual((clock.unix_s(), clock.trust()), (START_S, TRUST_SYNCED))
        self.assertEqual(clock.ticks_ms(), ticks)

    def test_time_source_offers_at_the_start_and_every_hour(self):
        clock = VirtualClock(START_S * 1000)
        self.assertEqual(clock.offer(), (START_S, "ntp"))
        self.assertIsNone(clock.offer())
        clock.advance(3_599_999)
        self.assertIsNone(clock.offer())
        clock.advance(1)
        self.assertEqual(clock.offer(), (START_S + 3_600, "ntp"))
        self.assertIsNone(clock.offer())

    def test_time_source_tells_the_truth_whatever_was_set(self):
        clock = VirtualClock(START_S * 1000)
        clock.set(5, TRUST_SYNCED)
        self.assertEqual(clock.offer(), (START_S, "ntp"))
        self.assertEqual(clock.true_ms(), START_S * 1000)

    def test_nothing_is_offered_while_offline(self):
        clock = VirtualClock(START_S * 1000)
        clock.online = False
        self.assertIsNone(clock.offer())
        clock.advance(60_000)
        clock.online = True
        self.assertEqual(clock.offer(), (START_S + 60, "ntp"))

    def test_a_fix_that_agrees_does_not_step_the_clock_back(self):
        clock = VirtualClock(START_S * 1000)
        clock.advance(900)
        clock.set(clock.offer()[0], TRUST_SYNCED)
        clock.advance(100)
        self.assertEqual(clock.unix_s(), START_S + 1)


class TestSeededEntropy(unittest.TestCase):
    def test_bytes_are_the_hashes_of_seed_and_block_number(self):
        # sha256(b"7:0") and sha256(b"7:1"), from another implementation
        expected = (
            "f5ff61d7b533cd7371f120b74bb93602758cee22e3a30244fbe90fbe99ca4623"
            + "d7a0cee7b61eb0e3e4776e245cfafbfba1cbce2b59a1f2c20626e3e46bbaf745"
        )
        got = bytearray(64)
        SeededEntropy(7).fill(got)
        self.assertEqual("".join("%02x" % byte for byte in got), expected)

    def test_the_sequence_does_not_depend_on_the_pieces(self):
        whole = bytearray(50)
        SeededEntropy(1).fill(whole)
        entropy = SeededEntropy(1)
        joined = b""
        for size in (1, 31, 0, 7, 11):
            piece = bytearray(size)
            entropy.fill(piece)
            joined += bytes(piece)
        self.assertEqual(joined, bytes(whole))


if __name__ == "__main__":
    unittest.main()
