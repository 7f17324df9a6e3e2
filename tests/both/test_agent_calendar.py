"""Civil days and POSIX zones, against dates everybody can look up."""

import unittest

from wattledger.agent.billing.calendar import (
    civil,
    date_key,
    day_number,
    is_leap,
    parse_zone,
    weekday,
)

# Unix seconds of midnight UTC, looked up: date, seconds, weekday (0 = Sunday).
KNOWN = (
    (2000, 1, 1, 946684800, 6),
    (2000, 2, 29, 951782400, 2),
    (2000, 12, 31, 978220800, 0),
    (2024, 2, 29, 1709164800, 4),
    (2027, 1, 1, 1798761600, 5),
    (2038, 1, 19, 2147472000, 2),  # 2**31 s falls into this day
    (2038, 1, 20, 2147558400, 3),
    (2100, 2, 28, 4107456000, 0),
    (2100, 3, 1, 4107542400, 1),  # 2100 is no leap year
    (2106, 2, 7, 4294944000, 0),  # 2**32 s falls into this day
    (2106, 2, 8, 4295030400, 1),
    (2199, 12, 31, 7258032000, 2),
)
BAD_NAME = "must be a POSIX time zone such as CST-8 or <+0530>-5:30"
DAYLIGHT = "has daylight saving, which this firmware does not rate yet"
BAD_OFFSET = "has an offset that is not hh, hh:mm or hh:mm:ss"
TOO_FAR = "must be at most 14 h from UTC, in quarters of an hour"


class TestDays(unittest.TestCase):
    def test_known_dates(self):
        for year, month, day, unix, day_of_week in KNOWN:
            days = (unix - 946684800) // 86400
            self.assertEqual(day_number(year, month, day), days)
            self.assertEqual(civil(days), (year, month, day))
            self.assertEqual(weekday(days), day_of_week)
            self.assertEqual(date_key(days), year * 10000 + month * 100 + day)

    def test_every_day_by_counting(self):
        year, month, day = 2000, 1, 1
        lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        for days in range(5 * 366):  # to the end of 2004 and a little on
            self.assertEqual(day_number(year, month, day), days)
            self.assertEqual(civil(days), (year, month, day))
            day += 1
            if day > lengths[month - 1] + (month == 2 and year in (2000, 2004)):
                month, day = month + 1, 1
            if month > 12:
                year, month = year + 1, 1

    def test_leap_years(self):
        self.assertEqual(
            [year for year in (1900, 2000, 2023, 2024, 2100, 2200, 2400) if is_leap(year)],
            [2000, 2024, 2400],
        )

    def test_years_end_and_begin(self):
        for year in range(2000, 2200):
            first = day_number(year, 1, 1)
            self.assertEqual(civil(first), (year, 1, 1))
            self.assertEqual(
                civil(first - 1) if year > 2000 else (1999, 12, 31), (year - 1, 12, 31)
            )


class TestZone(unittest.TestCase):
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

    def test_daylight_saving(self):
        for text in ("GMT0BST,M3.5.0/1,M10.5.0", "EST5EDT", "CET-1CEST,M3.5.0,M10.5.0/3"):
            self.assertEqual(self.refusal(text), DAYLIGHT)

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

    def test_offsets_out_of_bounds(self):
        for text in ("CST-15", "CST+14:15", "CST-8:07", "CST-8:00:30", "CST99"):
            self.assertEqual(self.refusal(text), TOO_FAR)

    def test_minutes_of_an_hour_end_at_59(self):
        for text in ("CST-8:75", "CST-8:60", "CST-8:00:90"):
            with self.assertRaises(ValueError):
                parse_zone(text)

    def test_local_time_and_first_instant(self):
        china = parse_zone("CST-8")
        # 2027-01-01 00:00 local is 1798732800 (design document); 9862 days since 2000.
        self.assertEqual(china.local(1798732800), (9862, 0))
        self.assertEqual(china.local(1798732799), (9861, 86399))
        self.assertEqual(china.first_instant(9862), 1798732800)
        west = parse_zone("<-0330>3:30")
        self.assertEqual(west.local(1798732800), (9861, 45000))  # 16:00 UTC is 12:30 there
        self.assertEqual(west.first_instant(9862), 1798761600 + 12600)

    def test_local_time_beyond_32_bits(self):
        china = parse_zone("CST-8")
        self.assertEqual(china.local(4294967296), (38753, 52096))  # 2106-02-07 14:28:16 local
        self.assertEqual(civil(38753), (2106, 2, 7))
