"""A tariff asked about a time: band, next change, friendly period, cycle, block."""

import unittest

from wattledger.tests.both.houses_tariffs import DAY, YEAR_2027_CST, credit, local_2027, tariff

# 2027-01-04 is a Monday; 2027-01-01 a Friday.
MONDAY = local_2027(1, 4)
HOUR = 3600
MINUTE = 60


def at(weekday, hour, minute=0):
    """A local time of the first whole week of 2027; weekday 1 = Monday .. 7 = Sunday."""
    return MONDAY + (weekday - 1) * DAY + hour * HOUR + minute * MINUTE


class TestBands(unittest.TestCase):
    def setUp(self):
        self.tariff = tariff(
            bands=["valley", "flat", "peak"],
            price=[[1, 2, 3], [1, 2, 3]],
            days={
                "work": [[0, 0], [480, 1], [660, 2], [1320, 0]],
                "rest": [[0, 0], [600, 1]],
            },
            seasons=[["0101", "work", "rest"]],
            weekend=[0, 6],
        )

    def test_switches_at_their_second(self):
        for when, band in (
            (at(1, 0), 0),
            (at(1, 8) - 1, 0),
            (at(1, 8), 1),
            (at(1, 11) - 1, 1),
            (at(1, 11), 2),
            (at(1, 22) - 1, 2),
            (at(1, 22), 0),
            (at(2, 0) - 1, 0),
            (at(5, 12), 2),  # Friday
            (at(6, 12), 1),  # Saturday
            (at(7, 23, 59), 1),  # Sunday
            (at(8, 0), 0),
        ):
            self.assertEqual(self.tariff.band_at(when), band, when)

    def test_next_change(self):
        for when, change in (
            (at(1, 0), (at(1, 8), 1)),
            (at(1, 8) - 1, (at(1, 8), 1)),
            (at(1, 8), (at(1, 11), 2)),
            (at(1, 22), (at(2, 8), 1)),  # midnight is no change of band
            (at(5, 22), (at(6, 10), 1)),  # Friday night: the weekend's table
            (at(6, 12), (at(7, 0), 0)),
            (at(7, 12), (at(8, 0), 0)),
            (at(7, 3), (at(7, 10), 1)),
        ):
            self.assertEqual(self.tariff.next_change(when), change)

    def test_next_change_once_a_week(self):
        weekly = tariff(
            days={"work": [[0, 0]], "sunday": [[0, 0], [720, 1], [735, 0]]},
            seasons=[["0101", "work", "sunday"]],
            weekend=[0],
        )
        self.assertEqual(weekly.next_change(at(7, 12, 15)), (at(14, 12), 1))
        self.assertEqual(weekly.next_change(at(7, 12, 0)), (at(7, 12, 15), 0))
        self.assertEqual(weekly.next_change(at(8, 0)), (at(14, 12), 1))

    def test_one_band_never_changes(self):
        flat = tariff(
            bands=["flat"],
            price=[[1], [2]],
            fallback=0,
            days={"all": [[0, 0]]},
        )
        self.assertIsNone(flat.next_change(at(3, 4)))

    def test_west_of_greenwich(self):
        west = tariff(tz="EST5")
        # 08:00 there is 13:00 UTC; 2027-01-01 00:00 UTC is 8 h after the same local time at UTC+8.
        midnight_utc = YEAR_2027_CST + 8 * HOUR
        self.assertEqual(west.band_at(midnight_utc + 13 * HOUR - 1), 0)
        self.assertEqual(west.band_at(midnight_utc + 13 * HOUR), 1)


class TestFriendly(unittest.TestCase):
    def until(self, friendly, when):
        return tariff(credit=credit(friendly=friendly)).friendly_until(when)

    def test_half_open(self):
        evening = [[1, 1080, 1200]]
        self.assertIsNone(self.until(evening, at(1, 18) - 1))
        self.assertEqual(self.until(evening, at(1, 18)), at(1, 20))
        self.assertEqual(self.until(evening, at(1, 20) - 1), at(1, 20))
        self.assertIsNone(self.until(evening, at(1, 20)))
        self.assertIsNone(self.until(evening, at(2, 19)))

    def test_across_midnight(self):
        night = [[1, 1080, 1440], [2, 0, 360]]
        self.assertEqual(self.until(night, at(1, 18)), at(2, 6))
        self.assertEqual(self.until(night, at(1, 23, 59)), at(2, 6))
        self.assertEqual(self.until(night, at(2, 0)), at(2, 6))
        self.assertIsNone(self.until(night, at(2, 6)))

    def test_to_midnight_only(self):
        self.assertEqual(self.until([[1, 1080, 1440]], at(1, 19)), at(2, 0))
        self.assertIsNone(self.until([[1, 1080, 1440]], at(2, 0)))

    def test_a_weekend_from_friday_evening_to_monday_morning(self):
        # The periods of the design's example.
        weekend = [[5, 1080, 1440], [6, 0, 1440], [0, 0, 1440], [1, 0, 600]]
        for when in (at(5, 18), at(6, 0), at(6, 12), at(7, 23, 59), at(8, 0), at(8, 9, 59)):
            self.assertEqual(self.until(weekend, when), at(8, 10))
        self.assertIsNone(self.until(weekend, at(5, 18) - 1))
        self.assertIsNone(self.until(weekend, at(8, 10)))

    def test_touching_and_overlapping_in_any_order(self):
        pieces = [[1, 720, 780], [1, 600, 660], [1, 650, 720]]
        self.assertEqual(self.until(pieces, at(1, 10)), at(1, 13))
        self.assertEqual(self.until(pieces, at(1, 12, 59)), at(1, 13))

    def test_a_whole_week_ends_no_sooner_than_a_week_on(self):
        always = [[day, 0, 1440] for day in range(7)]
        self.assertGreaterEqual(self.until(always, at(3, 12)), at(10, 12))

    def test_without_periods(self):
        self.assertIsNone(self.until([], at(6, 12)))


class TestCycle(unittest.TestCase):
    """Days since 2000: 2026-12-01 is 9831, 2027-01-01 is 9862, 2027-02-01 is 9893."""

    def test_month_from_the_28th(self):
        month = tariff(cycle_start=28)
        self.assertEqual(month.cycle_day(local_2027(1, 27, 23, 59)), 9831 + 27)
        self.assertEqual(month.cycle_day(local_2027(1, 28)), 9862 + 27)
        self.assertEqual(month.cycle_day(local_2027(2, 27, 23, 59)), 9862 + 27)
        self.assertEqual(month.cycle_day(local_2027(2, 28)), 9893 + 27)
        self.assertEqual(month.cycle_day(local_2027(3, 1)), 9893 + 27)

    def test_month_from_the_first(self):
        month = tariff(cycle_start=1)
        self.assertEqual(month.cycle_day(local_2027(1, 1)), 9862)
        self.assertEqual(month.cycle_day(local_2027(1, 1) - 1), 9831)
        self.assertEqual(month.cycle_day(local_2027(12, 31, 23, 59)), 9862 + 334)

    def test_year_before_and_after_its_day(self):
        year = tariff(cycle="year", cycle_start="0315")
        # 2026-03-15 is 9862 - 365 + 73, 2027-03-15 is 9862 + 73.
        self.assertEqual(year.cycle_day(local_2027(3, 14, 23, 59)), 9570)
        self.assertEqual(year.cycle_day(local_2027(3, 15)), 9935)
        self.assertEqual(year.cycle_day(local_2027(2, 20)), 9570)
        self.assertEqual(year.cycle_day(local_2027(12, 1)), 9935)

    def test_year_from_new_year(self):
        year = tariff(cycle="year", cycle_start="0101")
        self.assertEqual(year.cycle_day(local_2027(1, 1) - 1), 9497)  # 2026-01-01
        self.assertEqual(year.cycle_day(local_2027(1, 1)), 9862)

    def test_none(self):
        self.assertEqual(tariff(cycle="none", cycle_start=None).cycle_day(local_2027(5, 5)), 0)


class TestBlocks(unittest.TestCase):
    def test_edges(self):
        steps = tariff(blocks=[2, 5], price=[[1, 2]] * 3)
        for used, block, left in (
            (0, 0, 2000),
            (1999, 0, 1),
            (2000, 1, 3000),
            (4999, 1, 1),
            (5000, 2, None),
            (10**12, 2, None),
        ):
            self.assertEqual(
                (steps.block_of(used, MONDAY), steps.block_left(used, MONDAY)), (block, left)
            )

    def test_no_limits_are_one_block(self):
        single = tariff(blocks=[], price=[[1, 2]])
        self.assertEqual(
            (single.block_of(10**9, MONDAY), single.block_left(10**9, MONDAY)), (0, None)
        )
