"""The account over time: standing charges once a date, cycles that turn once, sets in turn."""

import unittest

from wattledger.agent.billing.account import Account
from wattledger.agent.billing.recall import replay
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED
from wattledger.tests.both.houses_account import open_account, stored
from wattledger.tests.both.houses_tariffs import local_2027, tariff


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
            readers.unpack_standing(entry.payload)[0]
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
            readers.unpack_event(entry.payload)
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
            replay(account, entry)
        self.assertEqual(account.standing_day, 9930)  # 2027-03-10: 9862 + 31 + 28 + 9

    def test_day_totals_are_the_same_after_a_replay(self):
        self.account.begin(local_2027(3, 13), 0, 0, TRUST_SYNCED)
        self.charged(local_2027(3, 13))  # three lines, one of them today's
        self.assertEqual(self.account.day_nano, -1500000000)
        again = Account(self.journal)
        again.adopt(self.account.tariff)
        for entry in stored(self.storage):
            replay(again, entry)
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
        n, digest, name = readers.unpack_tariff(entry.payload)
        self.assertEqual((n, digest, name), (1, account.tariff.digest, "demo-cn"))

    def test_dates_that_began_before_a_set_are_charged_by_the_one_before(self):
        storage, journal, account = open_account(0, 0, 0)
        account.pending = tariff(start=local_2027(1, 5), standing_day=100)
        account.switch(local_2027(1, 5), TRUST_SYNCED)
        account.charge_standing(local_2027(1, 6), TRUST_SYNCED)
        # Off from the 6th to the 11th: the 7th and 8th are of n 1, the 9th to 11th of n 2.
        account.pending = tariff(n=2, start=local_2027(1, 9), standing_day=7)
        account.switch(local_2027(1, 11, 12), TRUST_SYNCED)
        account.charge_standing(local_2027(1, 11, 12), TRUST_SYNCED)
        journal.flush()
        found = [
            readers.unpack_standing(entry.payload) + (entry.amount,)
            for entry in stored(storage)
            if entry.kind == records.STANDING
        ]
        self.assertEqual(
            found,
            [
                (20270105, 1, -100000),
                (20270106, 1, -100000),
                (20270107, 1, -100000),
                (20270108, 1, -100000),
                (20270109, 2, -7000),
                (20270110, 2, -7000),
                (20270111, 2, -7000),
            ],
        )
