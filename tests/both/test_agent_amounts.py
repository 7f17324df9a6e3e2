"""Numbers on small screens: what is shown is there, and what is asked for suffices."""

import unittest

from wattledger.agent.display import alerts, amounts
from wattledger.agent.display.lines import Lines, lines_of
from wattledger.agent.display.pages import Pages, level_of
from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_canvas import WORDS

EN = WORDS["en"]


class TestAmounts(unittest.TestCase):
    def test_a_balance_rounds_down_and_a_payment_up(self):
        for micro, down, near, up in (
            (1234999, "1.23", "1.23", "1.24"),
            (1235000, "1.23", "1.24", "1.24"),
            (1230000, "1.23", "1.23", "1.23"),
            (-1, "-0.01", "0.00", "0.00"),
            (-5000, "-0.01", "0.00", "0.00"),
            (-1234001, "-1.24", "-1.23", "-1.23"),
        ):
            found = [amounts.decimal(micro, 6, 2, way) for way in range(3)]
            self.assertEqual(found, [down, near, up], micro)

    def test_the_sign_stands_before_the_currencys(self):
        self.assertEqual(amounts.money(-4200000, "CNY"), "-\u00a54.20")
        self.assertEqual(amounts.money(4200000, "GBP"), "\u00a34.20")
        self.assertEqual(amounts.money(4200000, "CHF"), "CHF4.20")
        self.assertEqual(amounts.money(4200000, None), "4.20")
        self.assertEqual(amounts.money(None, "CNY"), "--")

    def test_a_price_has_the_decimals_it_needs(self):
        for micro, text in (
            (620000, "$0.62"),
            (600000, "$0.60"),
            (333333, "$0.333333"),
            (1234500, "$1.2345"),
            (-54321, "-$0.054321"),
            (0, "$0.00"),
        ):
            self.assertEqual(amounts.price(micro, "USD"), text)

    def test_power_changes_its_unit_where_rounding_does(self):
        for mw, text in (
            (0, "0 W"),
            (499, "0 W"),
            (500, "1 W"),
            (999499, "999 W"),
            (999500, "1.00 kW"),
            (12345678, "12.35 kW"),
            (-850000, "-850 W"),
        ):
            self.assertEqual(amounts.power(mw), text)

    def test_energy_rounds_down(self):
        self.assertEqual(amounts.energy(1999), "1.9 kWh")
        self.assertEqual(amounts.energy(999, 3), "0.999 kWh")

    def test_durations_in_the_two_units_that_count(self):
        for seconds, text in (
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1h0m"),
            (86399, "23h59m"),
            (90000, "1d 1h"),
        ):
            self.assertEqual(amounts.duration(seconds, EN), text)

    def test_times_are_the_meters(self):
        # 1798733100 is 2026-12-31 16:05 UTC.
        for offset, clock, day in ((0, "16:05", "12-31"), (28800, "00:05", "01-01")):
            view = {"utc_offset_s": offset}
            self.assertEqual(amounts.clock(1798733100, view), clock)
            self.assertEqual(amounts.day(1798733100, view), day)

    def test_the_steps_of_the_gauge(self):
        found = [level_of(mw) for mw in (None, 499, 500, 499999, 500000, 1999999, 2000000, -500)]
        self.assertEqual(found, [None, "none", "low", "low", "mid", "mid", "high", "export"])


class TestWhatIsSaid(unittest.TestCase):
    """Layouts of the states that matter, word by word."""

    def first(self, view):
        return alerts.found(view, EN)[0][0]

    def test_the_least_top_up_suffices(self):
        # 1.234001 is needed: 1.23 would not do.
        self.assertEqual(self.first(views.off()).rows[1], ("Top up \u00a51.24", ""))
        view = views.off()
        view["supply"]["topup_micro"] = 2000000  # with the share that a debt takes
        self.assertEqual(self.first(view).rows[1], ("Top up \u00a52.00", ""))

    def test_every_reason_and_what_to_do(self):
        for reason, because, todo in (
            ("safety", "Safety limit", "Call utility"),
            ("load limit", "Load too high", "Call utility"),
            ("remote", "By the utility", "Call utility"),
            ("time is up", "Time used up", "Enter a token"),
        ):
            layout = self.first(views.off(reason=reason, restore_micro=0))
            self.assertEqual([row[0] for row in layout.rows], [because, todo])

    def test_one_that_comes_back_by_itself_says_when(self):
        layout = self.first(views.off(reason="safety", restore_micro=0, closes_in_s=180))
        self.assertEqual([row[0] for row in layout.rows], ["Safety limit", "Back in 3 min"])

    def test_minutes_to_the_cut_are_rounded_and_never_none(self):
        for seconds, title in ((930, "OFF in 16 min"), (89, "OFF in 1 min"), (3, "OFF in 1 min")):
            view = views.view(supply=views.supply(cut_in_s=seconds))
            self.assertEqual(self.first(view).title, title)

    def test_an_alarm_without_a_word_of_its_own_is_still_one(self):
        layout = self.first(views.view(alarms=["flood"]))
        self.assertEqual((layout.title, layout.sentence), ("Fault", "Call utility"))

    def test_paid_time_asks_for_a_token(self):
        view = views.view(supply=views.supply(cut_in_s=290, time_left_s=280))
        rows = self.first(view).rows
        self.assertEqual([row[0] for row in rows], ["Time used up", "Enter a token"])

    def test_the_balance_is_what_is_available(self):
        layout = Pages(EN).layout("home", views.view(available_micro=1999999))
        self.assertEqual((layout.title, layout.big), ("Balance", "\u00a51.99"))
        layout = Pages(EN).layout("home", views.view(available_micro=-1))
        self.assertEqual((layout.title, layout.big), ("Owed", "-\u00a50.01"))
        layout = Pages(EN).layout("home", views.view(available_micro=None))
        self.assertEqual(layout.big, "\u00a586.50")

    def test_no_clock_is_no_time(self):
        layout = Pages(EN).layout("home", views.view(trust="unknown"))
        self.assertEqual(layout.corner, "--:--")

    def test_tokens_refused_are_no_top_ups(self):
        purchases = [{"time": views.NOW, "amount_micro": 0, "n": None, "result": 13}]
        layout = Pages(EN).layout("top_ups", views.view(purchases=purchases))
        self.assertEqual(layout.rows, (("none yet", ""),))

    def test_a_text_display_has_no_page_of_charts(self):
        self.assertIn("chart", Pages(EN).names(views.view()))
        self.assertNotIn("chart", Pages(EN, charts=Lines.charts).names(views.view()))

    def test_the_text_display_has_the_same_words(self):
        self.assertEqual(
            lines_of(self.first(views.off())),
            (
                "Supply OFF     00:04",
                "Credit used up      ",
                "Top up \u00a51.24        ",
                " " * 20,
            ),
        )
        power = Pages(EN).layout("power", views.view())
        self.assertEqual(
            lines_of(power)[1:3], ("1.24 kW           ##", "\u00a50.77/h             ")
        )
        held = views.view(supply=views.supply(state="ready", hold_ms=1500))
        self.assertEqual(lines_of(self.first(held))[3], "#" * 10 + " " * 10)
