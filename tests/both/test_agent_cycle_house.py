"""Cycles and the calendar on a whole meter: cuts, clocks, and each interval billed once."""

import unittest

from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "768K"
OPENING = 900000000000
VALLEY = 333333
NOON = local_2027(6, 2, 12)
QUARTER = 900
DAY = 86400
EUROPE = "CET-1CEST,M3.5.0,M10.5.0/3"


class TestDemand(unittest.TestCase):
    def demands(self, off_s, clock_set):
        """W of each posted maximum around a restart in the middle of 12:00 to 12:15."""
        house = House(NOON - QUARTER, credit=900000000, tick_ms=10000)
        house.boot(data(demand={"minutes": 15, "price": 1000}), clock_set)
        house.run(90 + 45)
        house.agent.stop()
        house.cut(off_s)
        house.boot(None, clock_set)
        house.load(4000)
        house.run((QUARTER // 2 - off_s) // 10 + 1)
        house.agent.stop()
        return [cycle_payload.unpack_demand(e.payload)[1] for e in house.entries(records.DEMAND)]

    def test_a_window_survives_a_restart_that_a_battery_clock_bridges(self):
        # The first window had 900 Wh. The second 450 Wh, a restart and some 490 more.
        before, after = self.demands(0, True)
        self.assertEqual(before, 3600)
        self.assertTrue(3600 < after < 4000, after)

    def test_not_one_of_minutes_nor_one_without_a_clock(self):
        self.assertEqual(self.demands(60, True), [3600])
        self.assertEqual(self.demands(0, False), [3600])


class TestCycleEnd(unittest.TestCase):
    """Midnight of the 1st of June, with the power cut at every storage operation around it."""

    MINIMUM = 5000000
    END = local_2027(6, 1)

    def new_house(self):
        """May was whole: half an hour of it was used, then the meter was off to 23:44:50."""
        storage = BreakingStorage()
        start = local_2027(5, 1)
        house = House(start, 900000000, storage, tick_ms=10000, snapshot_s=900, snapshot_wh=1000)
        document = data(minimum=self.MINIMUM, standing_day=1000, start=start)
        house.boot(document, True)
        house.run(180)
        house.agent.stop()
        house.cut(self.END - 910 - start - 1800)
        storage.operations = 0
        return house

    def play(self, house):
        house.boot(None, True)
        while house.clock.true_ms() < (self.END + 960) * 1000:
            house.run(1)
        house.agent.stop()

    def check(self, house, label):
        house.storage.cut_at = 0
        house.run(2)
        house.agent.stop()
        (entry,) = house.entries(records.FREEZE)
        freeze = cycle_payload.unpack_freeze(entry.payload)
        # Cut between the two, the minimum's own record says that the cycle was whole (8).
        self.assertEqual((freeze.flags | 8, freeze.cycle), (15, 20270501), label)
        self.assertEqual(freeze.minimum, self.MINIMUM, label)
        charged = freeze.import_wh * VALLEY
        self.assertEqual((freeze.energy, freeze.cells[0]), (charged, freeze.import_wh), label)
        self.assertEqual(freeze.standing, 31 * 1000000, label)
        (minimum,) = house.entries(records.MINIMUM)
        lack = self.MINIMUM * 1000 - charged - 31 * 1000000
        self.assertEqual(minimum.amount, -lack, label)
        keys = house.standing_keys()
        self.assertEqual((len(keys), keys[0], keys[-1]), (32, 20270501, 20270601), label)
        account = house.agent.account
        register = account.start_import
        self.assertEqual(account.cycle.bands[0], register, label)
        self.assertEqual(account.used_wh, register - freeze.import_wh, label)
        self.assertEqual(account.cycle.cells[0], account.used_wh, label)
        wanted = OPENING - register * VALLEY - 32 * 1000000 - lack
        self.assertEqual(house.sum(), wanted, label)
        self.assertEqual(house.agent.journal.balance, wanted, label)

    def test_minimum_and_freeze_once(self):
        house = self.new_house()
        self.play(house)
        operations = house.storage.operations
        self.assertGreater(operations, 5)
        self.check(house, "whole")
        for late in (False, True):
            for operation in range(1, operations + 1):
                house = self.new_house()
                house.storage.late = late
                house.storage.cut_at = operation
                try:
                    self.play(house)
                except PowerCut:
                    house.cut()
                    self.play(house)
                self.check(house, (late, operation))

    def test_a_minimum_whose_freeze_was_torn_away_is_not_charged_again(self):
        house = self.new_house()
        self.play(house)
        house.agent = None
        (entry,) = house.entries(records.FREEZE)
        name = sorted(name for name in house.storage.files if name.startswith("j"))[-1]
        data = house.storage.files[name]
        kept = bytes(data).index(entry.payload) - records.HEAD_LENGTH
        house.storage.files[name] = data[:kept]
        for name in ("slot.a", "slot.b"):
            house.storage.remove(name)
        house.clock.advance(60000)
        self.play(house)
        self.assertEqual(len(house.entries(records.MINIMUM)), 1)
        self.assertEqual(len(house.entries(records.FREEZE)), 1)
        self.assertEqual(house.sum(), house.agent.journal.balance)


class TestCalendar(unittest.TestCase):
    """Fault row T2: whatever the calendar does, each interval is billed once."""

    def around(self, moment, tz, keys, hours=3, step_s=0, **changes):
        """Run `hours` before and after `moment`; `keys`: the standing charges due within.

        `step_s`: the clock is found wrong by so much at the moment (a leap second: 1).
        """
        start = moment - hours * 3600
        house = House(start, credit=900000000, tick_ms=10000)
        house.boot(data(start=start, tz=tz, standing_day=1000, **changes))
        house.run(hours * 360)
        if step_s:
            house.clock.set(house.clock.unix_s() + step_s, TRUST_SYNCED)
            house.clock._next_fix_ms = 0
        house.run(hours * 360)
        house.agent.stop()
        self.assertEqual(house.standing_keys(), keys)
        ended = None
        imported = 0
        for entry, interval in house.intervals():
            began = entry.time - interval.duration_s
            if ended is not None and not step_s:
                self.assertEqual(began, ended)  # no gap, and nothing twice
            ended = entry.time
            wh = sum([part.wh for part in interval.parts])
            self.assertEqual(wh, interval.import_wh - imported)
            imported = interval.import_wh
            if entry.time % QUARTER == 0 and interval.duration_s == QUARTER:
                # 1 Wh a second; a clock that is a second off finds the boundary a tick later.
                self.assertTrue(QUARTER <= wh <= QUARTER + 10 * abs(step_s), wh)
        amounts = sum([entry.amount for entry, _ in house.intervals()])
        self.assertEqual(house.sum(), OPENING + amounts - len(keys) * 1000000)
        return house

    def bands(self, house):
        """[local quarter, band] of each whole quarter, as its record says."""
        zone = house.agent.account.tariff.zone
        found = []
        for entry, interval in house.intervals():
            start = entry.time - interval.duration_s
            if interval.duration_s == QUARTER and interval.parts:
                found.append((zone.local(start)[1] // QUARTER, interval.parts[0].band))
        return found

    def test_spring_leaves_an_hour_out(self):
        # 2027-03-28 01:00 UTC: 02:00 becomes 03:00 in Europe.
        house = self.around(1806195600, EUROPE, [20270328])
        quarters = [quarter for quarter, _ in self.bands(house)]
        self.assertEqual(quarters, list(range(92, 96)) + list(range(8)) + list(range(12, 24)))

    def test_autumn_repeats_an_hour_and_its_bands(self):
        # 2027-10-31 01:00 UTC: 03:00 becomes 02:00; the hour from 02:00 is dear.
        house = self.around(
            1824944400, EUROPE, [20271031], days={"all": [[0, 0], [120, 1], [180, 0]]}
        )
        found = self.bands(house)
        self.assertEqual(len(found), 24)
        self.assertEqual([quarter for quarter, band in found if band], [8, 9, 10, 11] * 2)

    def test_midnight_repeated_is_one_date(self):
        # At 24:00 the clocks of this zone go back an hour: 2027-10-31 has 25 hours.
        tz = "XST3XDT,M4.1.0/0,M11.1.1/0"
        moment = 1824951600 + DAY  # 2027-11-01 03:00 UTC, an hour after the first 24:00
        self.around(moment, tz, [20271101])

    def test_midnight_left_out_is_still_a_date(self):
        # 2027-04-04 00:00 becomes 01:00 in this zone, 03:00 UTC.
        self.around(1806807600, "XST3XDT,M4.1.0/0,M11.1.1/0", [20270404])

    def test_leap_day(self):
        self.around(local_2027(12, 31) + 60 * DAY, "CST-8", [20280229])
        self.around(local_2027(12, 31) + 61 * DAY, "CST-8", [20280301])

    def test_leap_second(self):
        for step_s in (1, -1):
            self.around(local_2027(7, 1), "CST-8", [20270701], step_s=step_s)

    def test_the_end_of_a_month_and_of_a_year(self):
        for moment, key, cycle in (
            (local_2027(5, 1), 20270501, 20270401),
            (local_2027(12, 31) + DAY, 20280101, 20271201),
        ):
            house = self.around(moment, "CST-8", [key])
            (entry,) = house.entries(records.FREEZE)
            self.assertEqual(entry.time, moment)
            freeze = cycle_payload.unpack_freeze(entry.payload)
            self.assertEqual((freeze.cycle, freeze.used_wh), (cycle, 3 * 3600))
            self.assertEqual(house.agent.account.used_wh, 3 * 3600)

    def test_2038_and_2106(self):
        # Local midnight and, half a day later, 2**31; and half a day before it 2**32.
        for moment, key in ((2147443200, 20380119), (4295001600, 21060208)):
            self.around(moment, "CST-8", [key], hours=12)


if __name__ == "__main__":
    unittest.main()
