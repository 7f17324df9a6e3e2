"""The account against the worked example of the design, and its standing charges and cycles."""

import unittest

from wattledger.agent.billing.account import Account
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, walk
from wattledger.hal.sample import QUALITY_OK, TRUST_RESTORED, TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_tariffs import local_2027, tariff

METER = "demo-0001"
SECOND_PRICES = [[300001, 700003], [500009, 900007]]
VALLEY, PEAK = 0, 1
EXPORTED, NO_BLOCK, DYNAMIC = 0x80, 255, 0x40

# month, day, hour, minute; import Wh, export Wh; dynamic price
INTERVALS = (
    (1, 31, 7, 30, 101, 0, None),
    (1, 31, 7, 45, 257, 0, None),
    (1, 31, 8, 0, 199, 0, None),
    (1, 31, 8, 15, 734, 0, None),
    (1, 31, 9, 0, 777, 0, -54321),
    (1, 31, 12, 0, 3, 1501, None),
    (1, 31, 19, 45, 411, 0, None),
    (1, 31, 20, 0, 389, 0, None),
    (1, 31, 23, 45, 1003, 0, None),
    (2, 1, 0, 0, 523, 0, None),
)

# The table of the design, section 4: interval, tariff n, band byte, block, Wh, price, amount,
# balance after the line. A standing charge has no interval.
TABLE = (
    (0, 1, VALLEY, 0, 101, 333333, -33666633, 49966333367),
    (1, 1, VALLEY, 0, 257, 333333, -85666581, 49880666786),
    (2, 1, PEAK, 0, 199, 777777, -154777623, 49725889163),
    (3, 1, PEAK, 0, 343, 777777, -266777511, 49459111652),
    (3, 1, PEAK, 1, 391, 999999, -390999609, 49068112043),
    (4, 1, PEAK | DYNAMIC, 1, 777, -54321, 42207417, 49110319460),
    (5, 1, PEAK, 1, 3, 999999, -2999997, 49107319463),
    (5, 1, PEAK | EXPORTED, NO_BLOCK, 1501, 123457, 185308957, 49292628420),
    (6, 1, PEAK, 1, 411, 999999, -410999589, 48881628831),
    (7, 2, PEAK, 1, 389, 900007, -350102723, 48531526108),
    (8, 2, VALLEY, 1, 1003, 500009, -501509027, 48030017081),
    (None, 2, None, None, None, None, -260003000, 47770014081),
    (9, 2, VALLEY, 0, 523, 300001, -156900523, 47613113558),
)


def open_account(balance, used_wh, at):
    """(storage, Journal, Account) with an opening entry."""
    storage = MemoryStorage()
    journal = Journal(storage, METER)
    account = Account(journal)
    journal.append(
        records.OPENING, at, TRUST_SYNCED, balance, payloads.pack_opening(METER, 0, 0, used_wh)
    )
    account.used_wh = used_wh
    return storage, journal, account


def stored(storage):
    return [entry for _, entry in walk(storage, records.first_hash(METER))]


class TestWorkedExample(unittest.TestCase):
    def play(self):
        start = local_2027(1, 31, 7, 30)
        storage, journal, account = open_account(50000000000, 99100, start)
        # In force in the middle of the 31st: that day's standing is not this set's to charge.
        account.pending = tariff(start=start)
        self.assertTrue(account.switch(start, TRUST_SYNCED))
        account.pending = tariff(
            n=2, start=local_2027(1, 31, 20), price=SECOND_PRICES, standing_day=260003
        )
        imported = exported = 0
        for month, day, hour, minute, import_wh, export_wh, dynamic in INTERVALS:
            at = local_2027(month, day, hour, minute)
            account.switch(at, TRUST_SYNCED)
            account.charge_standing(at, TRUST_SYNCED)
            account.begin(at, imported, exported, TRUST_SYNCED)
            imported += import_wh
            exported += export_wh
            before = journal.balance
            available = account.available(imported, exported)
            account.close(at + 900, imported, exported, QUALITY_OK, dynamic)
            if dynamic is None:
                self.assertEqual(available, journal.balance)
            self.assertNotEqual(before, journal.balance)
        journal.flush()
        return stored(storage)

    def test_every_line_of_the_table(self):
        lines = []
        number = -1
        balance = 0
        for entry in self.play():
            if entry.kind == records.INTERVAL:
                number += 1
                interval = payloads.unpack_interval(entry.payload)
                for part in interval.parts:
                    balance += part.amount()
                    lines.append(
                        (
                            number,
                            interval.tariff_n,
                            part.band,
                            part.block,
                            part.wh,
                            part.price,
                            part.amount(),
                            balance,
                        )
                    )
            elif entry.kind == records.STANDING:
                balance += entry.amount
                key, n = payloads.unpack_standing(entry.payload)
                self.assertEqual(key, 20270201)
                lines.append((None, n, None, None, None, None, entry.amount, balance))
            else:
                balance += entry.amount
            self.assertEqual(entry.balance, balance)
        self.assertEqual(len(lines), len(TABLE))
        for made, wanted in zip(lines, TABLE):
            self.assertEqual(made, wanted)
        self.assertEqual(balance, 47613113558)

    def test_net_rated_energy(self):
        rated = 0
        for entry in self.play():
            if entry.kind == records.INTERVAL:
                rated -= entry.amount
        self.assertEqual(rated, 2126883442)

    def test_replayed_account_is_the_same(self):
        entries = self.play()
        account = Account(Journal(MemoryStorage(), METER))
        account.tariff = tariff(n=2, price=SECOND_PRICES, standing_day=260003)
        for entry in entries:
            account.replay(entry)
        self.assertEqual(account.used_wh, 523)
        self.assertEqual(account.cycle_day, 9893)  # 2027-02-01: 27 * 365 + 7 leap days + 31
        self.assertEqual(account.standing_day, 9893)
        self.assertEqual((account.start_import, account.start_export), (4398, 1501))
        self.assertEqual(account.start, local_2027(2, 1, 0, 15))


class TestStanding(unittest.TestCase):
    def setUp(self):
        noon = local_2027(3, 10, 12)
        self.storage, self.journal, self.account = open_account(10**12, 0, noon)
        self.account.pending = tariff(start=noon, standing_day=1500000)
        self.account.switch(noon, TRUST_SYNCED)

    def charged(self, at, trust=TRUST_SYNCED):
        self.account.charge_standing(at, trust)
        self.journal.flush()
        return [
            payloads.unpack_standing(entry.payload)[0]
            for entry in stored(self.storage)
            if entry.kind == records.STANDING
        ]

    def test_day_one_in_the_middle_is_free(self):
        self.assertEqual(self.charged(local_2027(3, 10, 23, 45)), [])

    def test_day_one_from_its_first_instant_counts(self):
        midnight = local_2027(3, 10)
        storage, journal, account = open_account(10**12, 0, midnight)
        account.pending = tariff(start=midnight, standing_day=1500000)
        account.switch(midnight, TRUST_SYNCED)
        account.charge_standing(midnight, TRUST_SYNCED)
        self.assertEqual(journal.balance, 10**12 - 1500000000)

    def test_charged_once_at_midnight(self):
        self.assertEqual(self.charged(local_2027(3, 11) - 1), [])
        self.assertEqual(self.charged(local_2027(3, 11)), [20270311])
        self.assertEqual(self.charged(local_2027(3, 11)), [20270311])
        self.assertEqual(self.charged(local_2027(3, 11, 23, 45)), [20270311])
        self.assertEqual(self.journal.balance, 10**12 - 1500000000)

    def test_not_without_synced_time(self):
        self.assertEqual(self.charged(local_2027(3, 12), TRUST_RESTORED), [])
        self.assertEqual(self.charged(local_2027(3, 12)), [20270311, 20270312])

    def test_never_twice_when_the_date_goes_back(self):
        self.charged(local_2027(3, 11))
        self.charged(local_2027(3, 10, 23, 55))
        self.assertEqual(self.charged(local_2027(3, 11)), [20270311])

    def test_31_missed_days_are_31_lines(self):
        keys = self.charged(local_2027(4, 10, 5))  # the 11th of March to the 10th of April
        self.assertEqual(len(keys), 31)
        self.assertEqual((keys[0], keys[-1]), (20270311, 20270410))
        self.assertEqual(self.skipped(), [])

    def test_40_missed_days_are_31_lines_and_an_event(self):
        keys = self.charged(local_2027(4, 19, 5))
        self.assertEqual(len(keys), 31)
        self.assertEqual((keys[0], keys[-1]), (20270320, 20270419))
        self.assertEqual(self.skipped(), [(17, 9)])  # STANDING_SKIPPED, nine days
        self.assertEqual(self.journal.balance, 10**12 - 31 * 1500000000)

    def skipped(self):
        return [
            payloads.unpack_event(entry.payload)
            for entry in stored(self.storage)
            if entry.kind == records.EVENT
        ]

    def test_a_free_day_is_passed_without_an_entry(self):
        self.account.tariff.standing_day = 0
        self.assertEqual(self.charged(local_2027(3, 12)), [])
        self.account.tariff.standing_day = 1
        self.assertEqual(self.charged(local_2027(3, 13)), [20270313])

    def test_replayed_first_tariff_leaves_no_days_to_catch_up(self):
        # Power goes after the first tariff's entry and before the snapshot that knows of it.
        self.journal.flush()
        account = Account(self.journal)
        account.adopt(self.account.tariff)
        for entry in stored(self.storage):
            account.replay(entry)
        self.assertEqual(account.standing_day, 9930)  # 2027-03-10: 9862 + 31 + 28 + 9

    def test_day_totals_are_the_same_after_a_replay(self):
        self.account.begin(local_2027(3, 13), 0, 0, TRUST_SYNCED)
        self.charged(local_2027(3, 13))  # three lines, one of them today's
        self.assertEqual(self.account.day_nano, -1500000000)
        again = Account(self.journal)
        again.adopt(self.account.tariff)
        for entry in stored(self.storage):
            again.replay(entry)
        self.assertEqual(again.day_nano, -1500000000)


class TestCycle(unittest.TestCase):
    def setUp(self):
        self.storage, self.journal, self.account = open_account(10**12, 5000, 0)
        self.account.tariff = tariff(cycle_start=15)

    def used_after(self, at, trust=TRUST_SYNCED):
        account = self.account
        account.begin(at, account.start_import, 0, trust)
        account.close(at + 900, account.start_import + 10, 0)
        return account.used_wh

    def test_turns_once_at_its_first_instant(self):
        self.assertEqual(self.used_after(local_2027(5, 14, 23, 30)), 5010)
        self.assertEqual(self.used_after(local_2027(5, 14, 23, 45)), 5020)
        self.assertEqual(self.used_after(local_2027(5, 15)), 10)
        self.assertEqual(self.used_after(local_2027(5, 15, 0, 15)), 20)

    def test_does_not_turn_without_synced_time(self):
        self.used_after(local_2027(5, 14))
        self.assertEqual(self.used_after(local_2027(5, 15), TRUST_RESTORED), 5020)
        self.assertEqual(self.used_after(local_2027(5, 15, 1)), 10)

    def test_never_goes_back(self):
        self.used_after(local_2027(5, 14))
        self.used_after(local_2027(5, 15))
        self.assertEqual(self.used_after(local_2027(5, 14, 23, 55)), 20)
        self.assertEqual(self.used_after(local_2027(5, 15)), 30)

    def test_turns_once_over_months_without_power(self):
        self.used_after(local_2027(5, 14))
        self.assertEqual(self.used_after(local_2027(9, 1)), 10)
        self.assertEqual(self.used_after(local_2027(9, 14, 23, 45)), 20)
        self.assertEqual(self.used_after(local_2027(9, 15)), 10)

    def test_no_tariff_is_metered_and_not_charged(self):
        self.account.tariff = None
        self.account.begin(0, 0, 0, TRUST_SYNCED)
        self.account.close(900, 700, 30)
        self.assertEqual(self.journal.balance, 10**12)
        self.assertEqual((self.account.start_import, self.account.start_export), (700, 30))


class TestSwitch(unittest.TestCase):
    def test_not_before_from_and_once(self):
        storage, journal, account = open_account(0, 0, 0)
        account.pending = tariff(start=local_2027(1, 5))
        self.assertFalse(account.switch(local_2027(1, 5) - 900, TRUST_SYNCED))
        self.assertIsNone(account.tariff)
        self.assertTrue(account.switch(local_2027(1, 5), TRUST_SYNCED))
        self.assertFalse(account.switch(local_2027(1, 5), TRUST_SYNCED))
        journal.flush()
        entry = stored(storage)[-1]
        self.assertEqual((entry.kind, entry.amount), (records.TARIFF, 0))
        n, digest, name = payloads.unpack_tariff(entry.payload)
        self.assertEqual((n, digest, name), (1, account.tariff.digest, "demo-cn"))

    def test_later_sets_do_not_move_the_standing_day(self):
        storage, journal, account = open_account(0, 0, 0)
        account.pending = tariff(start=local_2027(1, 5))
        account.switch(local_2027(1, 5), TRUST_SYNCED)
        before = account.standing_day
        account.pending = tariff(n=2, start=local_2027(1, 9))
        account.switch(local_2027(1, 9), TRUST_SYNCED)
        self.assertEqual(account.standing_day, before)
