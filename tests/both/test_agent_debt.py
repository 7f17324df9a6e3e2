"""Debt: what top-ups and days pay off, within their limits, once. Nano-units by hand."""

import unittest

from wattledger.agent.billing.debt import LENGTH, MAX_OWED, Debt
from wattledger.agent.comms.actions import Actions
from wattledger.agent.comms.commands import OPS
from wattledger.agent.display.view import View
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.fixtures_linked import Linked, body
from wattledger.tests.both.houses_corrections import Books
from wattledger.tests.both.houses_meter import House
from wattledger.tests.both.houses_meter import credit as pay
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut, TearingStorage
from wattledger.tests.both.houses_tariffs import DAY, credit, data, local_2027

HEAP = "640K"

WEDNESDAY = local_2027(6, 2, 12)
MONDAY = local_2027(6, 7)
NANO = 10**9  # of one unit
FREE = {"credit": credit(max=10**9), "price": [[0, 0], [0, 0]]}


class TestState(unittest.TestCase):
    def test_everything_packs_into_few_bytes_and_back(self):
        debt = Debt()
        debt.id, debt.total, debt.owed = 0xFFFFFFFF, (1 << 48) - 1, ((1 << 48) - 1) * 1000
        debt.per_day, debt.share, debt.cap = (1 << 48) - 1, 90, (1 << 48) - 2
        debt.taken, debt.week, debt.day = debt.cap * 1000, 65535, 65534
        data = debt.pack()
        self.assertEqual(len(data), LENGTH)
        self.assertLessEqual(LENGTH, 48)
        other = Debt()
        other.restore(data)
        for name in ("id", "total", "owed", "per_day", "share", "cap", "taken", "week", "day"):
            self.assertEqual(getattr(other, name), getattr(debt, name), name)

    def test_nothing_is_owed_at_first(self):
        debt = Debt()
        self.assertEqual((debt.id, debt.owed, debt.share), (0, 0, 0))
        self.assertEqual(debt.pack(), bytes(LENGTH))


class Indebted(unittest.TestCase):
    def books(self, total=100, per_day=0, share=0, cap=0, balance=0, at=WEDNESDAY, **document):
        books = Books(at, balance=balance, **dict(FREE, **document))
        self.set(books, 1, total, per_day, share, cap)
        return books

    def set(self, books, id, total, per_day=0, share=0, cap=0):
        terms = (per_day, share, cap)
        account = books.account
        found = account.debt.set(account, id, total * UNIT, terms, books.now, TRUST_SYNCED)
        books.journal.flush()
        return found

    def pay(self, books, n, micro):
        result = books.account.credit(n, micro, books.now, TRUST_SYNCED)
        books.journal.flush()
        return result

    def lines(self, books):
        """(reason, reference, amount) of the debt records."""
        found = []
        for entry in books.entries(records.DEBT):
            reason, reference, _ = readers.unpack_debt(entry.payload)
            found.append((reason, reference, entry.amount))
        return found


class TestTerms(Indebted):
    def test_the_same_id_again_owes_nothing_more(self):
        books = self.books(total=100, share=50)
        self.pay(books, 1, 10 * UNIT)
        self.assertEqual(books.account.debt.owed, 95 * NANO)
        self.assertTrue(self.set(books, 1, 100, share=20))
        self.assertEqual((books.account.debt.owed, books.account.debt.share), (95 * NANO, 20))
        self.set(books, 1, 110)
        self.assertEqual(books.account.debt.owed, 105 * NANO)
        self.set(books, 1, 2)  # less than was paid already
        self.assertEqual(books.account.debt.owed, 0)

    def test_a_higher_id_is_a_further_debt_and_a_lower_one_is_refused(self):
        books = self.books(total=100)
        self.set(books, 7, 30)
        self.assertEqual(books.account.debt.owed, 130 * NANO)
        self.assertFalse(self.set(books, 6, 30))
        self.assertEqual(books.account.debt.owed, 130 * NANO)
        self.set(books, 7, 0)
        self.assertEqual(books.account.debt.owed, 100 * NANO)

    def test_setting_moves_no_money(self):
        books = self.books(total=100, balance=NANO)
        self.assertEqual(books.journal.balance, NANO)
        self.assertEqual(self.lines(books), [(payloads.DEBT_SET, 1, 0)])


class TestShare(Indebted):
    def test_a_share_of_each_top_up(self):
        books = self.books(total=100, share=33)
        result = self.pay(books, 1, 10 * UNIT + 1)
        # 33 % of 10.000001 is 3.30000033; answers speak in whole micro-units.
        self.assertEqual(
            result, ("ok", "3300000 micro-units of it paid debt, 96699999 are still owed")
        )
        self.assertEqual(books.journal.balance, 10000001000 - 3300000330)
        self.assertEqual(self.lines(books)[1:], [(payloads.DEBT_SHARE, 1, -3300000330)])

    def test_it_stops_at_what_is_owed(self):
        books = self.books(total=3, share=50)
        self.pay(books, 1, 5 * UNIT)
        result = self.pay(books, 2, 5 * UNIT)
        self.assertEqual(result[1], "500000 micro-units of it paid debt, 0 are still owed")
        self.assertEqual(self.pay(books, 3, 5 * UNIT), ("ok", ""))
        self.assertEqual(books.journal.balance, 15 * NANO - 3 * NANO)

    def test_the_cap_of_a_week_opens_on_monday(self):
        books = self.books(total=100, share=50, cap=4 * UNIT, at=WEDNESDAY)
        for n, at, balance in (
            (1, WEDNESDAY, 10 - 4),
            (2, MONDAY - 1, 20 - 4),
            (3, MONDAY, 30 - 8),
            (4, MONDAY - 1, 40 - 8),  # a clock set back opens no new week
            (5, MONDAY + 7 * DAY - 1, 50 - 8),
            (6, MONDAY + 7 * DAY, 60 - 12),
        ):
            books.now = at
            self.pay(books, n, 10 * UNIT)
            self.assertEqual(books.journal.balance, balance * NANO, n)

    def test_a_lowered_cap_takes_nothing_back(self):
        books = self.books(total=100, share=50, cap=4 * UNIT)
        self.pay(books, 1, 10 * UNIT)
        self.set(books, 1, 100, share=50, cap=3 * UNIT)
        self.pay(books, 2, 10 * UNIT)
        self.assertEqual(books.journal.balance, 16 * NANO)

    def test_what_a_week_took_has_no_end_that_a_top_up_could_reach(self):
        books = self.books(total=100, share=50)
        books.account.debt.taken = (1 << 64) - NANO  # nothing more fits into its 8 bytes
        books.account.debt.week = 65535
        self.assertEqual(self.pay(books, 1, 10 * UNIT)[0], "ok")
        books.boot()
        self.assertEqual(books.account.debt.owed, 95 * NANO)

    def test_it_is_known_after_a_boot(self):
        books = self.books(total=100, share=50, cap=8 * UNIT)
        self.pay(books, 1, 10 * UNIT)
        books.boot()
        self.pay(books, 2, 10 * UNIT)
        self.assertEqual(books.journal.balance, 20 * NANO - 8 * NANO)
        self.assertEqual(books.account.debt.owed, 92 * NANO)

    def test_without_a_tariff_too(self):
        books = self.books(total=100, share=50)
        books.account.tariff = None
        self.pay(books, 1, 10 * UNIT)
        self.assertEqual(books.journal.balance, 5 * NANO)


class TestDays(Indebted):
    def begin(self, books, at):
        books.account.charge_standing(at, TRUST_SYNCED)
        books.journal.flush()

    def test_one_part_a_date_with_the_standing_charge(self):
        books = self.books(per_day=2 * UNIT, balance=50 * NANO, standing_day=UNIT)
        self.begin(books, MONDAY + 60)  # Thursday to Monday
        keys = [20270600 + day for day in range(3, 8)]
        self.assertEqual(
            self.lines(books)[1:], [(payloads.DEBT_DAY, key, -2 * NANO) for key in keys]
        )
        self.assertEqual(books.journal.balance, 50 * NANO - 5 * 3 * NANO)

    def test_it_stops_at_what_is_owed(self):
        books = self.books(total=5, per_day=2 * UNIT, balance=50 * NANO)
        self.begin(books, MONDAY)
        amounts = [amount for _, _, amount in self.lines(books)[1:]]
        self.assertEqual(amounts, [-2 * NANO, -2 * NANO, -NANO])

    def test_not_while_nothing_is_available(self):
        # 3.00 less standing: 2.00 and 1.00 pay; at 0.00 and below nothing is taken.
        books = self.books(per_day=UNIT // 2, balance=3 * NANO, standing_day=UNIT)
        self.begin(books, MONDAY)
        # Thursday leaves 2.00 - 0.50, Friday 0.50 - 0.50, Saturday -1.00.
        self.assertEqual(len(self.lines(books)[1:]), 2)
        self.assertEqual(books.journal.balance, 3 * NANO - 5 * NANO - NANO)

    def test_dates_before_it_was_set_are_not_taken(self):
        books = Books(WEDNESDAY, balance=50 * NANO, **FREE)
        books.now = MONDAY + 60  # nothing was charged since Wednesday
        self.set(books, 1, 100, per_day=UNIT)
        self.begin(books, MONDAY + DAY)
        self.assertEqual(self.lines(books)[1:], [(payloads.DEBT_DAY, 20270608, -NANO)])

    def test_an_unset_clock_begins_no_date(self):
        books = self.books(per_day=UNIT, balance=50 * NANO)
        books.account.charge_standing(MONDAY, TRUST_RESTORED)
        self.assertEqual(self.lines(books)[1:], [])

    def test_a_date_is_not_taken_again_after_a_boot_without_its_standing(self):
        books = self.books(per_day=UNIT, balance=50 * NANO)
        self.begin(books, WEDNESDAY + DAY)
        begun = books.account.standing_day
        books.boot()
        books.account.standing_day = begun - 1  # as a slot of the day before says
        self.begin(books, WEDNESDAY + DAY)
        self.assertEqual(len(self.lines(books)[1:]), 1)


class TestPowerCut(unittest.TestCase):
    """A top-up of 10.00 with a share of 30 %; 8 ticks of 10 s at 1 Wh a second at no price."""

    def house(self, storage):
        house = House(WEDNESDAY, credit=5 * UNIT, storage=storage, tick_ms=10000)
        house.boot(data(**FREE))
        house.run(8)
        arguments = {"id": 1, "total": 20 * UNIT, "share": 30}
        self.assertEqual(Actions(house.agent).debt_set(arguments)[0], "ok")
        return house

    def finish(self, house, label):
        house.cut()
        house.boot()
        self.assertIn(pay(house, 1), ("ok", "duplicate"), label)
        self.check(house, label)
        house.cut()
        house.boot()
        self.check(house, label)

    def check(self, house, label):
        self.assertEqual(house.agent.journal.balance, (5 + 10 - 3) * NANO, label)
        self.assertEqual(house.sum(), 12 * NANO, label)
        self.assertEqual(house.agent.account.debt.owed, 17 * NANO, label)
        self.assertEqual(len(house.entries(records.CREDIT)), 1, label)

    def test_between_the_bytes_of_the_two_records(self):
        house = self.house(TearingStorage())
        pay(house, 1)
        size = house.storage.asked
        self.assertEqual(size, 66 + 96)  # the credit and the debt
        for tear in list(range(0, size, 16)) + [65, 66, 67, size - 1, size]:
            house = self.house(TearingStorage())
            house.storage.tear = tear
            with self.assertRaises(PowerCut):
                pay(house, 1)
            self.finish(house, tear)

    def test_at_every_operation(self):
        for late in (False, True):
            cuts = 0
            while True:
                house = self.house(BreakingStorage())
                house.storage.late = late
                house.storage.cut_at = house.storage.operations + cuts + 1
                try:
                    pay(house, 1)
                    house.run(2)
                    break
                except PowerCut:
                    cuts += 1
                    self.finish(house, (late, cuts))
            self.assertGreaterEqual(cuts, 3)


class TestCommand(Linked):
    def ask_debt(self, counter, arguments, kid="config.1"):
        more = '"ch":"%s","ctr":%d,' % (self.challenge, counter)
        return self.ask(jws.sign(body("debt.set", arguments, more=more), kid))[0]

    def test_it_is_taken_and_answered_and_written_down(self):
        arguments = '{"id":3,"total":12000000,"per_day":1000000,"share":25,"cap":5000000}'
        answer = self.ask_debt(1, arguments)
        self.assertEqual(
            (answer["result"], answer["detail"]), ("ok", "12000000 micro-units are owed")
        )
        self.assertEqual(self.written()[-1][1:], (OPS["debt.set"][0], "ok"))
        view = View(self.house.agent).state()["debt"]
        self.assertEqual(
            view,
            {
                "owed_micro": 12000000,
                "per_day_micro": 1000000,
                "share": 25,
                "cap_micro": 5000000,
            },
        )
        answer = self.ask(jws.credit(1, 4 * UNIT))[0]
        self.assertEqual(
            answer["detail"], "1000000 micro-units of it paid debt, 11000000 are still owed"
        )
        self.house.boot()
        self.house.run(1)
        self.assertEqual(self.house.page.view["debt"]["owed_micro"], 11000000)

    def test_without_a_debt_nothing_is_shown(self):
        self.assertIsNone(View(self.house.agent).state()["debt"])

    def test_out_of_range_and_unsigned(self):
        wrong = (
            '{"total":1}',
            '{"id":1}',
            '{"id":0,"total":1}',
            '{"id":1,"total":-1}',
            '{"id":1,"total":1,"share":91}',
            '{"id":1,"total":1,"share":-1}',
            '{"id":1,"total":1,"cap":-1}',
            '{"id":1,"total":1,"per_day":281474976710656}',
            '{"id":4294967296,"total":1}',
        )
        for number, arguments in enumerate(wrong):
            counter = number + 1
            self.assertEqual(self.ask_debt(counter, arguments)["result"], "range", arguments)
        answer = self.ask_debt(20, '{"id":1,"total":1}', "credit.1")
        self.assertEqual(
            (answer["result"], answer["detail"]),
            ("denied locally", "the credit key may not debt.set"),
        )
        self.assertEqual(self.house.agent.account.debt.owed, 0)

    def test_no_more_than_the_limit_can_be_owed_and_credit_is_taken_on(self):
        most = (1 << 48) - 1
        self.assertEqual(self.ask_debt(1, '{"id":1,"total":%d,"share":90}' % most)["result"], "ok")
        for id in range(2, 70):
            answer = self.ask_debt(id, '{"id":%d,"total":1,"share":90}' % id)
            self.assertEqual(
                (answer["result"], answer["detail"]),
                ("range", "more than 281474976710655 micro-units would be owed"),
            )
            self.house.coast(2)  # 60 commands a minute
        debt = self.house.agent.account.debt
        self.assertEqual((debt.id, debt.owed), (1, most * 1000))
        self.assertEqual(self.result(jws.credit(1, UNIT)), "ok")  # pays 0.9
        self.assertEqual(debt.owed, (most - 900000) * 1000)
        answer = self.ask_debt(70, '{"id":2,"total":900001}')
        self.assertEqual(answer["result"], "range")
        self.assertEqual(self.ask_debt(71, '{"id":2,"total":900000}')["result"], "ok")
        self.house.boot()
        self.assertEqual(self.house.agent.account.debt.owed, most * 1000)

    def test_a_debt_above_the_limit_can_be_made_less(self):
        debt = self.house.agent.account.debt
        self.assertEqual(self.ask_debt(1, '{"id":1,"total":1000000}')["result"], "ok")
        debt.owed = MAX_OWED + 5 * NANO  # what an earlier meter took, or what was diverted
        self.assertEqual(self.ask_debt(2, '{"id":1,"total":0}')["result"], "ok")
        self.assertEqual(debt.owed, MAX_OWED + 4 * NANO)

    def test_a_lower_id_and_a_stale_command(self):
        self.assertEqual(self.ask_debt(1, '{"id":2,"total":1}')["result"], "ok")
        answer = self.ask_debt(2, '{"id":1,"total":1}')
        self.assertEqual(
            (answer["result"], answer["detail"]),
            ("range", "id is below 2, the debt the meter has"),
        )
        self.assertEqual(self.ask_debt(1, '{"id":3,"total":1}')["result"], "stale")
