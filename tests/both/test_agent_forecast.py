"""The forecast: what it learns from whole days, and a look ahead worked out by hand."""

import unittest

from wattledger.agent.billing import forecast as forecasts
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.forecast import Forecast
from wattledger.agent.billing.outlook import MOST_DAYS, Outlook
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.fixtures_agent import tariff_of

HEAP = "384K"

DAY = 9863  # 2027-01-02, a Saturday, in days since 2000-01-01
SATURDAY = 1798819200  # unix seconds of its first instant in CST-8: 2027-01-01 16:00 UTC
UNIT = 10**9
NEVER = 10**15


def tariff(**changes):
    changes.setdefault("price", [[1000000]])
    return tariffs.load(tariff_of(**changes))


def ahead(outlook):
    for _ in range(200):
        if outlook.work():
            return outlook
    raise AssertionError("it looks for ever")


def begun(storage=None):
    """A forecast that has seen the date the meter began on, which is not learnt."""
    made = Forecast(MemoryStorage() if storage is None else storage)
    made.take(DAY - 100, 77, None, None, None)
    return made


def learnt(wh=24000, days=3, storage=None):
    made = begun(storage)
    for number in range(days):
        made.take(DAY - days + number, wh, 0, None, 0)
    return made


class TestEnd(unittest.TestCase):
    """1.00 a kWh and 24 kWh a day: 1.00 an hour."""

    def test_the_second_at_which_credit_ends(self):
        made = learnt()
        for credit, hours in ((5, 5), (24, 24), (36, 36), (60, 60)):
            found = ahead(Outlook(made, tariff(), SATURDAY, credit * UNIT, 0))
            self.assertEqual(found.ends_at, SATURDAY + hours * 3600, credit)
        # From noon on; and what is used up already ends now.
        noon = SATURDAY + 43200
        self.assertEqual(ahead(Outlook(made, tariff(), noon, 6 * UNIT, 0)).ends_at, noon + 21600)
        self.assertEqual(ahead(Outlook(made, tariff(), noon, 0, 0)).ends_at, noon)

    def test_a_standing_charge_can_end_it_at_midnight(self):
        made = learnt()
        fixed = tariff(standing_day=2_000_000)
        found = ahead(Outlook(made, fixed, SATURDAY, 25 * UNIT, 0))
        self.assertEqual(found.ends_at, SATURDAY + 86400)
        # 24.00 of 27.00 on the first day, 2.00 at midnight, then an hour.
        found = ahead(Outlook(made, fixed, SATURDAY, 27 * UNIT, 0))
        self.assertEqual(found.ends_at, SATURDAY + 86400 + 3600)

    def test_credit_that_lasts_for_ever_has_no_end(self):
        found = ahead(Outlook(learnt(), tariff(), SATURDAY, NEVER, 0))
        self.assertEqual((found.days, found.ends_at), (MOST_DAYS, None))

    def test_the_rest_of_the_calendar_month(self):
        # From 2027-01-30 06:00: three quarters of that day, and the 31st; a charge of 2.00 once.
        fixed = tariff(standing_day=2_000_000)
        start = SATURDAY + 28 * 86400 + 6 * 3600
        for credit in (1, 10_000):  # whether or not it lasts so long
            found = ahead(Outlook(learnt(), fixed, start, credit * UNIT, 0))
            self.assertEqual(found.month_wh, 18_000 + 24_000)
            self.assertEqual(found.month_nano, 42 * UNIT + 2 * UNIT)


class TestLearning(unittest.TestCase):
    def test_two_whole_days_and_not_one(self):
        made = begun()
        self.assertTrue(made.is_learning())
        made.take(DAY, 9000, 0, None, 0)
        self.assertTrue(made.is_learning())
        made.take(DAY + 1, 9000, 0, None, 0)
        self.assertFalse(made.is_learning())

    def test_the_level_follows_by_a_third(self):
        made = learnt(9000, 2)
        made.take(DAY, 12000, 0, None, 0)
        self.assertEqual(made.level, 10000)  # 9000 + 3000 / 3
        self.assertEqual(made.day_wh(DAY + 1), 10000)
        self.assertEqual(made.spread, 375)  # an error of 3000 after one of 0: an eighth

    def test_a_day_is_learnt_once(self):
        made = learnt(9000, 2)
        made.take(DAY - 1, 90000, 0, None, 0)
        self.assertEqual((made.level, made.days), (9000, 2))

    def test_a_weekend_is_learnt_as_one(self):
        # Six weeks of 10 kWh on five days and 20 kWh on two.
        made = begun()
        for number in range(42):
            day = DAY + number
            made.take(day, 20000 if number % 7 < 2 else 10000, 0, None, 0)
        week = [made.day_wh(DAY + 42 + number) for number in range(7)]
        for wh in week[:2]:
            self.assertTrue(17000 < wh < 22000, week)
        for wh in week[2:]:
            self.assertTrue(8500 < wh < 11500, week)
        # The truth of the week is 90 kWh.
        self.assertTrue(86000 < sum(week) < 94000, week)

    def test_nothing_used_is_no_fault(self):
        made = learnt(0, 9)
        made.take(DAY, 5000, 0, None, 0)
        self.assertEqual(made.level, 1666)


class TestKeeping(unittest.TestCase):
    def test_it_goes_on_after_a_reboot(self):
        storage = MemoryStorage()
        made = learnt(storage=storage, days=10)
        again = Forecast(storage)
        for name in ("days", "last", "level", "spread", "extra", "factors"):
            self.assertEqual(getattr(again, name), getattr(made, name), name)

    def test_a_damaged_file_means_learning_again(self):
        storage = MemoryStorage()
        learnt(storage=storage)
        buffer = bytearray(100)
        size = storage.read_from(forecasts.NAME, 0, buffer)
        for at in range(size):
            altered = bytearray(buffer[:size])
            altered[at] ^= 4
            storage.commit(forecasts.NAME, altered)
            self.assertTrue(Forecast(storage).is_learning(), at)
        for short in (0, 1, size - 1):
            storage.commit(forecasts.NAME, buffer[:short])
            self.assertTrue(Forecast(storage).is_learning(), short)


class TestOutlook(unittest.TestCase):
    def test_days_left_at_one_price(self):
        # 24 kWh a day at 1.00 is 24 units a day and 1 an hour. From Saturday 18:00 with 60.00:
        # 6 to midnight, Sunday and Monday 48 more, gone at 06:00 on Tuesday: 3 midnights.
        found = ahead(Outlook(learnt(), tariff(), SATURDAY + 18 * 3600, 60 * UNIT, 0))
        self.assertEqual(found.days, 3)
        self.assertEqual(found.days_range, (3, 3))  # three equal days have no spread
        self.assertIsNone(found.cost_micro)  # no billing cycle

    def test_standing_is_charged_at_each_midnight(self):
        # As above with 2.00 a midnight: 6, 26 and 26 leave 2.00 at Tuesday's midnight,
        # which takes it all.
        document = tariff(standing_day=2000000)
        made = learnt()
        found = ahead(Outlook(made, document, SATURDAY + 18 * 3600, 60 * UNIT, 0))
        self.assertEqual(found.days, 3)
        found = ahead(Outlook(made, document, SATURDAY + 18 * 3600, 58 * UNIT, 0))
        self.assertEqual(found.days, 2)

    def test_cost_to_the_end_of_a_month_through_a_block_edge(self):
        # From 2027-01-30 00:00: two days of 24 kWh, 30 of them at 1.00 and 18 at 2.00.
        document = tariff(cycle="month", cycle_start=1, blocks=[100], price=[[1000000], [2000000]])
        start = SATURDAY + 28 * 86400
        found = ahead(Outlook(learnt(), document, start, NEVER, 70000))
        self.assertEqual(found.cost_micro, 66 * 1000000)
        self.assertEqual(found.days, MOST_DAYS)

    def test_the_block_counter_begins_again_with_the_cycle(self):
        # From 2027-01-31 00:00 in the second block: a day at 2.00 is 48; then February at 1.00,
        # 24 a day. 100 units: 48 + 24 + 24 leave 4, gone on the fourth day, after 3 midnights.
        document = tariff(
            cycle="month", cycle_start=1, blocks=[1000], price=[[1000000], [2000000]]
        )
        start = SATURDAY + 29 * 86400
        found = ahead(Outlook(learnt(), document, start, 100 * UNIT, 1000000))
        self.assertEqual(found.days, 3)
        self.assertEqual(found.cost_micro, 48 * 1000000)

    def test_bands_count_by_their_minutes(self):
        # 8 h at 0.50 and 16 h at 2.00 are 1.50 on average: 36 a day.
        document = tariff(
            bands=["low", "high"],
            price=[[500000, 2000000]],
            days={"w": [[0, 0], [480, 1]]},
            export=[],
        )
        found = ahead(Outlook(learnt(), document, SATURDAY, 73 * UNIT, 0))
        self.assertEqual(found.days, 2)
        found = ahead(Outlook(learnt(), document, SATURDAY, 72 * UNIT, 0))
        self.assertEqual(found.days, 1)

    def test_what_the_model_misses_is_learnt_beside_it(self):
        # Each day 24 kWh were used and the sun earned 12 units: it cost 12, not 24.
        document = tariff()
        made = begun()
        for number in range(3):
            made.take(DAY - 3 + number, 24000, -12 * UNIT, document, 0)
        self.assertEqual(made.extra, 12 * UNIT)
        self.assertEqual(ahead(Outlook(made, document, SATURDAY, 25 * UNIT, 0)).days, 2)

    def test_a_sunny_house_may_never_run_out(self):
        document = tariff()
        made = begun()
        for number in range(3):
            made.take(DAY - 3 + number, 1000, 5 * UNIT, document, 0)
        self.assertEqual(ahead(Outlook(made, document, SATURDAY, UNIT, 0)).days, MOST_DAYS)

    def test_the_range_is_two_mean_errors_wide(self):
        made = learnt(24000, 3)
        made.spread = 3000  # an eighth of a day: a quarter of 1024 is 256
        found = ahead(Outlook(made, tariff(), SATURDAY, 100 * UNIT, 0))
        # 24 a day: in the 5th day; 30 a day: in the 4th; 18 a day: in the 6th.
        self.assertEqual((found.days, found.days_range), (4, (3, 5)))

    def test_a_yearly_cycle_is_walked_in_slices(self):
        document = tariff(cycle="year", cycle_start="0101")
        outlook = Outlook(learnt(), document, SATURDAY, NEVER, 0)
        slices = 1
        while not outlook.work():
            slices += 1
        # 364 days of 24 units, 8 a slice, and the day after that ends it.
        self.assertEqual(outlook.cost_micro, 364 * 24 * 1000000)
        self.assertEqual(slices, 46)


if __name__ == "__main__":
    unittest.main()
