"""Time zones of POSIX strings: offsets, both changes of clocks, dates of 23 and 25 hours."""

import unittest

from wattledger.agent.billing.calendar import civil, day_number
from wattledger.agent.billing.zone_text import NO_RULES, parse_zone

BAD_NAME = "must be a POSIX time zone such as CST-8 or <+0530>-5:30"
BAD_OFFSET = "has an offset that is not hh, hh:mm or hh:mm:ss"
TOO_FAR = "must be at most 14 h from UTC, in quarters of an hour"
TOO_LIGHT = "must save at most 2 h of daylight, in quarters of an hour"
CHINA = "CST-8"
PARIS = "CET-1CEST,M3.5.0,M10.5.0/3"
NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"
SYDNEY = "AEST-10AEDT,M10.1.0,M4.1.0/3"
UNIX_2027 = 1798761600  # 2027-01-01 00:00 UTC, looked up; day 9862
PARIS_BEGINS = UNIX_2027 + 86 * 86400 + 3600  # 2027-03-28 01:00 UTC
PARIS_ENDS = UNIX_2027 + 303 * 86400 + 3600  # 2027-10-31 01:00 UTC


def utc(year, month, day, hour=0, minute=0):
    """Unix seconds of a time in UTC."""
    return 946684800 + day_number(year, month, day) * 86400 + hour * 3600 + minute * 60


class TestFixed(unittest.TestCase):
    def test_offsets(self):
        # POSIX counts west of Greenwich as positive, people count east.
        for text, offset in (
            ("UTC0", 0),
            ("CST-8", 28800),
            ("EST5", -18000),
            ("EST+5", -18000),
            ("<+0530>-5:30", 19800),
            ("<+0545>-5:45", 20700),
            ("<-0330>3:30", -12600),
            ("<+14>-14", 50400),
            ("<-12>12", -43200),
            ("CST-08:00:00", 28800),
            ("cst-8", 28800),
        ):
            self.assertEqual(parse_zone(text).offset_s, offset)
            self.assertEqual(parse_zone(text).offset_at(UNIX_2027), offset)

    def test_local_time_and_first_instant(self):
        china = parse_zone(CHINA)
        # 2027-01-01 00:00 local is 1798732800 (design document); 9862 days since 2000.
        self.assertEqual(china.local(1798732800), (9862, 0))
        self.assertEqual(china.local(1798732799), (9861, 86399))
        self.assertEqual(china.first_instant(9862), 1798732800)
        self.assertEqual(china.first_instant(9862, 3600), 1798736400)
        west = parse_zone("<-0330>3:30")
        self.assertEqual(west.local(1798732800), (9861, 45000))  # 16:00 UTC is 12:30 there
        self.assertEqual(west.first_instant(9862), 1798761600 + 12600)
        self.assertEqual(china.ahead(1798732800, 86400), 1798732800 + 86400)

    def test_local_time_beyond_32_bits(self):
        china = parse_zone(CHINA)
        self.assertEqual(china.local(4294967296), (38753, 52096))  # 2106-02-07 14:28:16 local
        self.assertEqual(civil(38753), (2106, 2, 7))


class TestRefused(unittest.TestCase):
    def refusal(self, text):
        with self.assertRaises(ValueError) as caught:
            parse_zone(text)
        return str(caught.exception)

    def test_bad_names(self):
        for text in (
            "",
            "X",
            "CS-8",
            "CST",
            "<+0530>",
            "<+0530",
            "<+5>-5",
            "-8",
            "8",
            5,
            None,
            [],
        ):
            self.assertEqual(self.refusal(text), BAD_NAME)

    def test_bad_offsets(self):
        for text in (
            "CST-",
            "CST+",
            "CST-8:",
            "CST-:30",
            "CST-8:00:00:00",
            "CST-008",
            "CST-8:000",
        ):
            self.assertEqual(self.refusal(text), BAD_OFFSET)
        for text in ("CST-8:75", "CST-8:60", "CST-8:00:90", "CET-1CEST-,M3.5.0,M10.5.0"):
            self.assertEqual(self.refusal(text), BAD_OFFSET)

    def test_offsets_out_of_bounds(self):
        for text in ("CST-15", "CST+14:15", "CST-8:07", "CST-8:00:30", "CST99"):
            self.assertEqual(self.refusal(text), TOO_FAR)
        # The sign of daylight time forgotten, and a shift that is no quarter of an hour.
        for text in ("CET-1CEST2,M3.5.0,M10.5.0/3", "CET-1CEST-1:20,M3.5.0,M10.5.0/3"):
            self.assertEqual(self.refusal(text), TOO_LIGHT)

    def test_without_rules(self):
        for text in ("EST5EDT", "CET-1CEST-2", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0,J1",
                     "CET-1 CEST,M3.5.0,M10.5.0", "CST-8,M3.5.0,M10.5.0"):  # fmt: skip
            self.assertEqual(self.refusal(text), NO_RULES)

    def test_bad_days_of_change(self):
        for day in ("M0.1.0", "M13.1.0", "M3.0.0", "M3.6.0", "M3.5.7", "M3.5", "M3.5.0.1", "M",
                    "M3.5.-1", "J0", "J366", "J", "Jx", "366", "-1", "", "x"):  # fmt: skip
            self.assertEqual(
                self.refusal("CET-1CEST,%s,M10.5.0/3" % day),
                "has a day of change that is not Mm.w.d, Jn or n: " + day,
            )

    def test_bad_times_of_change(self):
        for time in ("168", "-168", "167:15", "2:07", "2:00:30", "", "x", "2:60", "0002", "--2"):
            self.assertEqual(
                self.refusal("CET-1CEST,M3.5.0/%s,M10.5.0/3" % time),
                "has a time of change that is not -167 to 167 h in quarters of an hour: M3.5.0/"
                + time,
            )


class TestDaylight(unittest.TestCase):
    def test_both_changes_to_the_second(self):
        paris = parse_zone(PARIS)
        for unix, offset in (
            (UNIX_2027, 3600),
            (PARIS_BEGINS - 1, 3600),
            (PARIS_BEGINS, 7200),
            (PARIS_ENDS - 1, 7200),
            (PARIS_ENDS, 3600),
            (PARIS_BEGINS, 7200),  # asked out of order
        ):
            self.assertEqual(paris.offset_at(unix), offset)

    def test_the_skipped_hour(self):
        paris = parse_zone(PARIS)
        day = day_number(2027, 3, 28)
        self.assertEqual(paris.local(PARIS_BEGINS - 1), (day, 7199))
        self.assertEqual(paris.local(PARIS_BEGINS), (day, 10800))
        self.assertEqual(paris.first_instant(day), PARIS_BEGINS - 7200)
        self.assertEqual(paris.first_instant(day + 1) - paris.first_instant(day), 23 * 3600)
        self.assertEqual(paris.first_instant(day, 9000), PARIS_BEGINS)  # 02:30 is skipped
        self.assertEqual(paris.first_instant(day, 10800), PARIS_BEGINS)

    def test_the_repeated_hour(self):
        paris = parse_zone(PARIS)
        day = day_number(2027, 10, 31)
        self.assertEqual(paris.local(PARIS_ENDS - 1), (day, 10799))
        self.assertEqual(paris.local(PARIS_ENDS), (day, 7200))
        self.assertEqual(paris.first_instant(day + 1) - paris.first_instant(day), 25 * 3600)
        self.assertEqual(paris.first_instant(day, 9000), PARIS_ENDS - 1800)  # the first 02:30

    def test_ahead_stops_at_a_change(self):
        paris = parse_zone(PARIS)
        self.assertEqual(paris.ahead(PARIS_BEGINS - 600, 1200), PARIS_BEGINS)
        self.assertEqual(paris.ahead(PARIS_BEGINS - 600, 600), PARIS_BEGINS)
        self.assertEqual(paris.ahead(PARIS_BEGINS, 600), PARIS_BEGINS + 600)

    def test_west_and_south(self):
        york = parse_zone(NEW_YORK)  # 2027: 14 March and 7 November, 02:00 local
        self.assertEqual(york.offset_at(utc(2027, 3, 14, 7) - 1), -18000)
        self.assertEqual(york.offset_at(utc(2027, 3, 14, 7)), -14400)
        self.assertEqual(york.offset_at(utc(2027, 11, 7, 6) - 1), -14400)
        self.assertEqual(york.offset_at(utc(2027, 11, 7, 6)), -18000)
        sydney = parse_zone(SYDNEY)  # summer over new year: 3 October and 4 April
        for unix, offset in (
            (utc(2026, 12, 31, 23), 39600),
            (utc(2027, 1, 1), 39600),
            (utc(2027, 4, 3, 16) - 1, 39600),
            (utc(2027, 4, 3, 16), 36000),
            (utc(2027, 10, 2, 16) - 1, 36000),
            (utc(2027, 10, 2, 16), 39600),
        ):
            self.assertEqual(sydney.offset_at(unix), offset)

    def test_half_an_hour_of_daylight(self):
        howe = parse_zone("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0")
        self.assertEqual(howe.offset_at(utc(2027, 1, 1)), 39600)
        self.assertEqual(howe.offset_at(utc(2027, 4, 3, 15) - 1), 39600)  # 02:00 at +11
        self.assertEqual(howe.offset_at(utc(2027, 4, 3, 15)), 37800)
        self.assertEqual(howe.offset_at(utc(2027, 10, 2, 15, 30)), 39600)  # 02:00 at +10:30

    def test_winter_time_is_the_exception_in_dublin(self):
        dublin = parse_zone("IST-1GMT0,M10.5.0,M3.5.0/1")
        self.assertEqual(dublin.offset_at(PARIS_BEGINS - 1), 0)
        self.assertEqual(dublin.offset_at(PARIS_BEGINS), 3600)
        self.assertEqual(dublin.offset_at(PARIS_ENDS - 1), 3600)
        self.assertEqual(dublin.offset_at(PARIS_ENDS), 0)

    def test_a_skipped_midnight(self):
        # Cairo: 00:00 of the last Friday of April becomes 01:00; 2027-04-30.
        cairo = parse_zone("EET-2EEST,M4.5.5/0,M10.5.4/24")
        day = day_number(2027, 4, 30)
        change = utc(2027, 4, 29, 22)
        self.assertEqual(cairo.local(change - 1), (day - 1, 86399))
        self.assertEqual(cairo.local(change), (day, 3600))
        self.assertEqual(cairo.first_instant(day), change)
        self.assertEqual(cairo.first_instant(day + 1), change + 23 * 3600)

    def test_a_repeated_midnight(self):
        # Azores: 01:00 of 2027-10-31 becomes 00:00; the date begins with the first midnight.
        azores = parse_zone("<-01>1<+00>,M3.5.0/0,M10.5.0/1")
        day = day_number(2027, 10, 31)
        self.assertEqual(azores.first_instant(day), utc(2027, 10, 31))
        self.assertEqual(azores.local(utc(2027, 10, 31, 1) - 1), (day, 3599))
        self.assertEqual(azores.local(utc(2027, 10, 31, 1)), (day, 0))
        self.assertEqual(azores.first_instant(day + 1), utc(2027, 11, 1, 1))

    def test_a_date_that_is_entered_twice(self):
        # 00:30 of 2027-10-31 becomes 23:30 of the day before, then it is midnight again.
        twice = parse_zone("AAA0BBB,M3.5.0,M10.5.0/0:30")
        day = day_number(2027, 10, 31)
        self.assertEqual(twice.first_instant(day), utc(2027, 10, 30, 23))
        self.assertEqual(twice.local(utc(2027, 10, 30, 23, 30)), (day - 1, 84600))
        self.assertEqual(twice.local(utc(2027, 10, 31)), (day, 0))

    def test_days_of_the_year(self):
        # J60 is 1 March in every year, 59 is 29 February in a leap year; J1 and 0 1 January.
        for year, first, second in ((2027, (3, 1), (3, 1)), (2028, (3, 1), (2, 29))):
            of_365 = parse_zone("AAA0BBB,J60/0,J300/0")
            self.assertEqual(of_365.offset_at(utc(year, *first) - 1), 0)
            self.assertEqual(of_365.offset_at(utc(year, *first)), 3600)
            of_year = parse_zone("AAA0BBB,59/0,300/0")
            self.assertEqual(of_year.offset_at(utc(year, *second) - 1), 0)
            self.assertEqual(of_year.offset_at(utc(year, *second)), 3600)
        early = parse_zone("AAA0BBB,J1/0,0/24")  # a summer of one day: 1 January
        self.assertEqual(early.offset_at(utc(2028, 1, 1) - 1), 0)
        self.assertEqual(early.offset_at(utc(2028, 1, 1)), 3600)
        self.assertEqual(early.offset_at(utc(2028, 1, 1, 23) - 1), 3600)
        self.assertEqual(early.offset_at(utc(2028, 1, 1, 23)), 0)

    def test_times_a_week_away(self):
        # J365 + 167 h is 7 January 23:00; J1 - 167 h is 25 December 01:00.
        late = parse_zone("AAA0BBB,J365/167,J100/0")
        self.assertEqual(late.offset_at(utc(2028, 1, 6, 23) - 1), 0)
        self.assertEqual(late.offset_at(utc(2028, 1, 6, 23)), 3600)
        early = parse_zone("AAA0BBB,J1/-167,J100/0")
        self.assertEqual(early.offset_at(utc(2027, 12, 25, 1) - 1), 0)
        self.assertEqual(early.offset_at(utc(2027, 12, 25, 1)), 3600)

    def test_daylight_saving_all_year(self):
        # RFC 9636, 3.3.1: begins 1 January 00:00, ends 31 December 25:00, which is the same.
        always = parse_zone("EST5EDT,0/0,J365/25")
        for unix in (utc(2027, 1, 1, 4), utc(2027, 1, 1, 5), utc(2027, 7, 1), utc(2028, 1, 1, 5)):
            self.assertEqual(always.offset_at(unix), -14400)

    def test_2038_and_2106(self):
        # Last Sundays of March and October: 2038-03-28 and 10-31; 2106-03-28 and 10-31.
        paris = parse_zone(PARIS)
        for year in (2038, 2106):
            for month, day, offset in ((3, 28, 7200), (10, 31, 3600)):
                change = utc(year, month, day, 1)
                self.assertEqual(paris.offset_at(change), offset)
                self.assertEqual(paris.offset_at(change - 1), 10800 - offset)
        self.assertEqual(paris.local(2147483648), (13898, 15248))  # 2038-01-19 04:14:08
        self.assertEqual(paris.local(4294967296), (38753, 26896))  # 2106-02-07 07:28:16
        self.assertEqual(parse_zone(NEW_YORK).offset_at(1 << 36), -14400)  # in August 4147
