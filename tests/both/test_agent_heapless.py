"""The heap ends within a piece of work: once it is tried again, the money is what it would be."""

import unittest

from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_account import open_account, stored
from wattledger.tests.both.houses_journal import METER, add, whole
from wattledger.tests.both.houses_tariffs import local_2027, tariff

HEAP = "640K"
QUARTER_S = 900
QUARTERS = 72
UNIT = 1_000_000  # micro-units
KINDS = (records.TARIFF, records.STANDING, records.MINIMUM, records.DEBT, records.FREEZE)
# What raises in the place of an allocation: (owner, method, may it have done its work before?)
PLACES = (
    ("journal", "append", False),
    ("account", "post", False),
    ("account", "count_day", False),
    ("account", "_turn", True),
    ("account", "compare_cycles", True),
    ("account", "begin_first", True),
    ("account", "look_up", True),
    ("cycle", "after", True),
    ("debt", "take_day", True),
)


class Failing:
    """In the place of a method: its call number `at` ends with MemoryError, done or not."""

    def __init__(self, method, at, done):
        self._method = method
        self._at = at
        self._done = done
        self.calls = 0

    def __call__(self, *words):
        self.calls += 1
        if self.calls != self._at:
            return self._method(*words)
        if self._done:
            self._method(*words)
        raise MemoryError


class Life:
    """Eighteen hours about the end of a month: a set, one that follows it, a standing charge, a
    minimum, a debt that is paid day by day. One place may fail once."""

    def __init__(self, place=None, done=False, at=0):
        start = local_2027(3, 31, 12)
        self.storage, self.journal, self.account = open_account(200 * UNIT * 1000, 0, start)
        account = self.account
        account.debt.set(account, 1, 40 * UNIT, (5 * UNIT, 0, 0), start, TRUST_SYNCED)
        self.failing = None
        if place is not None:
            owner, name, _ = place
            thing = {
                "journal": self.journal,
                "account": account,
                "cycle": account.cycle,
                "debt": account.debt,
            }[owner]
            self.failing = Failing(getattr(thing, name), at, done)
            setattr(thing, name, self.failing)
        terms = {"standing_day": 1_500_000, "minimum": 30 * UNIT}
        account.pending = tariff(start=start, **terms)
        self.wh = 0
        self.open = False
        for quarter in range(QUARTERS):
            if quarter == 20:
                account.pending = tariff(n=2, start=local_2027(4, 1), export=[7], **terms)
            self._boundary(start + quarter * QUARTER_S)
            if not quarter:
                account.cycle.whole = True  # as if it had been there since the first of March
            self.wh += 200 + quarter % 7

    def _boundary(self, at):
        """As agent/billing/intervals.py does it: what failed is done again from its beginning."""
        while True:
            try:
                if self.open:
                    self.account.close(at, self.wh, 0)
                self.account.switch(at, TRUST_SYNCED)
                self.account.charge_standing(at, TRUST_SYNCED)
                self.account.begin(at, self.wh, 0, TRUST_SYNCED)
                self.open = True
                return
            except MemoryError:
                pass

    def outcome(self):
        """(balance, (block counter, register posted, debt), records in the journal by kind)."""
        self.journal.flush()
        entries = stored(self.storage)
        assert entries[-1].sequence == self.journal.sequence
        counts = [len([entry for entry in entries if entry.kind == kind]) for kind in KINDS]
        account = self.account
        counters = (account.used_wh, account.start_import, account.debt.owed)
        return self.journal.balance, counters, counts


class TestMoney(unittest.TestCase):
    def test_it_is_the_same_wherever_a_boundary_ended_half_way(self):
        expected = Life().outcome()
        # two sets, the standing charge of the 1st, the minimum of March, the debt and what the 1st
        # pays of it, the turn of the month
        self.assertEqual(expected[2], [2, 1, 1, 2, 1])
        for place in PLACES:
            for done in (False, True)[: 1 + place[2]]:
                self.assertTrue(self.every(place, done, expected) > 0, place)

    def every(self, place, done, expected):
        """Every call of a place that is made few times, and some of the others; how many."""
        at = 1
        while True:
            life = Life(place, done, at)
            if life.failing.calls < at:
                return at - 1
            self.assertEqual(life.outcome(), expected, (place, done, at))
            at += 1 + at // 8


class Full:
    """A list that has no room for one more, once."""

    def __init__(self):
        self.full = True

    def append(self, item):
        if self.full:
            self.full = False
            raise MemoryError


class TestJournal(unittest.TestCase):
    def test_a_record_that_found_no_room_leaves_the_chain_whole(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        add(journal, 2)
        kept, journal._pending = journal._pending, Full()
        self.assertRaises(MemoryError, add, journal, 1)
        journal._pending = kept
        self.assertEqual((journal.sequence, journal.balance), (2, 3))
        add(journal, 2)
        journal.flush()
        self.assertEqual(whole(storage), 4)


if __name__ == "__main__":
    unittest.main()
