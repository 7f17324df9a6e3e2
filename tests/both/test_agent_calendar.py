"""Civil days, against dates everybody can look up."""

import unittest

from wattledger.agent.billing.calendar import (
    civil,
    date_key,
    day_number,
    is_leap,
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

    def test_days_before_2000(self):
        # Days counted back: 1999 has 365, 1996 has 366.
        for days, date in (
            (-1, (1999, 12, 31)),
            (-365, (1999, 1, 1)),
            (-366, (1998, 12, 31)),
            (-1096, (1996, 12, 31)),
            (-1461, (1996, 1, 1)),
            (-10957, (1970, 1, 1)),
        ):
            self.assertEqual(civil(days), date)

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
