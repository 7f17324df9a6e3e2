"""The panel: pages by the button, what comes unasked, the keypad, and a glass that fails."""

import json
import unittest

from wattledger.tests.both import fixtures_views as views
from wattledger.tests.both.fixtures_panel import Table

HEAP = "512K"
LOW = {"zone": "low1", "available_micro": 19990000}


class PanelCase(unittest.TestCase):
    def setUp(self):
        self.table = Table()
        self.panel = self.table.panel

    def show(self, view, ms=1000):
        self.panel.show(view)
        self.table.run(ms)


class TestPages(PanelCase):
    def test_the_balance_is_there_and_a_short_press_turns_all_the_way_round(self):
        self.show(views.view())
        seen = [self.table.title()]
        for _ in range(9):
            self.table.press(300)
            seen.append(self.table.title())
        self.assertEqual(
            seen,
            ["Balance", "Price/kWh", "Block 2 of 3", "Power now", "Today", "Hours", "Top-ups"]
            + ["Token", "Meter", "Status"],
        )
        self.table.press(300)
        self.assertEqual(self.table.title(), "Balance")

    def test_what_is_on_the_glass_is_what_was_drawn(self):
        self.show(views.view())
        self.assertEqual(self.table.oled.frame(), self.table.frame)

    def test_half_a_minute_after_a_page_the_balance_is_back(self):
        self.show(views.view())
        self.table.press(300)
        self.table.run(28000)
        self.assertEqual(self.table.title(), "Price/kWh")
        self.table.run(3000)
        self.assertEqual(self.table.title(), "Balance")

    def test_a_long_press_turns_nothing(self):
        self.show(views.view())
        self.table.press(1000)
        self.assertEqual(self.table.title(), "Balance")

    def test_pages_are_there_when_there_is_something_on_them(self):
        names = self.panel.pages.names
        bare = views.view(token=None, rate=None)
        self.assertEqual(
            names(bare), ["home", "price", "power", "today", "chart", "top_ups", "meter", "state"]
        )
        full = views.view(export_wh=1, messages=[views.MESSAGE])
        self.assertIn("export", names(full))
        self.assertIn("message", names(full))

    def test_a_page_that_ends_while_it_is_shown_gives_way(self):
        self.show(views.view(messages=[views.MESSAGE]))
        for _ in range(20):
            self.table.press(300)
            if self.table.title() == "Message":
                break
        self.assertEqual(self.table.title(), "Message")
        self.show(views.view())
        self.assertEqual(self.table.title(), "Balance")

    def test_the_chart_asks_for_the_day_once_and_draws_its_hours(self):
        self.show(views.view())
        for _ in range(5):
            self.table.press(300)
        self.table.run(2000)
        self.assertEqual(self.table.asked.count(("tell", "day")), 1)
        day = 1798761600
        rows = [[day - 3600, 999, 0, 0, 0, 0, 0], [day, 100, 0, 0, 0, 0, 0]]
        rows.append([day + 7200, 300, 0, 0, 0, 0, 0])
        self.panel.answer("month", "{}")
        self.panel.answer("day", json.dumps({"rows": rows, "split": day, "from": 0}))
        self.table.run(1000)
        self.assertEqual(self.table.screens.last.bars, (100, 0, 300))
        self.panel.answer("day", "")
        self.assertEqual(self.panel.pages.hours, (100, 0, 300))

    def test_a_message_longer_than_a_screen_turns_by_itself(self):
        text = " ".join(["word%02d" % index for index in range(24)])
        self.show(views.view(messages=[{"time": views.NOW, "text": text}]))
        seen = []
        for _ in range(8):
            self.table.press(300)
        self.assertEqual(self.table.title(), "Message")
        for _ in range(14):
            self.table.run(1000)
            for row in self.table.screens.last.fine:
                seen += row.split()
        self.assertEqual(sorted(set(seen)), sorted(text.split()))


class TestAlerts(PanelCase):
    def titles(self, view, seconds=12):
        self.panel.show(view)
        found = []
        for _ in range(seconds):
            self.table.run(1000)
            if self.table.title() not in found:
                found.append(self.table.title())
        return sorted(found)

    def test_a_warning_and_the_balance_take_turns(self):
        self.assertEqual(self.titles(views.view(**LOW)), ["Balance", "Credit is low"])

    def test_when_the_supply_is_off_nothing_else_is_said(self):
        self.assertEqual(self.titles(views.off()), ["Supply OFF"])
        ready = views.view(supply=views.supply(state="ready"), zone="low1")
        self.assertEqual(self.titles(ready), ["READY"])

    def test_what_is_offered_takes_turns_with_what_is_wrong(self):
        view = views.off()
        view["emergency"] = views.OFFERED
        self.assertEqual(self.titles(view), ["Emergency", "Supply OFF"])

    def test_several_alarms_are_all_said(self):
        view = views.view(alarms=["ledger", "meter"])
        self.panel.show(view)
        said = []
        for _ in range(14):
            self.table.run(1000)
            said.append(self.table.screens.last.sentence)
        self.assertIn("Money record is damaged. Call the utility", said)
        self.assertIn("Measuring chip does not answer", said)

    def test_pages_can_be_turned_behind_an_alert(self):
        self.show(views.off())
        self.table.press(300)
        self.assertEqual(self.table.title(), "Owed")
        self.table.press(300)
        self.assertEqual(self.table.title(), "Price/kWh")
        self.table.run(31000)
        self.assertEqual(self.table.title(), "Supply OFF")

    def test_a_cut_in_more_than_a_quarter_of_an_hour_is_not_said(self):
        self.assertEqual(self.titles(views.view(supply=views.supply(cut_in_s=1200))), ["Balance"])
        self.assertIn("OFF in 15 min", self.titles(views.view(supply=views.supply(cut_in_s=890))))


class TestButton(PanelCase):
    def test_a_press_is_told_while_it_lasts_and_its_end_once(self):
        self.show(views.view(supply=views.supply(state="ready")))
        self.table.press(3200)
        # At 0, 250, ... 3000 and 3200 at the latest; a press behind a press that was taken.
        self.assertEqual(set(self.table.asked), {("press",), ("release",)})
        self.assertGreaterEqual(self.table.asked.count(("press",)), 12)
        self.assertEqual(self.table.asked.count(("release",)), 1)
        self.assertEqual(self.table.asked[-1], ("release",))

    def test_presses_that_nobody_takes_do_not_pile_up(self):
        self.show(views.view())
        self.table.button.down = True
        self.table.run(5000, take=False)
        self.table.button.down = False
        self.table.run(100, take=False)
        self.table.take()
        self.assertEqual(self.table.asked, [("press",), ("release",)])

    def test_the_bar_grows_while_the_button_is_held(self):
        self.show(views.view(supply=views.supply(state="ready")))
        self.table.button.down = True
        found = []
        for _ in range(3):
            self.table.run(1000)
            found.append(self.table.screens.last.progress)
        self.assertTrue(200 < found[0] < 400 < found[1] < 700 < found[2] <= 1000, found)

    def test_three_seconds_take_the_emergency_credit_and_close_nothing(self):
        view = views.off()
        view["emergency"] = views.OFFERED
        self.show(view)
        self.table.press(2500)
        self.assertNotIn(("accept",), self.table.asked)
        del self.table.asked[:]
        self.table.button.down = True
        self.table.run(3300)
        self.assertEqual(self.table.asked.count(("accept",)), 1)
        taken = self.table.asked.index(("accept",))
        self.assertEqual(self.table.asked[taken + 1], ("release",))
        # The supply is ready now; a finger that stays down closes nothing.
        self.panel.show(views.view(supply=views.supply(state="ready")))
        self.table.run(4000)
        self.table.button.down = False
        self.table.run(100)
        self.assertNotIn(("press",), self.table.asked[taken:])
        del self.table.asked[:]
        self.table.press(500)
        self.assertIn(("press",), self.table.asked)

    def test_a_button_that_was_down_before_takes_no_emergency_credit(self):
        self.show(views.view())
        self.table.button.down = True
        self.table.run(5000)
        view = views.off()
        view["emergency"] = views.OFFERED
        self.show(view, 5000)
        self.assertNotIn(("accept",), self.table.asked)

    def test_a_ready_supply_is_closed_and_no_emergency_credit_taken(self):
        ready = views.view(supply=views.supply(state="ready"), emergency=views.OFFERED)
        self.show(ready)
        self.table.press(4000)
        self.assertNotIn(("accept",), self.table.asked)


class TestKeypad(PanelCase):
    def test_keys_reach_the_agent_in_order(self):
        self.show(views.view())
        self.table.type("12*3#")
        self.assertEqual(
            self.table.asked,
            [("key", "1"), ("key", "2"), ("key", "erase"), ("key", "3"), ("key", "enter")],
        )

    def test_keys_are_seen_before_the_agent_has_taken_them(self):
        self.show(views.view(token=views.token(typed="12")))
        self.table.type("34*5", take=False)
        layout = self.table.screens.last
        self.assertEqual((layout.corner, layout.rows[0][0]), ("4/20", "1235"))
        self.table.type("#", take=False)
        self.assertEqual(self.table.screens.last.rows[0][0], "One moment...")

    def test_a_digit_stays_while_the_agent_has_it_and_the_view_does_not(self):
        self.show(views.view())
        self.table.type("12")
        self.assertEqual(self.table.screens.last.corner, "2/20")
        self.show(views.view(token=views.token(typed="12")))
        self.assertEqual(self.table.screens.last.corner, "2/20")

    def test_what_became_of_a_token_stands_for_six_seconds(self):
        view = views.view(token=views.token(result=1))
        self.show(view, 5500)
        self.assertEqual(self.table.title(), "Token")
        self.show(view, 1000)
        self.assertEqual(self.table.title(), "Balance")

    def test_no_more_than_twenty_digits_are_seen(self):
        self.show(views.view(token=views.token(typed="1" * 19)))
        self.table.type("22", take=False)
        self.assertEqual(self.table.screens.last.corner, "20/20")

    def test_keys_are_looked_at_each_20_ms_while_a_picture_is_sent_too(self):
        looks = []
        read = self.table.keypad.read
        self.table.keypad.read = lambda: looks.append(self.table.clock.ticks_ms()) or read()
        self.show(views.view(), 300)
        self.assertGreater(self.table.oled.bytes, 1024)
        gaps = [looks[index] - looks[index - 1] for index in range(1, len(looks))]
        self.assertEqual(min(gaps), 20)
        self.assertLess(max(gaps), 40)

    def test_groups_of_four(self):
        self.show(views.view(token=views.token(typed="12345678901234567890")))
        rows = [row[0] for row in self.table.screens.last.rows]
        self.assertEqual(rows[:2], ["1234-5678-9012-", "3456-7890"])

    def test_a_lock_out_counts_down(self):
        self.show(views.view(token=views.token(result=15, wait_s=320)))
        self.assertEqual(self.table.title(), "wait 5 min")
        self.show(views.view(token=views.token(result=15, wait_s=9)))
        self.assertEqual(self.table.title(), "wait 9 s")

    def test_the_key_a_turns_the_page(self):
        self.show(views.view())
        self.table.type("A")
        self.assertEqual(self.table.title(), "Price/kWh")
        self.assertEqual(self.table.asked, [])


class TestGlass(PanelCase):
    def test_an_unplugged_glass_is_counted_and_tried_again(self):
        self.table.oled.silent = True
        self.show(views.view(), 11000)
        # At once, after 5 s and after 10 s.
        self.assertEqual(self.panel.faults, 3)
        self.table.type("1")
        self.assertEqual(self.table.asked, [("key", "1")])
        self.table.oled.silent = False
        self.table.run(6000)
        self.assertEqual(self.panel.faults, 3)
        self.assertEqual(self.table.oled.frame(), self.table.frame)

    def test_one_unplugged_and_plugged_in_again_shows_the_newest(self):
        self.show(views.view())
        self.table.oled.brown_out()
        self.table.oled.silent = True
        self.show(views.view(available_micro=1000000), 7000)
        self.table.oled.silent = False
        self.table.run(6000)
        self.assertEqual(self.table.oled.frame(), self.table.frame)
        self.assertGreater(self.panel.faults, 0)

    def test_without_a_view_nothing_is_drawn(self):
        self.table.run(1000)
        self.assertEqual(self.table.oled.bytes, 0)

    def test_a_step_of_work_sends_one_piece_at_most(self):
        self.show(views.view())
        self.panel.show(views.off())
        for _ in range(200):
            del self.table.port.sent[:]
            self.table.clock.advance(max(self.panel.work(), 1))
            self.assertLessEqual(sum(self.table.port.sent), 32)
