"""When a household is alerted, and with what words."""

import unittest

from wattledger.agent.display import notice_words as words
from wattledger.agent.display import notices
from wattledger.agent.display.notices import Notices, Settings
from wattledger.hal.storage.memory import MemoryStorage

NOON = 1_799_726_400  # 2027-01-12 04:00 UTC, 12:00 in UTC+8
HOUR = 3600
OFFSET = 8 * HOUR
HELD = 94
UNIT = 1_000_000


def view_of(**changes):
    """What the view model has of a house with 40.00 left; 5.00 and 2.00 are its levels."""
    view = {
        "meter": "demo-0001",
        "time": NOON,
        "trust": "synced",
        "utc_offset_s": OFFSET,
        "currency": "CNY",
        "available_micro": 40 * UNIT,
        "low_micro": [5 * UNIT, 2 * UNIT],
        "days_left": None,
        "tamper": 0,
        "messages": [],
        "supply": {"state": "connected", "reason": None, "restore_micro": 0, "cut_in_s": None},
    }
    for key, value in changes.items():
        if key in view["supply"]:
            view["supply"][key] = value
        else:
            view[key] = value
    return view


class Household(unittest.TestCase):
    def setUp(self):
        self.sent = []
        self.held = []
        self.storage = MemoryStorage()
        self.start()

    def boot(self, **settings):
        """The rules anew on the same storage, after a power cut."""
        self.storage.power_cut()
        self.notices = Notices(
            Settings(**settings),
            self.storage,
            lambda kind, view: self.sent.append(notices.NAMES[kind]),
            lambda code, kind: self.held.append((code, notices.NAMES[kind])),
            HELD,
        )

    def start(self, **settings):
        self.boot(**settings)
        self.notices.look(view_of())

    def look(self, **changes):
        """(sent, held back) because of one view."""
        self.sent, self.held = [], []
        self.notices.look(view_of(**changes))
        self.assertEqual([code for code, _ in self.held], [HELD] * len(self.held))
        return self.sent, [name for _, name in self.held]


class TestLowCredit(Household):
    def test_each_level_is_told_once_as_it_is_crossed(self):
        self.assertEqual(self.look(available_micro=5 * UNIT + 1), ([], []))
        self.assertEqual(self.look(available_micro=5 * UNIT), (["low1"], []))
        self.assertEqual(self.look(available_micro=3 * UNIT), ([], []))
        self.assertEqual(self.look(available_micro=2 * UNIT), (["low2"], []))
        self.assertEqual(self.look(available_micro=1), ([], []))

    def test_a_balance_on_the_edge_tells_nothing_twice(self):
        self.look(available_micro=5 * UNIT)
        # 5.00 and a tenth of it: up to 5.50 the level is not left.
        tomorrow = NOON + 86400
        self.assertEqual(self.look(available_micro=5_500_000, time=tomorrow), ([], []))
        self.assertEqual(self.look(available_micro=5 * UNIT, time=tomorrow), ([], []))
        self.look(available_micro=5_500_001, time=tomorrow)
        self.assertEqual(self.look(available_micro=5 * UNIT, time=tomorrow), (["low1"], []))

    def test_a_level_is_told_at_most_once_a_day(self):
        self.look(available_micro=5 * UNIT)
        self.look(available_micro=40 * UNIT)
        late = NOON + 12 * HOUR - 1  # 23:59:59
        self.assertEqual(self.look(available_micro=4 * UNIT, time=late), ([], ["low1"]))
        self.look(available_micro=40 * UNIT, time=late)
        self.assertEqual(self.look(available_micro=4 * UNIT, time=late + 1), (["low1"], []))

    def test_both_levels_at_once_are_one_alert(self):
        self.assertEqual(self.look(available_micro=UNIT), (["low2"], ["low1"]))
        # 2.20 leaves the second level, the first still holds and was never told.
        self.assertEqual(self.look(available_micro=3 * UNIT), ([], []))

    def test_few_days_left_are_low_credit_too(self):
        self.assertEqual(self.look(days_left=3), ([], []))
        self.assertEqual(self.look(days_left=2), (["low1"], []))
        self.assertEqual(self.look(days_left=0), (["low2"], []))
        self.assertEqual(self.look(days_left=3, time=NOON + 86400), ([], []))
        self.assertEqual(self.look(days_left=2, time=NOON + 86400), ([], []))
        self.assertEqual(self.look(days_left=4, time=NOON + 86400), ([], []))
        self.assertEqual(self.look(days_left=2, time=NOON + 86400), (["low1"], []))

    def test_without_a_tariff_or_a_ledger_nothing_is_low(self):
        self.assertEqual(self.look(available_micro=None, low_micro=None), ([], []))

    def test_a_customer_on_credit_is_told_nothing_of_money(self):
        self.start(prepay=False)
        self.assertEqual(self.look(available_micro=0, days_left=0, cut_in_s=60), ([], []))

    def test_a_cut_that_comes_is_told_a_quarter_of_an_hour_before(self):
        self.assertEqual(self.look(cut_in_s=901), ([], []))
        self.assertEqual(self.look(cut_in_s=900), (["cut_soon"], []))
        self.assertEqual(self.look(cut_in_s=1800), ([], []))
        self.assertEqual(self.look(cut_in_s=800), ([], []))
        self.look(cut_in_s=1801)
        self.assertEqual(self.look(cut_in_s=800), (["cut_soon"], []))


class TestSupply(Household):
    def test_a_cut_and_what_follows_are_told(self):
        self.assertEqual(self.look(state="disconnected", reason="no credit"), (["cut"], []))
        self.assertEqual(self.look(state="disconnected", reason="no credit"), ([], []))
        self.assertEqual(self.look(state="ready"), (["ready"], []))
        self.assertEqual(self.look(state="connected"), (["restored"], []))

    def test_a_supply_that_was_armed_and_is_no_more_was_off_already(self):
        self.look(state="disconnected")
        self.look(state="ready")
        self.assertEqual(self.look(state="disconnected"), ([], []))

    def test_a_supply_that_goes_up_and_down_is_told_once_in_ten_minutes(self):
        self.look(state="disconnected")
        self.look(state="connected")
        again = NOON + 599
        self.assertEqual(self.look(state="disconnected", time=again), ([], ["cut"]))
        self.look(state="connected", time=again)
        self.assertEqual(self.look(state="disconnected", time=again + 1), (["cut"], []))

    def test_a_new_tamper_is_told_and_the_same_is_not(self):
        self.assertEqual(self.look(tamper=1 << 8), (["tamper"], []))
        self.assertEqual(self.look(tamper=1 << 8), ([], []))
        self.assertEqual(self.look(tamper=1 << 8 | 1 << 9), (["tamper"], []))
        self.look(tamper=0)
        self.assertEqual(self.look(tamper=1 << 8), (["tamper"], []))

    def test_a_message_of_the_utility_is_told_once(self):
        first = [{"time": NOON, "text": "Work in your street"}]
        self.assertEqual(self.look(messages=first), (["message"], []))
        self.assertEqual(self.look(messages=first), ([], []))
        self.look(messages=[])
        second = [{"time": NOON + 1, "text": "It is done"}]
        self.assertEqual(self.look(messages=second), (["message"], []))


class TestQuietHours(Household):
    NIGHT = NOON + 11 * HOUR  # 23:00
    MORNING = NOON + 19 * HOUR  # 07:00

    def setUp(self):
        Household.setUp(self)
        self.start(quiet=(22 * 60, 7 * 60))

    def test_what_can_wait_is_told_when_they_are_over(self):
        low = {"available_micro": 4 * UNIT}
        self.assertEqual(self.look(time=self.NIGHT, **low), ([], ["low1"]))
        self.assertEqual(self.look(time=self.MORNING - 1, **low), ([], []))
        self.assertEqual(self.look(time=self.MORNING, **low), (["low1"], []))
        self.assertEqual(self.look(time=self.MORNING + 1, **low), ([], []))

    def test_what_is_over_by_the_morning_is_not_told(self):
        self.look(time=self.NIGHT, available_micro=4 * UNIT, tamper=1)
        self.assertEqual(self.look(time=self.MORNING, available_micro=40 * UNIT), ([], []))

    def test_a_cut_and_one_that_comes_are_told_at_night_too(self):
        self.assertEqual(self.look(time=self.NIGHT, cut_in_s=600), (["cut_soon"], []))
        self.assertEqual(self.look(time=self.NIGHT, state="disconnected"), (["cut"], []))
        self.assertEqual(self.look(time=self.NIGHT, state="connected"), ([], ["restored"]))

    def test_the_edges_belong_to_the_hours_as_clocks_say_it(self):
        ten = NOON + 10 * HOUR
        self.assertEqual(self.look(time=ten - 1, tamper=1), (["tamper"], []))
        self.assertEqual(self.look(time=ten, tamper=3), ([], ["tamper"]))

    def test_hours_that_do_not_cross_midnight(self):
        self.start(quiet=(12 * 60, 14 * 60))
        self.assertEqual(self.look(tamper=1), ([], ["tamper"]))
        self.assertEqual(self.look(tamper=1, time=NOON + 2 * HOUR), (["tamper"], []))

    def test_a_clock_that_nobody_set_knows_no_night(self):
        found = self.look(time=self.NIGHT, trust="unknown", tamper=1)
        self.assertEqual(found, (["tamper"], []))


class TestBoots(Household):
    def test_a_boot_tells_nothing_again(self):
        now = {
            "available_micro": UNIT,
            "tamper": 2,
            "messages": [{"time": 5, "text": "x"}],
            "state": "disconnected",
            "cut_in_s": 60,
        }
        told = ["low2", "cut_soon", "cut", "tamper", "message"]
        self.assertEqual(self.look(**now), (told, ["low1"]))
        self.boot()
        self.assertEqual(self.look(**now), ([], []))

    def test_a_boot_does_not_begin_the_day_anew(self):
        self.look(available_micro=4 * UNIT)
        self.look()
        self.boot()
        self.assertEqual(self.look(available_micro=4 * UNIT), ([], ["low1"]))

    def test_what_was_held_back_is_told_after_a_boot(self):
        night = (22 * 60, 7 * 60)
        self.start(quiet=night)
        self.look(time=TestQuietHours.NIGHT, tamper=1)
        self.boot(quiet=night)
        self.assertEqual(self.look(time=TestQuietHours.MORNING, tamper=1), (["tamper"], []))

    def test_a_supply_that_was_cut_before_a_boot_is_told_as_restored_after_it(self):
        self.look(state="disconnected")
        self.boot()
        self.assertEqual(self.look(), (["restored"], []))

    def test_damaged_memory_tells_nothing_of_the_supply(self):
        self.look(state="disconnected")
        self.storage.commit(notices.STORE, b"\x01damaged")
        self.boot()
        self.assertEqual(self.look(), ([], []))


class TestWords(unittest.TestCase):
    def test_both_languages_have_the_same_words(self):
        self.assertEqual(sorted(words.EN), sorted(words.ZH))
        self.assertEqual(sorted(words.EN["tampers"]), sorted(words.ZH["tampers"]))
        for key, text in words.EN.items():
            if key != "tampers":
                self.assertEqual(text.count("%"), words.ZH[key].count("%"), key)

    def test_low_credit_says_what_is_left_and_for_how_long(self):
        view = view_of(available_micro=4_209_999, days_left=2)
        self.assertEqual(
            words.compose(notices.LOW_1, view, "en"),
            (
                "Credit is getting low - Meter demo-0001",
                "4.20 CNY left. That lasts about 2 days. Please top up.",
            ),
        )
        self.assertEqual(
            words.compose(notices.LOW_2, view_of(available_micro=-1, days_left=0), "zh"),
            ("电费余额不足 - 电表 demo-0001", "剩余 -0.01 CNY。不足一天。请购电。"),
        )

    def test_a_cut_says_why_and_what_to_pay(self):
        view = view_of(state="disconnected", reason="no credit", restore_micro=3 * UNIT)
        text = words.compose(notices.CUT, view, "en")[1]
        self.assertEqual(text, "Reason: no credit. Pay at least 3.00 CNY.")
        view = view_of(state="disconnected", reason="load limit")
        self.assertEqual(words.compose(notices.CUT, view, "zh")[1], "原因：负荷过大。")

    def test_the_rest_in_words(self):
        view = view_of(cut_in_s=719, available_micro=300_000)
        self.assertEqual(
            words.compose(notices.CUT_SOON, view, "en")[1],
            "In about 11 minutes. 0.30 CNY left. Please top up.",
        )
        view = view_of(tamper=1 << 8 | 1 << 9)
        self.assertEqual(
            words.compose(notices.TAMPER, view, "en")[1],
            "Please have it looked at: cover open, magnet.",
        )
        view = view_of(messages=[{"time": 1, "text": "停电检修"}])
        self.assertEqual(words.compose(notices.MESSAGE, view, "en")[1], "停电检修")
        self.assertEqual(words.compose(notices.READY, view, "zh")[1], "请在电表上按住按钮 3 秒。")
        for language in words.LANGUAGES:
            for kind in notices.NAMES:
                view = view_of(messages=[{"time": 1, "text": "x"}], cut_in_s=60)
                self.assertTrue(all(words.compose(kind, view, language)))


if __name__ == "__main__":
    unittest.main()
