"""Numbers as the page without JavaScript writes them."""

import unittest

from wattledger.hal.display import numbers
from wattledger.hal.display.metrics import fixed, label


class NumbersTest(unittest.TestCase):
    def test_money_down_near_and_up(self):
        # 1.234999 in micro-units: 1.23 below, 1.23 near, 1.24 above.
        for way, positive, negative in (
            (numbers.DOWN, "\u00a51.23", "\u2212\u00a51.24"),
            (numbers.NEAR, "\u00a51.23", "\u2212\u00a51.23"),
            (numbers.UP, "\u00a51.24", "\u2212\u00a51.23"),
        ):
            self.assertEqual(numbers.money(1234999, "CNY", way), positive)
            self.assertEqual(numbers.money(-1234999, "CNY", way), negative)

    def test_money_is_grouped_and_names_a_currency_without_a_sign(self):
        self.assertEqual(numbers.money(1234567890123, "EUR"), "\u20ac1,234,567.89")
        self.assertEqual(numbers.money(0, "EUR"), "\u20ac0.00")
        self.assertEqual(numbers.money(5000000, "CHF"), "CHF\u00a05.00")
        self.assertEqual(numbers.money(5000000, None), "5.00")
        self.assertEqual(numbers.money(None, "EUR"), "\u2013")

    def test_a_price_keeps_two_to_six_decimals(self):
        for micro, text in (
            (620000, "\u00a50.62/kWh"),
            (340050, "\u00a50.34005/kWh"),
            (1, "\u00a50.000001/kWh"),
            (2000000, "\u00a52.00/kWh"),
            (-54321, "\u2212\u00a50.054321/kWh"),
        ):
            self.assertEqual(numbers.price(micro, "CNY"), text)

    def test_power_in_watts_until_four_digits(self):
        for mw, text in (
            (0, "0 W"),
            (-400, "0 W"),
            (640000, "640 W"),
            (999499, "999 W"),
            (999500, "1.00 kW"),
            (1243210, "1.24 kW"),
            (-2500000, "\u22122.50 kW"),
        ):
            self.assertEqual(numbers.power(mw), text)

    def test_energy_is_rounded_down(self):
        self.assertEqual(numbers.energy(1195433, 1), "1,195.4 kWh")
        self.assertEqual(numbers.energy(999, 2), "0.99 kWh")

    def test_durations(self):
        for seconds, key, values in (
            (-5, "duration.s", {"s": "0"}),
            (59, "duration.s", {"s": "59"}),
            (60, "duration.min", {"min": "1"}),
            (3599, "duration.min", {"min": "59"}),
            (7200, "duration.h", {"h": "2"}),
            (8040, "duration.h_min", {"h": "2", "min": "14"}),
            (90000, "duration.d_h", {"d": "1", "h": "1"}),
        ):
            self.assertEqual(numbers.duration(seconds), (key, values))

    def test_moments_stand_in_the_meters_zone_with_the_date_when_it_is_another(self):
        # 1799715600 is 2027-01-12 01:00 in UTC, 09:00 eight hours east of it.
        view = {"time": 1799715600, "utc_offset_s": 28800}
        self.assertEqual(numbers.moment(1799715600 + 8040, view), "11:14")
        self.assertEqual(numbers.moment(1799715600 + 15 * 3600, view), "2027-01-13 00:00")
        self.assertEqual(numbers.moment(1799715600 - 9 * 3600 - 60, view), "2027-01-11 23:59")
        self.assertEqual(numbers.moment(None, view), "\u2013")

    def test_dates_at_the_ends_of_months_and_leap_years(self):
        # Days since 1970-01-01, counted with `date -u -d @$((days * 86400))`.
        for days, date in (
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11016, (2000, 2, 29)),
            (11017, (2000, 3, 1)),
            (19782, (2024, 2, 29)),
            (20819, (2027, 1, 1)),
            (47540, (2100, 2, 28)),
            (47541, (2100, 3, 1)),
        ):
            self.assertEqual(numbers._date(days), date)

    def test_metrics_are_exact_decimals(self):
        for value, decimals, text in (
            (0, 3, "0.000"),
            (5, 3, "0.005"),
            (-5, 3, "-0.005"),
            (1243210, 3, "1243.210"),
            (-4200001, 6, "-4.200001"),
            (12, 0, "12"),
        ):
            self.assertEqual(fixed(value, decimals), text)
        self.assertEqual(label('a"b\\c\nd'), 'a\\"b\\\\c\\nd')


if __name__ == "__main__":
    unittest.main()
