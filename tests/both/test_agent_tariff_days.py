"""Which day table and blocks a date takes: seasons, holidays, make-up workdays, short days."""

import unittest

from wattledger.agent.billing.calendar import day_number
from wattledger.tests.both.houses_tariffs import DAY, credit, local_2027, tariff

HOUR = 3600
# Bands by table: n (normal) 0, w (weekend) 1, s (summer) 2, h (holiday) 3, all day each.
TABLES = {"n": [[0, 0]], "w": [[0, 1]], "s": [[0, 2]], "h": [[0, 3]]}
FOUR = {"bands": ["n", "w", "s", "h"], "price": [[1, 2, 3, 4]] * 2, "days": TABLES, "export": [0]}


def made(**changes):
    """A tariff whose band tells the table."""
    document = dict(FOUR)
    document.update(changes)
    return tariff(**document)


def utc(month, day, hour=0, minute=0, year=2027):
    return 946684800 + day_number(year, month, day) * DAY + hour * HOUR + minute * 60


class TestSeasons(unittest.TestCase):
    def test_a_season_begins_at_its_midnight_and_lasts_over_new_year(self):
        two = made(seasons=[["0601", "s", "s"], ["1015", "n", "n"]])
        for when, band in (
            (local_2027(1, 1), 0),
            (local_2027(6, 1) - 1, 0),
            (local_2027(6, 1), 2),
            (local_2027(10, 15) - 1, 2),
            (local_2027(10, 15), 0),
            (local_2027(12, 31, 23, 59), 0),
        ):
            self.assertEqual(two.band_at(when), band, when)

    def test_in_any_order(self):
        three = made(seasons=[["1015", "n", "n"], ["0301", "w", "w"], ["0601", "s", "s"]])
        for month, day, band in (
            (2, 28, 0),
            (3, 1, 1),
            (5, 31, 1),
            (6, 1, 2),
            (10, 14, 2),
            (10, 15, 0),
        ):
            self.assertEqual(three.band_at(local_2027(month, day, 12)), band)

    def test_weekend_table_of_the_season(self):
        # 2027-05-30 is a Sunday, 2027-06-05 a Saturday.
        two = made(seasons=[["0101", "n", "w"], ["0601", "n", "s"]], weekend=[0, 6])
        self.assertEqual(two.band_at(local_2027(5, 30)), 1)
        self.assertEqual(two.band_at(local_2027(5, 31)), 0)
        self.assertEqual(two.band_at(local_2027(6, 5)), 2)

    def test_next_change_is_a_season_within_eight_days(self):
        two = made(seasons=[["0101", "n", "n"], ["0601", "s", "s"]])
        self.assertEqual(two.next_change(local_2027(5, 25)), (local_2027(6, 1), 2))
        self.assertIsNone(two.next_change(local_2027(5, 1)))
        self.assertEqual(two.next_change(local_2027(12, 31)), (local_2027(12, 31) + DAY, 0))

    def test_blocks_of_a_season_are_tested_against_the_same_use(self):
        two = tariff(seasons=[["0101", "all", "all"], ["0601", "all", "all", {"blocks": [250]}]])
        may, june = local_2027(5, 31, 23, 59), local_2027(6, 1)
        self.assertEqual((two.block_of(120000, may), two.block_left(120000, may)), (1, None))
        self.assertEqual((two.block_of(120000, june), two.block_left(120000, june)), (0, 130000))
        self.assertEqual(two.block_of(250000, june), 1)
        self.assertEqual(two.limits, [100000])

    def test_use_starts_anew_with_a_season_that_says_so(self):
        # 2027-01-01 is day 9862; 06-01 is 9862 + 151, 10-15 is 9862 + 287.
        reset = {"blocks_reset": True}
        year = tariff(
            cycle="year",
            cycle_start="0101",
            seasons=[["0601", "all", "all", reset], ["1015", "all", "all"]],
        )
        for when, day in (
            (local_2027(5, 31, 23, 59), 9862),
            (local_2027(6, 1), 9862 + 151),
            (local_2027(10, 14, 23, 59), 9862 + 151),
            (local_2027(10, 15), 9862 + 151),  # says nothing: that count goes on
        ):
            self.assertEqual(year.block_day(when), day)
            self.assertEqual(year.cycle_day(when), 9862)
        month = tariff(cycle_start=20, seasons=[["0115", "all", "all", reset]])
        self.assertEqual(month.block_day(local_2027(1, 14)), 9831 + 19)
        self.assertEqual(month.block_day(local_2027(1, 15)), 9862 + 14)
        self.assertEqual(month.block_day(local_2027(1, 20)), 9862 + 19)
        none = tariff(cycle="none", seasons=[["1015", "all", "all", reset]])
        self.assertEqual(none.block_day(local_2027(10, 14)), 9862 - 365 + 287)
        self.assertEqual(none.block_day(local_2027(10, 15)), 9862 + 287)


class TestHolidays(unittest.TestCase):
    def setUp(self):
        # 1 to 3 January, a Saturday with a table (2 + 34 days on: 6 February), a Sunday at work.
        self.tariff = made(
            seasons=[["0101", "n", "w"]],
            weekend=[0, 6],
            holidays=[9862, 1, 1, [34, "s"], [1, "n"]],
            holiday_day="h",
            credit=credit(friendly=[[1, 0, 60]], friendly_holidays=True),
        )

    def test_tables(self):
        for month, day, band in (
            (1, 1, 3),
            (1, 2, 3),
            (1, 3, 3),
            (1, 4, 0),
            (2, 4, 0),
            (2, 5, 0),
            (2, 6, 2),
            (2, 7, 0),
            (2, 13, 1),
        ):
            self.assertEqual(self.tariff.band_at(local_2027(month, day, 12)), band, (month, day))
        self.assertEqual(self.tariff.band_at(local_2027(1, 1) - 1), 0)

    def test_without_a_table_of_their_own_they_are_as_the_weekend(self):
        plain = made(seasons=[["0101", "n", "w"]], weekend=[], holidays=[9863])
        self.assertEqual(plain.band_at(local_2027(1, 1, 12)), 0)
        self.assertEqual(plain.band_at(local_2027(1, 2, 12)), 1)
        self.assertEqual(plain.band_at(local_2027(1, 3)), 0)

    def test_friendly_for_the_whole_date(self):
        until = self.tariff.friendly_until
        # 2027-01-04 is a Monday: its own period follows at once.
        self.assertEqual(until(local_2027(1, 1)), local_2027(1, 4, 1))
        self.assertEqual(until(local_2027(1, 3, 23, 59)), local_2027(1, 4, 1))
        self.assertIsNone(until(local_2027(1, 1) - 1))
        self.assertIsNone(until(local_2027(2, 6, 12)))  # a date with a table is no holiday
        self.assertIsNone(until(local_2027(2, 7, 12)))

    def test_next_change_into_a_holiday(self):
        self.assertEqual(self.tariff.next_change(local_2027(1, 1)), (local_2027(1, 4), 0))
        self.assertEqual(self.tariff.next_change(local_2027(2, 5)), (local_2027(2, 6), 2))


class TestClocks(unittest.TestCase):
    """Paris: 2027-03-28 02:00 becomes 03:00 (01:00 UTC), 2027-10-31 03:00 becomes 02:00."""

    def setUp(self):
        self.tariff = tariff(
            tz="CET-1CEST,M3.5.0,M10.5.0/3",
            days={"all": [[0, 0], [150, 1], [180, 0], [1320, 1]]},
            credit=credit(friendly=[[0, 120, 180]]),
        )

    def test_a_switch_in_the_skipped_hour_does_not_happen(self):
        change = utc(3, 28, 1)
        self.assertEqual(self.tariff.band_at(change - 1), 0)
        self.assertEqual(self.tariff.band_at(change), 0)
        self.assertEqual(self.tariff.next_edge(change - 600), change)
        self.assertEqual(self.tariff.next_change(change - 600), (utc(3, 28, 20), 1))

    def test_a_repeated_hour_repeats_its_bands(self):
        first = utc(10, 31, 0, 30)  # 02:30 summer time
        again = first + HOUR
        self.assertEqual(self.tariff.next_change(utc(10, 31, 0)), (first, 1))
        self.assertEqual(self.tariff.next_change(first), (again - 1800, 0))  # back to 02:00
        self.assertEqual(self.tariff.next_change(again - 1800), (again, 1))
        self.assertEqual(self.tariff.next_change(again), (again + 1800, 0))

    def test_friendly_periods_of_such_days(self):
        # Both are Sundays: 02:00 to 03:00 is friendly, not at all in March, twice in October.
        self.assertIsNone(self.tariff.friendly_until(utc(3, 28, 1) - 1))
        self.assertIsNone(self.tariff.friendly_until(utc(3, 28, 1)))
        self.assertEqual(self.tariff.friendly_until(utc(10, 31, 0, 30)), utc(10, 31, 2))
        self.assertEqual(self.tariff.friendly_until(utc(10, 31, 1, 30)), utc(10, 31, 2))
        self.assertIsNone(self.tariff.friendly_until(utc(10, 31, 2)))

    def test_edges(self):
        at, edges = utc(10, 30, 22), []
        while at < utc(10, 31, 23):
            at = self.tariff.next_edge(at)
            edges.append((at - utc(10, 31)) // 60)
        # 02:30, clocks back at 03:00, 02:30 and 03:00 again, 22:00, midnight; in minutes of UTC.
        self.assertEqual(edges, [30, 60, 90, 120, 1260, 1380])

    def test_cycle_turns_at_the_first_instant(self):
        begin = utc(10, 30, 22)  # 2027-10-31 00:00 local, in summer time
        year = tariff(tz="CET-1CEST,M3.5.0,M10.5.0/3", cycle="year", cycle_start="1031")
        self.assertEqual(year.cycle_day(begin - 1), 9862 - 365 + 303)
        self.assertEqual(year.cycle_day(begin), 9862 + 303)
