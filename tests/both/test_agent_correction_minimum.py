"""A correction and the minimum of a cycle: what energy and standing lack of it is made anew."""

import unittest

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_tariffs import local_2027

HEAP = "512K"

JUNE, JULY = local_2027(6, 1), local_2027(7, 1)
KEY = 20270601
M = 10**6  # nano; 100 Wh at 0.000001 are 0.1 M


def at(price, **changes):
    """All energy at `price` nano a Wh, 0.3 of a unit at least a month."""
    return dict({"blocks": [], "price": [[price, price]], "minimum": 300000}, **changes)


class TestMinimum(unittest.TestCase):
    """June uses 100 Wh: 100 M at a price of 1 000 000; the minimum is 300 M."""

    def books(self, **changes):
        books = Books(JUNE, **at(M, **changes))
        books.interval(JUNE + 43200, 100, 60)
        return books

    def ended(self, **changes):
        books = self.books(**changes)
        books.interval(JULY, 10)
        return books

    def minimums(self, books):
        return [entry.amount for entry in books.entries(records.MINIMUM)]

    def told(self, books):
        """(charged, minimum, lack) of the last adjustment."""
        entry = books.entries(records.ADJUST)[-1]
        return readers.unpack_adjusted_cycle(entry.payload)

    def correct(self, books, n, price, until=JULY - 900, **changes):
        return books.correct(JUNE, until, n, **at(price, **changes))

    def test_it_gives_back_what_energy_now_covers(self):
        books = self.ended()
        self.assertEqual(self.minimums(books), [-200 * M])
        # 150 M of energy: 50 M more, and 50 M less of minimum. The entry says so.
        self.assertEqual(self.correct(books, 2, 1500000), [(KEY, 0, 0, 0)])
        self.assertEqual(self.told(books), (50 * M, 300000, -50 * M))
        # 400 M: 250 M more, and the 150 M that were left of the minimum are given back.
        self.assertEqual(self.correct(books, 3, 4 * M), [(KEY, -100 * M, 0, 0)])
        # 350 M: no minimum before, none after.
        self.assertEqual(self.correct(books, 4, 3500000), [(KEY, 50 * M, 0, 0)])
        # 50 M: 300 M given back, 250 M lack.
        self.assertEqual(self.correct(books, 5, 500000), [(KEY, 50 * M, 0, 0)])
        self.assertEqual(books.journal.balance, 10**12 - 300 * M - 10 * M + 60 * 123457)

    def test_standing_counts_and_export_does_not(self):
        books = self.ended(standing_day=20)  # 20 000 nano a date
        self.assertEqual(self.minimums(books), [-(200 * M - 30 * 20000)])
        free = {"export": [0], "standing_day": 30}
        # 60 Wh of export earn nothing; 30 dates at 10 000 more, which the minimum gives back.
        found = self.correct(books, 2, M, **free)
        self.assertEqual(found, [(KEY, -60 * 123457, 0, 0)])
        self.assertEqual(self.told(books), (300000, 300000, -300000))

    def test_its_own_minimum_holds_where_it_reaches_the_cycles_end(self):
        books = self.ended()
        self.assertEqual(self.correct(books, 2, M, minimum=0), [])
        self.assertEqual(self.correct(books, 3, M, JULY, minimum=450000), [(KEY, -150 * M, 0, 0)])
        # One of the energy alone goes by that minimum from then on: 200 M less energy.
        self.assertEqual(self.correct(books, 4, 3 * M), [(KEY, 0, 0, 0)])
        self.assertEqual(self.told(books), (200 * M, 450000, -200 * M))
        self.assertEqual(
            self.correct(books, 5, M, JULY, minimum=0), [(KEY, 200 * M + 150 * M, 0, 0)]
        )

    def test_a_minimum_where_none_was_charged(self):
        books = self.ended(minimum=0)
        self.assertEqual(self.minimums(books), [])
        self.assertEqual(self.correct(books, 2, M, JULY, minimum=250000), [(KEY, -150 * M, 0, 0)])

    def test_one_that_changes_nothing_yet_is_remembered(self):
        books = self.ended(minimum=0)
        self.assertEqual(self.correct(books, 2, M, JULY, minimum=90000), [(KEY, 0, 0, 0)])
        self.assertEqual(self.correct(books, 3, 800000), [(KEY, 20 * M - 10 * M, 0, 0)])

    def test_a_cycle_that_was_not_whole_has_none(self):
        books = Books(JUNE + 900, **at(M))
        books.interval(JUNE + 43200, 100)
        books.interval(JULY, 10)
        self.assertEqual(self.minimums(books), [])
        self.assertEqual(self.correct(books, 2, 0, JULY), [(KEY, 100 * M, 0, 0)])

    def test_another_cycle_leaves_it_as_it_was(self):
        books = self.ended()
        year = {"cycle": "year", "cycle_start": "0601"}
        found = books.correct(JUNE, JULY - 900, 2, **at(2 * M, **year))
        self.assertEqual(found, [(KEY, -100 * M, 0, 0)])
        charged, _, lack = self.told(books)
        self.assertEqual((charged, lack), (0, 0))

    def test_a_correction_within_the_cycle_counts_at_its_end(self):
        for booted in (False, True):
            books = self.books()
            self.assertEqual(self.correct(books, 2, 1600000), [(KEY, -60 * M, 0, 0)])
            if booted:
                books.boot()
            books.interval(JULY, 10)
            self.assertEqual(self.minimums(books), [-140 * M])  # 160 M are charged
            # And once only: at the old price again, 60 M back and 60 M of minimum more.
            self.assertEqual(self.correct(books, 3, M), [(KEY, 0, 0, 0)])
            self.assertEqual(self.told(books), (-60 * M, 300000, 60 * M))

    def test_a_cycle_that_ends_while_it_is_worked_on(self):
        books = self.books()
        for number in range(20):
            books.interval(JUNE + 50000 + number * 900 - 500, 0)
        books.offer(JUNE, JULY - 900, 2, **at(1600000))
        books.corrections.work(books.now, TRUST_SYNCED, *books.registers)
        books.interval(JULY, 10)
        self.assertEqual(self.minimums(books), [-200 * M])  # of 100 M
        books.work()
        self.assertEqual(books.adjusted(), [(KEY, 0, 0, 0)])
        self.assertEqual(self.told(books), (60 * M, 300000, -60 * M))

    def test_a_cycle_whose_end_is_not_stored_yet(self):
        books = self.books()
        for number in range(20):
            books.interval(JUNE + 50000 + number * 900 - 500, 0)
        books.offer(JUNE, JULY - 900, 2, **at(1600000))
        books.corrections.work(books.now, TRUST_SYNCED, *books.registers)
        books.account.charge_standing(JULY, TRUST_SYNCED)
        books.account.begin(JULY, *books.registers, TRUST_SYNCED)  # storage is slow: no flush
        books.work()
        self.assertEqual(books.adjusted(), [(KEY, 0, 0, 0)])
        self.assertEqual(self.told(books), (60 * M, 300000, -60 * M))

    def test_a_dynamic_price_counts_too(self):
        books = self.ended()
        self.assertEqual(books.correct_prices(JUNE + 43200, [1700000]), [(KEY, 0, 0, 0)])
        self.assertEqual(self.told(books), (70 * M, 300000, -70 * M))


class TestEstimate(unittest.TestCase):
    """An estimate is a mean of what days did cost, for days without a record: it stays until it is
    given back whole."""

    def test_it_keeps_its_amount(self):
        books = Books(JUNE, **at(M, minimum=0))
        books.interval(JUNE + 43200, 100)
        estimate = payloads.pack_adjust(payloads.ADJUST_ESTIMATE, 1, KEY, 500, 0, "demo-cn")
        books.account.post(records.ADJUST, -500 * M, estimate, JUNE + 44000, TRUST_SYNCED)
        books.interval(JULY, 10)
        books.offer(JUNE, JULY, 2, **at(3 * M, minimum=0))
        books.work()
        amounts = [entry.amount for entry in books.entries(records.ADJUST)]
        self.assertEqual(amounts, [-500 * M, -200 * M])
        books.offer(JUNE, JULY, 3, **at(M, minimum=700000))
        books.work()
        # 200 M given back; the minimum of 700 M counts the 100 M of energy, not the estimate.
        self.assertEqual(books.entries(records.ADJUST)[-1].amount, 200 * M - 600 * M)
