"""Intervals on a whole meter: closed on the clock's boundaries and at its steps, never lost."""

import unittest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN
from wattledger.tests.both.fixtures_agent import WH
from wattledger.tests.both.fixtures_agent import House as Scripted
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_tariffs import YEAR_2027_CST, data, local_2027

HEAP = "512K"

OK, ESTIMATED = 0, 1


def rows(house):
    """(start, end, import Wh of the interval, trust, tariff n) of each stored interval."""
    found = []
    before = 0
    for entry, interval in house.intervals():
        start = entry.time - interval.duration_s
        found.append(
            (start, entry.time, interval.import_wh - before, entry.trust, interval.tariff_n)
        )
        before = interval.import_wh
    return found


class TestBoundaries(unittest.TestCase):
    def test_close_at_every_quarter(self):
        start = local_2027(6, 2, 12) - 30
        house = House(start, tick_ms=10000)
        house.boot(data())
        house.run(3 + 180)  # to the second quarter after noon
        found = rows(house)
        self.assertEqual(
            found,
            [
                (start, start + 30, 30, TRUST_SYNCED, 0),  # no set in force before a quarter
                (start + 30, start + 930, 900, TRUST_SYNCED, 1),
                (start + 930, start + 1830, 900, TRUST_SYNCED, 1),
            ],
        )
        # A peak price of 777777 for each Wh; the first 30 Wh were free.
        self.assertEqual(house.agent.journal.balance, 50000000000 - 1800 * 777777)

    def test_shorter_profile(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000, profile_s=300)
        house.boot(data())
        house.run(91)
        self.assertEqual(
            [(begin - start, wh) for begin, _, wh, _, _ in rows(house)],
            [(0, 300), (300, 300), (600, 300)],
        )

    def test_export_part(self):
        start = local_2027(6, 2, 12)
        house = House(start, watts=-3600, tick_ms=10000)
        house.boot(data())
        house.run(90)
        entry, interval = house.intervals()[-1]
        self.assertEqual((interval.import_wh, interval.export_wh), (0, 900))
        self.assertEqual(entry.amount, 900 * 123457)

    def test_a_gap_is_one_estimated_interval(self):
        start = local_2027(6, 2, 7, 30)
        house = House(start, watts=360, tick_ms=10000)
        house.boot(data())
        house.run(90)
        # The loop hangs for an hour; the chip goes on counting: 360 Wh.
        house._wait(3600000)
        house.run(1)
        found = house.intervals()
        self.assertEqual(len(found), 2)
        entry, interval = found[1]
        self.assertEqual(entry.time, start + 900 + 3600)
        self.assertEqual(interval.quality, ESTIMATED)
        self.assertEqual(interval.duration_s, 3600)
        self.assertEqual([part.band for part in interval.parts], [0])  # that of its start


class TestClock(unittest.TestCase):
    def steps(self, house):
        return [
            readers.unpack_clock(entry.payload) + (entry.time,)
            for entry in house.entries(records.CLOCK)
        ]

    def test_energy_before_the_first_sync_has_the_restored_time(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000)
        house.online = False
        house.boot(data())
        self.assertEqual(house.clock.trust(), TRUST_RESTORED)
        house.run(6)
        house.clock.online = True
        house.run(84)
        found = rows(house)
        self.assertEqual(found[0], (start, start + 70, 70, TRUST_RESTORED, 0))
        # Synced in the seventh tick, closed at the quarter.
        self.assertEqual(sum([row[2] for row in found]), 900)
        self.assertEqual([row[3] for row in found[1:]], [TRUST_SYNCED])

    def test_fallback_band_is_billed_until_the_clock_is_synced(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000)
        house.boot(data(fallback=0))
        house.run(90)
        house.cut()
        house.online = False
        house.boot()
        house.run(90)
        parts = house.intervals()[-1][1].parts
        self.assertEqual([(part.band, part.price) for part in parts], [(0x20, 333333)])

    def test_step_forward_closes_and_is_written_down(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000)
        house.boot(data())
        house.run(30)
        house.clock.set(start + 200, TRUST_SYNCED)  # the clock is 100 s behind now
        house.clock._next_fix_ms = 0
        house.run(1)
        # 300 s of the interval were clocked as 200 before the step: the next tick found 310.
        self.assertEqual(
            self.steps(house), [(start + 210, start + 310, TRUST_SYNCED, start + 310)]
        )
        house.run(60)
        found = rows(house)
        self.assertEqual(found[0][:3], (start, start + 210, 310))
        self.assertEqual(found[1][:3], (start + 310, start + 900, 590))

    def test_step_of_ten_seconds_is_not_written_down(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=1000)
        house.boot(data())
        house.run(20)
        house.clock.set(start + 10, TRUST_SYNCED)
        house.clock._next_fix_ms = 0
        house.run(11)
        self.assertEqual(self.steps(house), [])
        self.assertEqual(house.clock.unix_s(), start + 31)

    def test_step_back_loses_no_energy_and_charges_none_twice(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000)
        house.boot(data())
        house.run(95)  # 50 s into the second quarter
        house.clock.set(start + 950 + 300, TRUST_SYNCED)  # 300 s ahead
        house.run(5)
        house.clock._next_fix_ms = 0
        house.run(170)  # 2700 s of true time have passed
        house.agent.stop()
        self.assertEqual(house.clock.unix_s(), start + 2700)
        found = rows(house)
        self.assertEqual(sum([row[2] for row in found]), 2700)
        self.assertEqual(house.sum(), 50000000000 - 2700 * 777777)

    def test_a_step_in_the_first_second_of_an_interval_loses_none_of_it(self):
        house = Scripted(credit=10)
        house.coast(900)  # to the boundary: the next interval has just been opened
        self.assertEqual(house.agent.account.start, house.clock.unix_s())
        house.pass_ms(900)
        house.chip.feed(3 * WH)
        house.agent.tick()
        house.clock._true_ms += 20000  # the clock is 20 s behind, and is told so
        house.clock._ahead_ms -= 20000
        house.clock._next_fix_ms = 0
        house.agent.step()
        self.assertEqual(house.agent.account.start, house.clock.unix_s())
        house.run(5)
        house.agent.stop()
        self.assertEqual(house.agent.journal.balance, 7 * 10**9)

    def test_offers_too_far_are_refused_and_counted(self):
        start = local_2027(6, 2, 12)
        house = House(start, tick_ms=10000)
        house.boot(data())
        house.run(3)
        house.clock.set(start + 30 + 601, TRUST_SYNCED)
        house.clock._next_fix_ms = 0
        house.run(1)
        self.assertEqual(house.agent.time.refused, 1)
        self.assertEqual(house.clock.unix_s(), start + 641)

    def test_a_meter_that_never_knew_the_time(self):
        house = House(YEAR_2027_CST, credit=None, tick_ms=10000)
        house.online = False
        house.boot()
        self.assertEqual(house.clock.trust(), TRUST_UNKNOWN)
        house.run(10)
        self.assertEqual(house.agent.meter.register.import_wh, 100)
