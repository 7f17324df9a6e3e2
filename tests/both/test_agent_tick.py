"""The tick allocates nothing: ten thousand of them under a locked heap, with the real driver."""

import unittest

from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import fixtures_spi as spi
from wattledger.tests.both.fixtures_agent import House

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    # No heap to lock here: the same ticks still prove that energy is exact.

    def heap_lock():
        pass

    def heap_unlock():
        pass


HEAP = "512K"


class TestNoAllocation(unittest.TestCase):
    def setUp(self):
        self.chip = spi.new_chip()
        self.house = House(credit=10)
        self.house.chip = spi.new_driver(self.chip)
        self.house.boot()
        self.meter = self.house.agent.meter

    def ticks(self, count):
        """`count` ticks that allocate nothing; the number made."""
        tick = self.house.agent.tick
        made = 0
        heap_lock()
        try:
            while made < count:
                tick()
                made += 1
        finally:
            heap_unlock()
        return made

    def test_ten_thousand_ticks(self):
        self.chip.set_phase(0, 230_000, 4_891, 1_125_000)
        self.chip.feed(1_000)
        before = self.meter.ticks
        self.assertEqual(self.ticks(10_000), 10_000)
        self.assertEqual(self.meter.ticks - before, 10_000)
        self.assertEqual((self.meter.missed, self.meter.quality), (0, 0))
        # 1125 W for a second is 100 counts, and not one more however often it is read.
        self.assertEqual(self.meter.register.import_rest, 100)

    def test_ticks_while_energy_moves_both_ways(self):
        # 1125 W for 900 ms is 90 counts, and every third second of it goes out.
        imported = exported = 0
        for turn in range(500):
            sign = -1 if turn % 3 == 2 else 1
            self.chip.set_phase(0, 230_000, 4_891, sign * 1_125_000)
            self.chip.feed(900)
            self.house.pass_ms(900)
            if sign > 0:
                imported += 90
            else:
                exported += 90
            self.ticks(2)
        register = self.meter.register
        self.assertEqual(register.import_wh * 320 + register.import_rest, imported)
        self.assertEqual(register.export_wh * 320 + register.export_rest, exported)
        self.assertEqual(self.meter.rejected, 0)

    def test_ticks_of_a_rejected_energy(self):
        self.ticks(1)
        for _ in range(5):
            for register in (spi.FORWARD_A, spi.TOTAL):
                self.chip.poke(register, 65_534)
            self.ticks(1)
        self.assertEqual(self.meter.rejected, 5 * 65_534)

    def test_late_ticks(self):
        self.ticks(1)
        for gap in (1_000, 60_000, 4_095_000, 90_000_000):
            self.house.pass_ms(gap)
            self.ticks(1)
            self.assertEqual(self.meter.quality, 0)

    def test_ticks_after_a_misheard_energy(self):
        self.chip.set_phase(0, 230_000, 4_891, 1_125_000)
        self.ticks(1)
        for bit in range(16):
            self.chip.feed(1_000)
            self.chip.corrupt_next(1 << bit, spi.FORWARD_A)
            self.ticks(1)
        register = self.meter.register
        self.assertEqual(register.import_wh * 320 + register.import_rest, 1600)

    def test_ticks_of_three_phases_each_by_itself(self):
        self.house.config.phase_sum = "per_phase"
        self.house.chip = spi.new_driver(self.chip, 3)
        self.house.boot()
        self.meter = self.house.agent.meter
        self.ticks(1)
        for phase, power in enumerate((1_125_000, -2_250_000, 4_500_000)):
            self.chip.set_phase(phase, 230_000, abs(power) // 230, power)
        self.chip.feed(10_000)
        self.house.pass_ms(10_000)
        self.ticks(100)
        register = self.meter.register
        self.assertEqual(register.import_wh * 320 + register.import_rest, 5_000)
        self.assertEqual(register.export_wh * 320 + register.export_rest, 2_000)

    def test_ticks_across_the_wrap_of_the_clock(self):
        self.house.clock = VirtualClock(0, (1 << 30) - 3)
        self.meter._clock = self.house.clock
        self.meter._last_good = self.house.clock.ticks_ms()
        for _ in range(6):
            self.house.clock.advance(1)
            self.ticks(1)
        self.assertEqual(self.meter.last_tick, 3)
        self.assertEqual(self.meter.late_gap_ms, -1)

    def test_a_tick_that_allocates_would_be_seen(self):
        class Greedy:
            def tick(self):
                return [0] * 10

        self.house.agent = Greedy()
        try:
            import micropython  # noqa: F401
        except ImportError:
            self.assertEqual(self.ticks(1), 1)
            return
        with self.assertRaises(MemoryError):
            self.ticks(1)


if __name__ == "__main__":
    unittest.main()
