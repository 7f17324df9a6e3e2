"""A meter on a serial chip: what comes a tick late is given the time it took."""

import unittest

from wattledger.agent.metering.meter import Meter
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import fixtures_uart as uart


class Config:
    max_amps = 16
    max_volts = 276
    tick_ms = 1_000
    phase_sum = "vector"
    bill_on = "phase"


class House:
    """A serial chip, its driver and a meter, at 4 kW (Imax x Vmax is 4 416 W)."""

    def __init__(self, made):
        self.chip, self.driver = made
        self.clock = VirtualClock(0)
        self.meter = Meter(self.driver, self.clock, Config)
        self.meter.begin()
        self.chip.set_phase(0, 250_000, 16_000, 4_000_000)
        for _ in range(3):
            self.tick()

    def tick(self, ms=1_000):
        self.clock.advance(ms)
        self.chip.feed(ms)
        self.meter.tick()

    def counts(self):
        """Carried so far, in counts of the driver."""
        register = self.meter.register
        numerator = self.driver.energy_numerator
        return (register.import_wh * register.denominator + register.import_rest) // numerator


class TestLateTicks(unittest.TestCase):
    def test_a_tick_half_a_minute_late_loses_no_energy(self):
        # 30 s at 4 kW arrive with the reading after the late one, a second later.
        for made in (uart.bl0942(), uart.pzem004t(), uart.cse7766()):
            house = House(made)
            house.tick(30_000)
            for _ in range(4):
                house.tick()
            self.assertEqual(house.meter.rejected, 0)
            made = house.chip.total_counts(0)
            # What a second makes may be under way, and a frame's part of one.
            second = 4_000 * house.driver.energy_denominator
            second = second // (3_600 * house.driver.energy_numerator) + 1
            self.assertTrue(made - second <= house.counts() <= made)

    def test_a_lost_answer_before_a_look_at_the_set_up_loses_none_either(self):
        for lost in range(70):
            house = House(uart.bl0942())
            for turn in range(75):
                if turn in (lost, lost + 1):
                    house.chip.line.truncate_next(0)
                house.tick()
            self.assertEqual(house.meter.rejected, 0)
            self.assertTrue(house.chip.total_counts(0) - house.counts() <= 12)

    def test_a_restart_that_looks_like_energy_is_refused(self):
        # CF with its toggle at 0x1C000 and three seconds of 747.5 counts, then 0: as if some
        # 14 000 counts had passed to 0x20000.
        house = House(uart.cse7766())
        house.chip.poke(3, 0x1C000)
        for _ in range(3):
            house.tick()
        before = house.counts()
        refused = house.meter.rejected
        house.chip.brown_out()
        for _ in range(5):
            house.tick()
        self.assertTrue(house.meter.rejected - refused > 13_000)
        # Five seconds of 4 kW are 3 738 counts.
        self.assertTrue(house.counts() - before <= 3_738)


if __name__ == "__main__":
    unittest.main()
