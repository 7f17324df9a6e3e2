"""Corrections of dynamic prices: slots that had begun, before and after one of the tariff."""

import unittest

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED
from wattledger.tests.both import test_agent_account as example
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_tariffs import data, local_2027, prices_data

HEAP = "512K"

NOON = local_2027(6, 2, 12)
FLAT = {"blocks": [], "price": [[0, 1000000]]}  # peak: 1 Wh is 1 000 000 nano
JUNE = 20270601
MORNING = local_2027(1, 31, 8, 15)
SLOTS = [500000, 1, 1, 20000, 1]  # 08:15 to 09:30; records lie in the first and the fourth


class TestWorkedExample(unittest.TestCase):
    """Records 4 and 5 of the design's example at 0.5 and 0.02; then its own correction, or before.

    Record 4 cost 343 x 777777 + 391 x 999999 = 657777120 and costs 734 x 500000 = 367000000;
    record 5 earned 777 x 54321 = 42207417 and costs 777 x 20000 = 15540000.
    """

    def books(self):
        start = local_2027(1, 31, 7, 30)
        books = Books(start, balance=50000000000, used_wh=99100)
        books.account.dynamic = example.Slot(local_2027(1, 31, 9), -54321)
        for number, (month, day, hour, minute, wh, export, _) in enumerate(example.INTERVALS):
            at = local_2027(month, day, hour, minute)
            if number == 7:
                books.switch(at, n=2, price=example.SECOND_PRICES, standing_day=260003)
            books.interval(at, wh, export)
        return books

    def correct_tariff(self, books):
        """All records from 08:00 on, by the correction of the example."""
        return books.correct(
            local_2027(1, 31, 8),
            local_2027(2, 1, 0, 15),
            3,
            price=[[290003, 690003], [480007, 850011]],
            standing_day=260003,
        )

    def test_prices_first(self):
        books = self.books()
        hashes = [entry.hash for entry in books.entries(records.INTERVAL)]
        adjusted = books.correct_prices(MORNING, SLOTS)
        self.assertEqual(adjusted, [(20270101, 290777120 - 57747417, 0, 0)])
        # Record 3 199 x 87774, 6 3 x 149988, 7 411 x 149988, 8 389 x 49996, 9 1003 x 20002;
        # 10 523 x 9998. Records 4 and 5 have prices of their own.
        january = 17467026 + 449964 + 61645068 + 19448444 + 20062006
        self.assertEqual(
            self.correct_tariff(books), [(20270101, january, 0, 0), (20270201, 5228954, 0, 0)]
        )
        self.finish(books, hashes)

    def test_prices_last(self):
        books = self.books()
        hashes = [entry.hash for entry in books.entries(records.INTERVAL)]
        # Record 4 too: 343 x 87774 + 391 x 149988 = 88751790.
        self.assertEqual(self.correct_tariff(books)[0], (20270101, 119072508 + 88751790, 0, 0))
        # It then cost 343 x 690003 + 391 x 850011 = 569025330.
        adjusted = books.correct_prices(MORNING, SLOTS)
        self.assertEqual(adjusted, [(20270101, 569025330 - 367000000 - 57747417, 0, 0)])
        self.finish(books, hashes)

    def finish(self, books, hashes):
        """The same end by either way; sent again, nothing; old entries as they were."""
        for _ in range(2):
            self.assertEqual(books.journal.balance, 47613113558 + 352102211 + 5228954)
            self.assertEqual(books.correct_prices(MORNING, SLOTS), [])
            books.boot()
        self.assertEqual(books.sum(), 47970444723)
        self.assertEqual([entry.hash for entry in books.entries(records.INTERVAL)], hashes)


class TestReach(unittest.TestCase):
    def books(self, *kinds, **document):
        """Intervals of 100 Wh from noon on; a kind is the trust, None for synced."""
        document = dict(FLAT, **document)
        books = Books(NOON, **document)
        for number, trust in enumerate(kinds):
            rest = {} if trust is None else {"trust": trust}
            books.interval(NOON + number * 900, 100, **rest)
        return books

    def test_the_last_correction_of_a_slot_holds(self):
        books = self.books(None, None, None)
        change = 100 * 1000000
        self.assertEqual(
            books.correct_prices(NOON, [3000000, 3000000], 5), [(JUNE, -4 * change, 0, 0)]
        )
        # Slot 2 from 3 to 2, slot 3 from the day table's 1 to 0.
        found = books.correct_prices(NOON + 900, [2000000, 0], 6)
        self.assertEqual(found, [(JUNE, change + change, 0, 0)])
        found = books.correct_prices(NOON, [1000000] * 3, 7)
        self.assertEqual(found, [(JUNE, 2 * change + change - change, 0, 0)])
        names = [name for name in books.storage.names() if name.startswith("correct")]
        self.assertEqual(len(names), 1)  # the last replaced both
        self.assertEqual(books.journal.balance, 10**12 - 3 * change)

    def test_a_time_that_was_not_known_keeps_its_fallback_band(self):
        books = self.books(None, TRUST_RESTORED)
        found = books.correct_prices(NOON, [4000000, 4000000])
        self.assertEqual(found, [(JUNE, -100 * 3000000, 0, 0)])

    def test_export_and_what_fills_the_blocks_stay(self):
        books = Books(NOON, blocks=[1], price=[[0, 1000000], [0, 2000000]])
        books.interval(NOON, 900, 50)
        books.interval(NOON + 900, 300)  # 100 Wh at 1, 200 at 2
        found = books.correct_prices(NOON, [0])
        self.assertEqual(found, [(JUNE, 900 * 1000000, 0, 0)])
        books.interval(NOON + 1800, 10)
        self.assertEqual(books.entries(records.INTERVAL)[-1].amount, -10 * 2000000)

    def test_standing_and_demand_stay(self):
        terms = {"standing_day": 700, "demand": {"minutes": 15, "price": 1000}}
        books = self.books(None, None, **terms)
        books.interval(local_2027(6, 3), 300)  # in the valley, which costs nothing
        found = books.correct_prices(NOON, [2000000])
        self.assertEqual(found, [(JUNE, -100 * 1000000, 0, 0)])

    def test_a_gap_over_two_prices_keeps_its_charge(self):
        books = Books(NOON, **FLAT)
        books.interval(NOON, 40, 7, seconds=1800)
        self.assertEqual(books.correct_prices(NOON, [5, 6]), [(JUNE, 0, 47, 0)])
        # One price for all of it, and the first is still held for what it did not replace.
        self.assertEqual(books.correct_prices(NOON, [5, 5], 2), [(JUNE, 40 * 999995, 0, 0)])
        self.assertEqual(books.correct_prices(NOON + 900, [9], 3), [(JUNE, 0, 47, 0)])

    def test_numbers_are_those_of_prices(self):
        books = self.books(None, None)
        books.correct(NOON, NOON + 900, 9, price=[[0, 2000000]], blocks=[])
        self.assertEqual(books.correct_prices(NOON, [0], 3), [(JUNE, 200000000, 0, 0)])
        for n in (3, 2):
            with self.assertRaises(TariffError) as caught:
                books.correct_prices(NOON, [1], n)
        self.assertEqual(
            str(caught.exception), "n: must be above 3, the correction the meter took last"
        )
        reasons = [
            readers.unpack_adjust(entry.payload)[:2] for entry in books.entries(records.ADJUST)
        ]
        self.assertEqual(reasons, [(1, 9), (4, 3)])
        # The same number in both spaces: neither is taken for the other.
        self.assertEqual(books.correct_prices(NOON + 900, [0], 10), [(JUNE, 100000000, 0, 0)])
        found = books.correct(NOON, NOON + 1800, 10, price=[[0, 7000000]], blocks=[])
        self.assertEqual(found, [])  # all of it has a dynamic price

    def test_a_debit_stops_at_low_two(self):
        books = Books(NOON, balance=5200000000, **FLAT)
        books.interval(NOON, 100)  # 5.10 are left, low 2 lies at 5.00
        found = books.correct_prices(NOON, [4000000])
        self.assertEqual(found, [(JUNE, -100000000, 0, 200000000)])


class TestForm(unittest.TestCase):
    def test_correct_is_true_or_left_out(self):
        prices = dynamics.load(prices_data(NOON, [1, 2], correct=True))
        self.assertEqual(prices.correct, (NOON, NOON + 3600))
        self.assertIsNone(dynamics.load(prices_data(NOON, [1, 2])).correct)
        for value in (False, 1, {"from": NOON, "until": NOON + 900}, None):
            with self.assertRaises(TariffError) as caught:
                dynamics.load(prices_data(NOON, [1, 2], correct=value))
            self.assertEqual(caught.exception.path, ("correct",))


class TestOffer(unittest.TestCase):
    def house(self):
        house = House(NOON, tick_ms=10000)
        house.boot(data(n=3, start=NOON, **FLAT))
        house.run(10)
        return house

    def refusal(self, house, *given, **changes):
        with self.assertRaises(TariffError) as caught:
            house.agent.accept_document(prices_data(*given, correct=True, step=900, **changes))
        return str(caught.exception)

    def test_a_slot_is_corrected_once_it_is_over(self):
        house = self.house()
        wanted = "prices[0]: its slot is not over before %d; correct it then" % (NOON + 900)
        self.assertEqual(self.refusal(house, NOON, [5]), wanted)
        while house.agent.account.start < NOON + 900:
            house.run(1)
        wanted = "prices[1]: its slot is not over before %d; correct it then" % (NOON + 1800)
        self.assertEqual(self.refusal(house, NOON, [5, 6]), wanted)
        raw = prices_data(NOON, [0], step=900, correct=True)
        self.assertEqual(house.agent.accept_document(raw), "correction")
        house.run(20)
        (entry,) = house.entries(records.ADJUST)
        (interval,) = [
            other for other in house.entries(records.INTERVAL) if other.time == NOON + 900
        ]
        self.assertEqual(entry.amount, -interval.amount)
        self.assertGreater(entry.amount, 0)
        self.assertEqual(house.agent.accept_document(raw), "held")

    def test_of_another_tariff_and_numbers_that_are_taken(self):
        house = self.house()
        while house.agent.account.start < NOON + 1800:
            house.run(1)
        self.assertEqual(
            self.refusal(house, NOON, [5], prices_of="other"),
            "prices_of: is other, the meter charges by demo-cn",
        )
        house.agent.accept_document(prices_data(NOON + 3600, [7], n=4))
        self.assertEqual(
            self.refusal(house, NOON, [5], n=4), "n: 4 is held already with other content"
        )
        house.agent.accept_document(prices_data(NOON, [5], step=900, n=6, correct=True))
        with self.assertRaises(TariffError) as caught:
            house.agent.accept_document(prices_data(NOON + 7200, [7], n=6))
        self.assertEqual(str(caught.exception), "n: 6 was that of a correction; take the next")
        house.run(20)
        # A set may have the number of a correction of prices: they count apart.
        house.agent.accept_document(data(n=6, start=NOON + 86400, **FLAT))
