"""Corrections: what they reach, what they cost, and that they are posted once. Sums by hand."""

import unittest

from wattledger.agent.billing.debt import MAX_OWED
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import segment_name
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.tests.both import test_agent_account as example
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_tariffs import DAY, credit, local_2027

HEAP = "512K"

NOON = local_2027(6, 2, 12)
MIDNIGHT = local_2027(6, 3)
FLAT = {"blocks": [], "price": [[0, 1000000]]}  # peak: 1 Wh is 1 000 000 nano
JUNE = 20270601


class TestWorkedExample(unittest.TestCase):
    """The end of the example of the design, section 4: records 8 to 10 by the prices of n = 3."""

    def books(self):
        start = local_2027(1, 31, 7, 30)
        books = Books(start, balance=50000000000, used_wh=99100)
        books.account.dynamic = example.Slot(local_2027(1, 31, 9), -54321)
        for number, (month, day, hour, minute, wh, export, _) in enumerate(example.INTERVALS):
            at = local_2027(month, day, hour, minute)
            if number == 7:
                prices = example.SECOND_PRICES
                books.switch(at, n=2, price=prices, standing_day=260003)
            books.interval(at, wh, export)
        self.assertEqual(books.journal.balance, 47613113558)
        return books

    def test_adjustments_balance_and_nothing_the_second_time(self):
        books = self.books()
        prices = [[290003, 690003], [480007, 850011]]
        start, until = local_2027(1, 31, 20), local_2027(2, 1, 0, 15)
        before = [entry.hash for entry in books.entries(records.INTERVAL)]
        adjusted = books.correct(start, until, 3, price=prices, standing_day=260003)
        self.assertEqual(adjusted, [(20270101, 39510450, 0, 0), (20270201, 5228954, 0, 0)])
        self.assertEqual(books.journal.balance, 47657852962)
        self.assertEqual([entry.hash for entry in books.entries(records.INTERVAL)], before)
        for _ in range(2):
            again = books.offer(start, until, 3, price=prices, standing_day=260003)
            self.assertFalse(again)
            self.assertEqual(books.work(), 0)
            books.boot()
        self.assertEqual(books.journal.balance, 47657852962)
        self.assertEqual(books.sum(), 47657852962)

    def test_the_dynamic_slot_keeps_its_price(self):
        books = self.books()
        # Records 5 and 6: 777 Wh stay at -54321; 3 Wh peak in the second block go from 999999 to
        # 999998, and 1501 Wh of export from 123457 to 123458.
        prices = [[333333, 777777], [555555, 999998]]
        start, until = local_2027(1, 31, 9), local_2027(1, 31, 12, 15)
        adjusted = books.correct(start, until, 3, price=prices, export=[123458])
        self.assertEqual(adjusted, [(20270101, 3 + 1501, 0, 0)])


class TestReach(unittest.TestCase):
    def test_energy_before_keeps_its_price_and_fills_the_blocks(self):
        document = {"blocks": [1], "price": [[0, 1000000], [0, 3000000]]}
        books = Books(NOON, **document)
        for number in range(3):
            books.interval(NOON + number * 900, 600)
        # 600 + 400 Wh at 1, 200 + 600 at 3: 3 400 000 000 in all.
        self.assertEqual(books.journal.balance, 10**12 - 3400000000)
        # The second and third interval in blocks of 1 kWh at 2 and 5: 400 Wh + 800 Wh instead.
        document["price"] = [[0, 2000000], [0, 5000000]]
        adjusted = books.correct(NOON + 900, NOON + 2700, **document)
        was = 400 * 1000000 + 800 * 3000000
        by_it = 400 * 2000000 + 800 * 5000000
        self.assertEqual(adjusted, [(JUNE, was - by_it, 0, 0)])

    def test_other_block_limits_are_counted_from_the_cycles_start(self):
        books = Books(NOON, **FLAT)
        for number in range(3):
            books.interval(NOON + number * 900, 600)
        # Blocks of 1 kWh at 1 and 2: the third interval lies wholly in the second block.
        document = {"blocks": [1], "price": [[0, 1000000], [0, 2000000]]}
        adjusted = books.correct(NOON + 1800, NOON + 2700, **document)
        self.assertEqual(adjusted, [(JUNE, -600 * 1000000, 0, 0)])

    def test_it_begins_at_commissioning_and_ends_at_its_own_entry(self):
        books = Books(NOON, **FLAT)
        books.interval(NOON, 100)
        adjusted = books.correct(0, NOON + 40 * DAY, price=[[0, 3000000]], blocks=[])
        self.assertEqual(adjusted, [(JUNE, -100 * 2000000, 0, 0)])
        books.interval(NOON + 900, 100)
        self.assertEqual(books.work(), 0)
        self.assertEqual(books.journal.balance, 10**12 - 300000000 - 100000000)

    def test_an_interval_over_the_edge_keeps_its_charge(self):
        books = Books(NOON, **FLAT)
        books.interval(NOON, 50, 7, seconds=1800)
        books.interval(NOON + 1800, 100)
        adjusted = books.correct(NOON + 900, NOON + 2700, price=[[0, 0]], blocks=[])
        self.assertEqual(adjusted, [(JUNE, 100 * 1000000, 57, 0)])

    def test_a_gap_over_two_bands_keeps_its_charge(self):
        books = Books(NOON, **FLAT)
        evening = local_2027(6, 2, 21)
        books.interval(evening, 40, seconds=7200)  # peak until 22:00, then valley
        books.interval(evening + 7200, 30)  # valley: costs nothing
        document = {"blocks": [], "price": [[5000000, 2000000]], "export": [0]}
        adjusted = books.correct(NOON, evening + DAY, **document)
        self.assertEqual(adjusted, [(JUNE, -30 * 5000000, 40, 0)])

    def test_a_gap_within_one_band_of_the_document_is_rated(self):
        books = Books(NOON, **FLAT)
        evening = local_2027(6, 2, 21)
        books.interval(evening, 40, seconds=7200)
        document = {"blocks": [], "bands": ["flat"], "price": [[2000000]], "fallback": 0}
        document["days"] = {"all": [[0, 0]]}
        adjusted = books.correct(NOON, evening + DAY, **document)
        self.assertEqual(adjusted, [(JUNE, -40 * 1000000, 0, 0)])

    def test_a_gap_over_the_cycles_end_keeps_its_charge(self):
        books = Books(local_2027(6, 30), **FLAT)
        books.interval(local_2027(6, 30, 23), 40, seconds=7200)
        adjusted = books.correct(local_2027(6, 1), local_2027(7, 2), **FLAT)
        self.assertEqual(adjusted, [(JUNE, 0, 40, 0)])

    def test_an_untrusted_interval_takes_the_new_fallback_band(self):
        books = Books(NOON, blocks=[], price=[[7000000, 1000000]])
        books.interval(NOON, 100, trust=TRUST_RESTORED)  # fallback 1: the peak's price
        books.interval(NOON + 900, 100)
        document = {"blocks": [], "fallback": 0, "price": [[4000000, 1000000]]}
        adjusted = books.correct(NOON, NOON + 1800, **document)
        self.assertEqual(adjusted, [(JUNE, -100 * 3000000, 0, 0)])

    def test_netting_is_done_anew(self):
        books = Books(NOON, export=[200000], **FLAT)
        books.interval(NOON, 100, 70)  # -100 x 1 + 70 x 0.2
        books.interval(NOON + 900, 20, 80)  # -20 x 1 + 80 x 0.2
        self.assertEqual(books.journal.balance, 10**12 - 120000000 + 30000000)
        # Net: 30 Wh bought at 1, then 60 Wh sold at 0.2.
        adjusted = books.correct(NOON, NOON + 1800, net=True, export=[200000], **FLAT)
        self.assertEqual(adjusted, [(JUNE, 90000000 - 30000000 + 12000000, 0, 0)])

    def test_without_netting_what_export_had_covered_has_the_price_of_its_slot(self):
        books = Books(NOON, net=True, export=[0], **FLAT)
        books.account.dynamic = example.Slot(NOON, 5000000)
        books.interval(NOON, 70, 100)  # 30 Wh sold for nothing
        adjusted = books.correct(NOON, NOON + 900, export=[0], **FLAT)
        self.assertEqual(adjusted, [(JUNE, -70 * 5000000, 0, 0)])

    def test_energy_from_before_the_first_tariff_is_charged_by_it(self):
        books = Books(NOON, **FLAT)
        books.account.tariff = None
        books.interval(NOON, 100)
        self.assertEqual(books.journal.balance, 10**12)
        books.switch(NOON + 900, n=2, **FLAT)
        adjusted = books.correct(NOON, NOON + 900, n=3, **FLAT)
        self.assertEqual(adjusted, [(JUNE, -100000000, 0, 0)])


class TestStanding(unittest.TestCase):
    def books(self, standing, days=3):
        books = Books(MIDNIGHT - DAY, standing_day=standing, **FLAT)
        for day in range(days):
            books.interval(MIDNIGHT - DAY // 2 + day * DAY, 0)
        return books

    def test_each_date_that_begins_in_it(self):
        books = self.books(300)  # 2, 3 and 4 June
        adjusted = books.correct(MIDNIGHT, MIDNIGHT + DAY + 900, standing_day=500, **FLAT)
        self.assertEqual(adjusted, [(JUNE, -2 * 200000, 0, 0)])

    def test_where_none_was_charged(self):
        books = self.books(0)
        adjusted = books.correct(0, MIDNIGHT + 9 * DAY, standing_day=500, **FLAT)
        self.assertEqual(adjusted, [(JUNE, -3 * 500000, 0, 0)])

    def test_a_date_to_come_is_not_charged(self):
        books = self.books(300, 1)
        adjusted = books.correct(MIDNIGHT, MIDNIGHT + DAY, standing_day=500, **FLAT)
        self.assertEqual(adjusted, [])

    def test_dates_passed_over_stay_so(self):
        books = self.books(300, 1)
        books.interval(MIDNIGHT + 40 * DAY + 900, 0)  # 41 dates missed: ten are passed over
        self.assertEqual(len(books.entries(records.STANDING)), 1 + 31)
        adjusted = books.correct(0, MIDNIGHT + 99 * DAY, standing_day=0, **FLAT)
        # 2 June; then 13 to 30 June and 1 to 13 July.
        self.assertEqual(
            adjusted, [(JUNE, (1 + 18) * 300000, 0, 0), (20270701, 13 * 300000, 0, 0)]
        )
        books = self.books(0, 1)
        books.interval(MIDNIGHT + 40 * DAY + 900, 0)
        adjusted = books.correct(0, MIDNIGHT + 99 * DAY, standing_day=300, **FLAT)
        self.assertEqual(
            adjusted, [(JUNE, -(1 + 18) * 300000, 0, 0), (20270701, -13 * 300000, 0, 0)]
        )


class TestDemand(unittest.TestCase):
    """Windows of 30 minutes of 100, 60, 150 and 40 Wh: 200, 120, 300 and 80 W."""

    def books(self, **document):
        books = Books(NOON, blocks=[], price=[[0, 0]], **document)
        for number, wh in enumerate((40, 60, 30, 30, 100, 50, 20, 20)):
            books.interval(NOON + number * 900, wh)
        return books

    def test_another_price(self):
        books = self.books(demand={"minutes": 30, "price": 1000})
        # 200 W x 1000 micro per kW, then 100 W more.
        self.assertEqual(books.journal.balance, 10**12 - 300000)
        document = {"blocks": [], "price": [[0, 0]], "demand": {"minutes": 30, "price": 1500}}
        # Only the second maximum ends in it; the first had been reached before.
        adjusted = books.correct(NOON + 1800, NOON + 7200, **document)
        self.assertEqual(adjusted, [(JUNE, -100 * 500, 0, 0)])

    def test_where_none_was_charged_and_other_windows(self):
        books = self.books()
        # Hours of 160 and 190 Wh.
        document = {"blocks": [], "price": [[0, 0]], "demand": {"minutes": 60, "price": 7}}
        self.assertEqual(books.correct(0, NOON + 7200, **document), [(JUNE, -190 * 7, 0, 0)])

    def test_none_any_more(self):
        books = self.books(demand={"minutes": 30, "price": 1000})
        adjusted = books.correct(0, NOON + 7200, blocks=[], price=[[0, 0]])
        self.assertEqual(adjusted, [(JUNE, 300000, 0, 0)])

    def test_a_window_with_a_hole_does_not_count(self):
        books = Books(NOON, blocks=[], price=[[0, 0]])
        books.interval(NOON, 500, seconds=600)
        books.interval(NOON + 900, 500)
        books.interval(NOON + 1800, 10, seconds=1800)
        document = {"blocks": [], "price": [[0, 0]], "demand": {"minutes": 30, "price": 7}}
        self.assertEqual(books.correct(0, NOON + 7200, **document), [(JUNE, -20 * 7, 0, 0)])


class TestOverlap(unittest.TestCase):
    """Four intervals of 100 Wh at 1; corrections of them one after the other."""

    def books(self):
        books = Books(NOON, **FLAT)
        for number in range(4):
            books.interval(NOON + number * 900, 100)
        return books

    def correct(self, books, first, last, n, price):
        adjusted = books.correct(
            NOON + first * 900, NOON + last * 900, n, blocks=[], price=[[0, price * 1000000]]
        )
        return [(amount // 10**8, unrated) for _, amount, unrated, _ in adjusted]

    def test_each_record_has_the_price_of_the_last(self):
        books = self.books()
        self.assertEqual(self.correct(books, 0, 3, 2, 2), [(-3, 0)])
        self.assertEqual(self.correct(books, 2, 4, 3, 5), [(-3 - 4, 0)])  # from 2 and from 1
        self.assertEqual(self.correct(books, 1, 3, 4, 1), [(1 + 4, 0)])
        # Now 2, 1, 1, 5.
        self.assertEqual(books.journal.balance, 10**12 - 9 * 10**8)
        self.assertEqual(self.correct(books, 0, 4, 5, 1), [(1 + 4, 0)])
        self.assertEqual(books.journal.balance, 10**12 - 4 * 10**8)

    def test_what_a_later_one_replaces_goes_and_the_rest_is_kept(self):
        books = self.books()
        self.correct(books, 0, 2, 2, 2)
        self.correct(books, 3, 4, 3, 3)
        self.assertEqual(self.files(books), 2)
        self.correct(books, 0, 3, 4, 4)
        self.assertEqual(self.files(books), 2)
        self.correct(books, 0, 4, 5, 5)
        self.assertEqual(self.files(books), 1)
        books.boot()
        self.assertEqual(self.correct(books, 0, 4, 6, 1), [(16, 0)])
        self.assertEqual(books.journal.balance, 10**12 - 4 * 10**8)

    def files(self, books):
        return len([name for name in books.storage.names() if name.startswith("correct")])

    def test_a_gap_that_only_the_first_could_rate(self):
        books = Books(NOON, **FLAT)
        evening = local_2027(6, 2, 21)
        books.interval(evening, 100, seconds=7200)
        document = {"blocks": [], "bands": ["flat"], "price": [[3000000]], "fallback": 0}
        document["days"] = {"all": [[0, 0]]}
        self.assertEqual(
            books.correct(NOON, NOON + DAY, 2, **document), [(JUNE, -2 * 10**8, 0, 0)]
        )
        self.assertEqual(books.correct(NOON, NOON + DAY, 3, **FLAT), [(JUNE, 0, 100, 0)])
        self.assertEqual(self.files(books), 2)  # the first still says what the gap cost
        document["price"] = [[1000000]]
        self.assertEqual(books.correct(NOON, NOON + DAY, 4, **document), [(JUNE, 2 * 10**8, 0, 0)])

    def test_standing_and_demand_too(self):
        books = Books(MIDNIGHT, standing_day=300, blocks=[], price=[[0, 0]])
        free = {"blocks": [], "price": [[0, 0]], "export": [0]}
        for number, wh in enumerate((10, 20, 30)):
            books.interval(MIDNIGHT + number * DAY, wh)
        first = dict(free, standing_day=400, demand={"minutes": 15, "price": 9})
        adjusted = books.correct(MIDNIGHT, MIDNIGHT + 2 * DAY, 2, **first)
        # Two dates; 40 W, then 80 W.
        self.assertEqual(adjusted, [(JUNE, -2 * 100000 - 80 * 9, 0, 0)])
        second = dict(free, standing_day=1000, demand={"minutes": 15, "price": 4})
        adjusted = books.correct(MIDNIGHT + DAY, MIDNIGHT + 3 * DAY, 3, **second)
        # 4 June from 400, 5 June from 300; 40 W more from 9 to 4, 40 W more for the first time.
        wanted = -600000 - 700000 + 40 * 5 - 40 * 4
        self.assertEqual(adjusted, [(JUNE, wanted, 0, 0)])

    def test_records_that_go_between_two_walks_count_in_neither(self):
        books = Books(NOON, **FLAT)
        for number in range(30):
            if number == 10:
                books.seal()
            books.interval(NOON + 900 * number, 100)
        until = NOON + 30 * 900
        books.correct(NOON, until, 2, blocks=[], price=[[0, 900000]])
        known = len(books.adjusted())
        books.offer(NOON, until, 3, blocks=[], price=[[0, 400000]])
        for _ in range(2):  # of 16 records: the first ten intervals and more
            books.corrections.work(books.now, TRUST_SYNCED, *books.registers)
        books.storage.remove(segment_name(1))
        books.work()
        self.assertEqual(books.adjusted()[known:], [(JUNE, 20 * 100 * 500000, 0, 0)])

    def test_refused(self):
        books = self.books()
        self.correct(books, 0, 2, 5, 2)
        with self.assertRaises(TariffError) as caught:
            books.offer(NOON, NOON + 900, 5, price=[[0, 3]], blocks=[])
        self.assertEqual(
            str(caught.exception), "n: must be above 5, the correction the meter took last"
        )
        with self.assertRaises(TariffError):
            books.offer(NOON, NOON + 900, 4, price=[[0, 3]], blocks=[])

    def test_eight_are_held_and_then_one_that_replaces_some(self):
        books = self.books()
        for number in range(8):
            books.correct(NOON + number * 900, NOON + 900 + number * 900, 2 + number, **FLAT)
        with self.assertRaises(TariffError) as caught:
            books.offer(NOON + 7200, NOON + 8100, 10, **FLAT)
        self.assertEqual(
            str(caught.exception),
            "correct: the meter holds 8 corrections; send one that covers several",
        )
        self.assertEqual(books.correct(NOON, NOON + 7200, 10, **FLAT), [])
        self.assertEqual(self.files(books), 1)


class TestDebit(unittest.TestCase):
    """Low 2 lies at 5.00; 100 Wh at 1 000 000 nano are 0.10."""

    LOW = {"credit": credit(low=[9000000, 5000000]), "blocks": []}

    def books(self, balance):
        books = Books(NOON, balance=balance, price=[[0, 1000000]], **self.LOW)
        books.interval(NOON, 100)
        return books

    def test_it_stops_at_low_two_and_the_rest_is_owed(self):
        books = self.books(5600000000)  # 5.50 are left
        adjusted = books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        # 0.80 more: 0.50 of it from the balance.
        self.assertEqual(adjusted, [(JUNE, -500000000, 0, 300000000)])
        self.assertEqual(books.journal.balance, 5000000000)
        self.assertEqual(books.account.debt.owed, 300000000)
        books.boot()
        self.assertEqual(books.account.debt.owed, 300000000)

    def test_where_low_two_is_0_a_micro_unit_stays(self):
        document = {"credit": credit(low=[9000000, 0]), "blocks": []}
        books = Books(NOON, balance=600000000, price=[[0, 1000000]], **document)
        books.interval(NOON, 100)  # 0.50 are left
        adjusted = books.correct(NOON, NOON + 900, price=[[0, 6000000]], **document)
        # 0.50 more: all but a micro-unit of it.
        self.assertEqual(adjusted, [(JUNE, -499999000, 0, 1000)])
        self.assertEqual(books.journal.balance, 1000)

    def test_below_low_two_all_of_it_is_owed(self):
        books = self.books(4000000000)
        adjusted = books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, 0, 0, 800000000)])

    def test_what_would_make_too_much_owed_is_not_charged(self):
        books = self.books(5600000000)
        books.account.debt.owed = MAX_OWED - 100000000
        adjusted = books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        # Of 0.80, 0.50 from the balance and 0.10 to the debt.
        self.assertEqual(adjusted, [(JUNE, -500000000, 0, 100000000)])
        self.assertEqual(books.account.debt.owed, MAX_OWED)
        books.account.debt.owed += 5  # an earlier meter took more
        adjusted = books.correct(NOON, NOON + 900, 10, price=[[0, 9500000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, 0, 0, 0)])
        self.assertEqual(books.account.debt.owed, MAX_OWED + 5)

    def test_what_it_added_to_the_debt_is_taken_from_there_when_it_is_given_back(self):
        books = self.books(5600000000)  # 5.50 are left
        dear = dict(self.LOW, price=[[0, 9000000]])
        plain = dict(self.LOW, price=[[0, 1000000]])
        for n in (9, 11):
            adjusted = books.correct(NOON, NOON + 900, n, **dear)
            self.assertEqual(adjusted, [(JUNE, -500000000, 0, 300000000)])
            adjusted = books.correct(NOON, NOON + 900, n + 1, **plain)
            self.assertEqual(adjusted, [(JUNE, 500000000, 0, -300000000)])
            books.boot()
            self.assertEqual((books.journal.balance, books.account.debt.owed), (5500000000, 0))
        # Half of it: of 0.40 all but 0.10 lowers the debt.
        books.correct(NOON, NOON + 900, 13, **dear)
        adjusted = books.correct(NOON, NOON + 900, 14, price=[[0, 5000000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, 100000000, 0, -300000000)])

    def test_what_was_paid_of_that_debt_is_given_back_to_the_balance(self):
        books = self.books(5600000000)
        books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        books.account.debt.owed = 100000000  # 0.20 were paid
        adjusted = books.correct(NOON, NOON + 900, 10, price=[[0, 1000000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, 700000000, 0, -100000000)])
        self.assertEqual(books.account.debt.owed, 0)

    def test_a_debt_of_another_origin_stays(self):
        books = self.books(9600000000)  # enough for all of it
        books.account.debt.owed = 100000000
        books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        adjusted = books.correct(NOON, NOON + 900, 10, price=[[0, 1000000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, 800000000, 0, 0)])

    def test_the_open_interval_counts(self):
        books = self.books(5600000000)
        books.registers[0] += 400  # 0.40 have accrued
        adjusted = books.correct(NOON, NOON + 900, price=[[0, 9000000]], **self.LOW)
        self.assertEqual(adjusted, [(JUNE, -100000000, 0, 700000000)])

    def test_what_is_given_back_comes_first(self):
        books = Books(local_2027(6, 30, 12), balance=5300000000, price=[[0, 1000000]], **self.LOW)
        books.interval(local_2027(6, 30, 12), 100)
        books.interval(local_2027(7, 1, 12), 200)  # 5.00 are left
        document = dict(self.LOW, price=[[0, 2000000]])
        document["seasons"] = [["0101", "all", "all"], ["0701", "night", "night"]]
        document["days"] = {"all": [[0, 1]], "night": [[0, 0]]}
        adjusted = books.correct(0, local_2027(7, 2), **document)
        # June costs 0.10 more, July gives 0.20 back.
        self.assertEqual(adjusted, [(20270701, 200000000, 0, 0), (JUNE, -100000000, 0, 0)])
