"""The billing cycle: demand, minimum, freezes and the registers of the bands, by hand."""

import unittest

from wattledger.agent.billing.account import Account
from wattledger.agent.billing.recall import begin_at, replay
from wattledger.agent.billing.summary import sum_up
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.tests.both.houses_account import open_account, stored
from wattledger.tests.both.houses_tariffs import local_2027, tariff

HEAP = "384K"
QUARTER = 900
VALLEY, PEAK = 0, 1


class Meter:
    """An account in steady use: run() posts quarters of so many Wh each, as the agent does."""

    def __init__(self, start, **changes):
        self.storage, self.journal, self.account = open_account(10**13, 0, start)
        self.account.pending = tariff(start=start, **changes)
        self.at = start
        self.imported = self.exported = 0
        self._open(TRUST_SYNCED)

    def _open(self, trust):
        account = self.account
        if trust == TRUST_SYNCED:
            account.switch(self.at, trust)
        account.charge_standing(self.at, trust)
        account.begin(self.at, self.imported, self.exported, trust)

    def run(self, import_wh, export_wh=0, seconds=QUARTER, trust=TRUST_SYNCED):
        self.imported += import_wh
        self.exported += export_wh
        self.at += seconds
        self.account.close(self.at, self.imported, self.exported)
        self._open(trust)

    def jump(self, at, trust=TRUST_SYNCED):
        """Off, or the clock set: the next interval opens at `at`."""
        self.at = at
        self._open(trust)

    def entries(self, kind=None):
        self.journal.flush()
        return [entry for entry in stored(self.storage) if kind in (None, entry.kind)]

    def demands(self):
        """(seconds into the day at which it was posted, W, W before, nano)."""
        found = []
        for entry in self.entries(records.DEMAND):
            _, watts, before, _, _ = cycle_payload.unpack_demand(entry.payload)
            found.append(((entry.time + 28800) % 86400, watts, before, entry.amount))
        return found

    def freezes(self):
        return [
            cycle_payload.unpack_freeze(entry.payload) for entry in self.entries(records.FREEZE)
        ]


def dated(minutes=15, price=1000000, **changes):
    return dict(demand={"minutes": minutes, "price": price}, **changes)


class TestDemand(unittest.TestCase):
    def test_what_is_above_the_maximum_posts_at_once(self):
        meter = Meter(local_2027(6, 2, 12), **dated(price=2500000))
        for wh in (100, 90, 250, 250, 251):
            meter.run(wh)
        # 15 minutes: 4 W a Wh. 2.5 a kW is 2 500 000 nano a W.
        noon = 43200
        self.assertEqual(
            meter.demands(),
            [
                (noon + 900, 400, 0, -400 * 2500000),
                (noon + 2700, 1000, 400, -600 * 2500000),
                (noon + 4500, 1004, 1000, -4 * 2500000),
            ],
        )
        self.assertEqual(
            cycle_payload.unpack_demand(meter.entries(records.DEMAND)[0].payload)[0], 20270601
        )

    def test_windows_of_half_an_hour_and_an_hour(self):
        for minutes, found in ((30, [(1800, 600), (3600, 800)]), (60, [(3600, 700)])):
            meter = Meter(local_2027(6, 2), **dated(minutes))
            for wh in (100, 200, 150, 250):
                meter.run(wh)
            self.assertEqual([(at, watts) for at, watts, _, _ in meter.demands()], found)

    def test_the_first_window_counts_from_a_boundary_only(self):
        meter = Meter(local_2027(6, 2, 12, 15), **dated(30))
        for wh in (900, 10, 20):
            meter.run(wh)
        # 12:15 to 12:30 is no whole window; 12:30 to 13:00 has 30 Wh.
        self.assertEqual(meter.demands(), [(46800, 60, 0, -60000000)])

    def test_slices_of_a_window_are_one(self):
        meter = Meter(local_2027(6, 2, 12), **dated())
        for seconds, wh in ((60, 10), (840, 90), (300, 50), (600, 51)):
            meter.run(wh, seconds=seconds)
        self.assertEqual([row[1] for row in meter.demands()], [400, 404])

    def test_a_window_that_is_not_synced_throughout_does_not_count(self):
        meter = Meter(local_2027(6, 2, 12), **dated(30))
        meter.run(500, trust=TRUST_RESTORED)
        meter.run(500)
        self.assertEqual(meter.demands(), [])
        meter.run(1)
        meter.run(1)
        self.assertEqual([row[1] for row in meter.demands()], [4])

    def test_a_window_that_is_not_measured_throughout_does_not_count(self):
        start = local_2027(6, 2, 12)
        for off_s, found in ((10, [2000]), (11, []), (-11, [])):
            meter = Meter(start, **dated(30))
            meter.run(500, seconds=600)
            meter.jump(start + 600 + off_s)
            meter.run(500, seconds=1200 - off_s)
            self.assertEqual([row[1] for row in meter.demands()], found, off_s)

    def test_a_gap_over_a_window_s_end_does_not_count(self):
        meter = Meter(local_2027(6, 2, 12), **dated())
        meter.run(5000, seconds=2700)
        self.assertEqual(meter.demands(), [])
        meter.run(10)
        self.assertEqual([row[1] for row in meter.demands()], [40])

    def test_off_from_one_window_into_the_next(self):
        start = local_2027(6, 2, 12)
        meter = Meter(start, **dated())
        meter.run(300, seconds=895)
        meter.jump(start + 905)
        meter.run(300, seconds=895)
        self.assertEqual(meter.demands(), [])

    def test_the_maximum_begins_anew_with_the_cycle(self):
        meter = Meter(local_2027(6, 30, 23, 30), **dated())
        for wh in (100, 90, 50):
            meter.run(wh)
        self.assertEqual([row[1:3] for row in meter.demands()], [(400, 0), (200, 0)])
        self.assertEqual([freeze.demand_w for freeze in meter.freezes()], [400])

    def test_another_price_from_the_next_set_on(self):
        start = local_2027(6, 2, 12)
        meter = Meter(start, **dated(price=1000000))
        meter.account.pending = tariff(n=2, start=start + 900, **dated(30, 3000000))
        for wh in (100, 100, 100, 200):
            meter.run(wh)
        # 400 W at n 1; 13:30's half hour opens at 12:30: 300 Wh, 600 W, 200 more at n 2.
        self.assertEqual([row[3] for row in meter.demands()], [-400000000, -600000000])


class TestMinimum(unittest.TestCase):
    def lines(self, meter):
        return [
            cycle_payload.unpack_minimum(entry.payload)[:4] + (entry.amount,)
            for entry in meter.entries(records.MINIMUM)
        ]

    def month(self, wh, **changes):
        """Two quarters of `wh` in a whole June, then July."""
        meter = Meter(local_2027(6, 1), **changes)
        meter.run(wh)
        meter.run(wh)
        meter.jump(local_2027(7, 1))
        return meter

    def test_what_the_cycle_lacks_of_it_is_charged_at_its_end(self):
        meter = self.month(30, minimum=50000000, standing_day=100000)
        # Valley at 333333: 60 Wh are 19 999 980 nano; 30 days of standing 3 000 000 000.
        lack = 50000000000 - 19999980 - 3000000000
        self.assertEqual(self.lines(meter), [(20270601, 50000000, 19999980, 3000000000, -lack)])
        kinds = [entry.kind for entry in meter.entries()[-3:]]
        self.assertEqual(kinds, [records.MINIMUM, records.FREEZE, records.STANDING])
        # The standing charge of the 1st of July is of the next cycle.
        self.assertEqual(meter.account.cycle.standing, 100000000)

    def test_nothing_where_it_was_reached(self):
        # 1500 Wh twice: 3000 x 333333 = 999 999 000 nano.
        self.assertEqual(self.lines(self.month(1500, minimum=999999)), [])
        self.assertEqual(self.lines(self.month(1500, minimum=1000000))[0][4], -1000)

    def test_export_does_not_count(self):
        meter = Meter(local_2027(6, 1), minimum=1000)
        meter.run(3, 100000)
        meter.jump(local_2027(7, 1))
        self.assertEqual(self.lines(meter)[0], (20270601, 1000, 999999, 0, -1))

    def test_not_for_a_cycle_that_began_without_a_tariff(self):
        meter = Meter(local_2027(6, 1, 0, 15), minimum=1000000)
        meter.jump(local_2027(7, 1))
        self.assertEqual(self.lines(meter), [])
        meter.jump(local_2027(8, 1))
        self.assertEqual([line[0] for line in self.lines(meter)], [20270701])

    def test_by_the_set_that_ends_with_the_cycle(self):
        meter = Meter(local_2027(6, 1), minimum=1000000)
        meter.account.pending = tariff(n=2, start=local_2027(7, 1), minimum=7000000)
        meter.jump(local_2027(7, 1))
        meter.jump(local_2027(8, 1))
        self.assertEqual([line[4] for line in self.lines(meter)], [-1000000000, -7000000000])
        self.assertEqual(
            [
                cycle_payload.unpack_minimum(entry.payload)[4]
                for entry in meter.entries(records.MINIMUM)
            ],
            [1, 2],
        )

    def test_not_for_a_cycle_that_another_set_cuts_short(self):
        meter = Meter(local_2027(6, 1), minimum=1000000)
        meter.account.pending = tariff(
            n=2, start=local_2027(6, 20), cycle_start=15, minimum=1000000
        )
        meter.jump(local_2027(6, 20))
        self.assertEqual([freeze.cycle for freeze in meter.freezes()], [20270601])
        meter.jump(local_2027(7, 15))
        self.assertEqual(self.lines(meter), [])  # from the 20th on only
        meter.jump(local_2027(8, 15))
        self.assertEqual([line[0] for line in self.lines(meter)], [20270715])

    def test_a_boot_knows_of_a_cycle_that_another_set_cut_short(self):
        for switched in (local_2027(6, 12), local_2027(7, 1)):
            meter = Meter(local_2027(6, 1), minimum=60000)
            self.assertTrue(meter.account.cycle.whole)
            checkpoint = checkpoints.Checkpoint()
            sum_up(meter.account, checkpoint)
            checkpoint = checkpoints.unpack(checkpoint.pack())
            known = meter.journal.sequence
            year = tariff(start=switched, n=2, minimum=60000, cycle="year", cycle_start="0101")
            meter.account.pending = year
            meter.jump(switched)
            meter.run(10)
            self.assertFalse(meter.account.cycle.whole)
            again = Account(meter.journal)
            again.adopt(year)
            begin_at(again, checkpoint)
            for entry in meter.entries():
                if entry.sequence > known:
                    replay(again, entry)
            found = (again.cycle.day, again.cycle.whole)
            self.assertEqual(found, (meter.account.cycle.day, False))

    def test_each_cycle_missed_within_31_days(self):
        meter = Meter(local_2027(1, 31, 12), minimum=1000)
        meter.jump(local_2027(3, 1, 5))
        self.assertEqual([line[0] for line in self.lines(meter)], [20270201])
        self.assertEqual([freeze.cycle for freeze in meter.freezes()], [20270101, 20270201])


class TestFreeze(unittest.TestCase):
    def meter(self):
        """31 May 21:30 to 22:15, the valley's first quarter, then a quarter of June."""
        meter = Meter(local_2027(5, 31, 21, 30), blocks=[1], standing_day=5)
        meter.run(700)  # peak, block 0
        meter.run(800)  # peak: 300 in block 0, 500 in block 1
        meter.run(60, 40)  # valley, block 1
        meter.jump(local_2027(6, 1))
        meter.run(11)
        return meter

    def test_what_a_cycle_came_to(self):
        meter = self.meter()
        (freeze,) = meter.freezes()
        self.assertEqual(
            (freeze.flags, freeze.cycle, freeze.cycle_day, freeze.block_day),
            (7, 20270501, 10013, 10013),  # 2027-06-01: 9862 + 151
        )
        self.assertEqual((freeze.import_wh, freeze.export_wh, freeze.used_wh), (1560, 40, 1560))
        self.assertEqual(freeze.bands, [60, 1500])
        self.assertEqual(freeze.cells[:2] + freeze.cells[6:8], [0, 60, 1000, 500])
        self.assertEqual(freeze.energy, 1000 * 777777 + 500 * 999999 + 60 * 555555)
        self.assertEqual(freeze.standing, 0)
        # The balance is that of the record; the next day's standing comes after it.
        (entry,) = meter.entries(records.FREEZE)
        self.assertEqual(entry.balance, 10**13 - freeze.energy + 40 * 123457)
        self.assertEqual(meter.account.cycle.bands, [71, 1500])
        self.assertEqual(meter.account.cycle.cells, [11] + [0] * 11)
        self.assertEqual(meter.account.used_wh, 11)

    def test_replayed_and_summed_up_it_is_the_same(self):
        meter = self.meter()
        again = Account(meter.journal)
        again.adopt(meter.account.tariff)
        for entry in meter.entries():
            replay(again, entry)
        summed = checkpoints.Checkpoint()
        sum_up(meter.account, summed)
        third = Account(meter.journal)
        third.adopt(meter.account.tariff)
        begin_at(third, checkpoints.unpack(summed.pack()))
        for account in (again, third):
            for name in ("used_wh", "block_day", "standing_day", "day", "day_wh", "day_nano"):
                self.assertEqual(getattr(account, name), getattr(meter.account, name), name)
            for name in ("day", "whole", "energy", "standing", "demand_w", "bands", "cells"):
                self.assertEqual(
                    getattr(account.cycle, name), getattr(meter.account.cycle, name), name
                )

    def test_a_replay_needs_no_document(self):
        meter = self.meter()
        again = Account(meter.journal)
        for entry in meter.entries():
            replay(again, entry)
        self.assertEqual((again.used_wh, again.block_day, again.cycle.day), (11, 10013, 10013))
        self.assertEqual(again.cycle.energy, 11 * 333333)

    def test_a_season_may_start_the_blocks_anew_within_a_cycle(self):
        meter = Meter(
            local_2027(5, 14),
            blocks=[1],
            cycle="year",
            cycle_start="0101",
            seasons=[["0101", "all", "all"], ["0515", "all", "all", {"blocks_reset": True}]],
        )
        meter.run(1200)
        meter.jump(local_2027(5, 15))
        meter.run(300)
        (freeze,) = meter.freezes()
        self.assertEqual((freeze.flags & 5, freeze.cycle, freeze.used_wh), (4, 20270101, 1200))
        self.assertEqual((meter.account.used_wh, meter.account.block_day), (300, 9862 + 134))
        self.assertEqual(meter.account.cycle.day, 9862)
        self.assertEqual(meter.account.cycle.cells[:2], [1300, 200])  # 200 were above 1 kWh

    def test_no_freeze_without_a_cycle(self):
        meter = Meter(local_2027(12, 31, 23), cycle="none", cycle_start=None)
        meter.jump(local_2027(12, 31, 23) + 86400)
        self.assertEqual(meter.freezes(), [])
        self.assertEqual(meter.account.cycle.key(), 0)

    def test_a_set_with_cycles_after_one_without_begins_the_blocks_anew(self):
        meter = Meter(local_2027(5, 14), blocks=[1], cycle="none", cycle_start=None)
        meter.run(1200)
        meter.account.pending = tariff(start=local_2027(5, 15), n=2, blocks=[1])
        meter.jump(local_2027(5, 15))
        meter.run(300)
        (freeze,) = meter.freezes()
        self.assertEqual((freeze.flags, freeze.cycle, freeze.used_wh), (4, 0, 1200))
        # May began on the day 9862 + 120; not all of it was under a set that counts it.
        account = meter.account
        self.assertEqual((account.used_wh, account.block_day), (300, 9862 + 120))
        self.assertEqual((account.cycle.day, account.cycle.whole), (9862 + 120, False))
        again = Account(meter.journal)
        for entry in meter.entries():
            replay(again, entry)
        self.assertEqual((again.used_wh, again.block_day), (300, 9862 + 120))

    def test_a_clock_set_back_freezes_nothing_twice(self):
        meter = Meter(local_2027(6, 30, 23, 45))
        meter.run(10)
        meter.jump(local_2027(6, 30, 23, 55))
        meter.run(10, seconds=300)
        self.assertEqual(len(meter.freezes()), 1)
        self.assertEqual(meter.account.used_wh, 10)


class TestNet(unittest.TestCase):
    def parts(self, *moved):
        meter = Meter(local_2027(6, 2, 12), net=True, blocks=[1])
        for import_wh, export_wh in moved:
            meter.run(import_wh, export_wh)
        found = []
        for entry in meter.entries(records.INTERVAL):
            interval = readers.unpack_interval(entry.payload)
            found.append([(part.band, part.block, part.wh, part.price) for part in interval.parts])
        return found, meter

    def test_import_less_export_is_rated_once(self):
        found, meter = self.parts((900, 100), (500, 200), (100, 350))
        net = PEAK | 0x10
        self.assertEqual(
            found,
            [
                [(net, 0, 800, 777777)],
                [(net, 0, 200, 777777), (net, 1, 100, 999999)],
                [(net, 1, 0, 999999), (net | 0x80, 255, 250, 123457)],
            ],
        )
        self.assertEqual(meter.account.used_wh, 1100)
        # The registers stay gross, those of the bands too.
        self.assertEqual(meter.account.cycle.bands, [0, 1500])
        self.assertEqual(
            meter.journal.balance,
            10**13 - 1000 * 777777 - 100 * 999999 + 250 * 123457,
        )

    def test_where_nothing_is_left_the_entry_says_that_it_was_netted(self):
        found, meter = self.parts((70, 70), (0, 0))
        self.assertEqual(found, [[(PEAK | 0x10, 0, 0, 777777)], []])
        self.assertEqual(meter.account.cycle.bands, [0, 70])

    def test_replayed_it_is_the_same(self):
        _, meter = self.parts((900, 100), (70, 70), (100, 350))
        again = Account(meter.journal)
        for entry in meter.entries():
            replay(again, entry)
        self.assertEqual((again.used_wh, again.cycle.bands), (800, [0, 1070]))


class TestLongGap(unittest.TestCase):
    def test_an_interval_longer_than_its_field_begins_where_the_last_ended(self):
        meter = Meter(local_2027(6, 2, 12))
        meter.run(10)
        meter.run(500, seconds=20 * 3600)
        again = Account(meter.journal)
        again.adopt(meter.account.tariff)
        for entry in meter.entries():
            replay(again, entry)
        # Its energy belongs to the 2nd of June, when it began.
        self.assertEqual((again.day, again.day_wh), (10014, 510))


if __name__ == "__main__":
    unittest.main()
