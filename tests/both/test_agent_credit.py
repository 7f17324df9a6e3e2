"""Credit: each purchase once, the alarms once a crossing, the zones at their exact edges."""

import unittest

from wattledger.agent import events
from wattledger.agent.billing.account import Account
from wattledger.agent.billing.credit import DUPLICATE, NEW, OLD, CreditWatch, PurchaseMemory
from wattledger.agent.billing.recall import replay
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, walk
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_tariffs import credit, tariff

BIGGEST = 9007199254740991  # 2**53 - 1
MILLION = 1000000


def take(memory, n):
    found = memory.check(n)
    if found == NEW:
        memory.restore(*memory.after(n))
    return found


class TestPurchaseMemory(unittest.TestCase):
    def test_each_number_once_in_order(self):
        memory = PurchaseMemory()
        for n in range(1, 200):
            self.assertEqual(take(memory, n), NEW)
            self.assertEqual(take(memory, n), DUPLICATE)

    def test_window_of_64_below_the_highest(self):
        memory = PurchaseMemory()
        take(memory, 100)
        self.assertEqual(memory.check(36), OLD)  # accepted only if n > 100 - 64
        self.assertEqual(memory.check(37), NEW)
        self.assertEqual(take(memory, 37), NEW)
        self.assertEqual(take(memory, 37), DUPLICATE)
        self.assertEqual(take(memory, 101), NEW)
        self.assertEqual(memory.check(37), OLD)

    def test_any_order_against_a_set(self):
        memory = PurchaseMemory()
        seen = {0}
        highest = 0
        state = 1
        for _ in range(600):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            n = max(1, highest - 70 + (state >> 8) % 80)
            wanted = NEW
            if n <= highest - 64:
                wanted = OLD
            elif n in seen:
                wanted = DUPLICATE
            self.assertEqual(take(memory, n), wanted)
            if wanted == NEW:
                seen.add(n)
                highest = max(highest, n)

    def test_a_jump_to_the_biggest_number(self):
        memory = PurchaseMemory()
        take(memory, 1)
        self.assertEqual(take(memory, BIGGEST), NEW)
        self.assertEqual((memory.highest, memory.seen), (BIGGEST, 1))
        self.assertEqual(take(memory, BIGGEST), DUPLICATE)
        self.assertEqual(take(memory, 1), OLD)
        self.assertEqual(take(memory, BIGGEST - 63), NEW)
        self.assertEqual(memory.seen, 1 << 63 | 1)

    def test_a_jump_of_63_and_of_64(self):
        memory = PurchaseMemory()
        take(memory, 1)
        take(memory, 64)
        self.assertEqual((memory.check(1), memory.check(2)), (DUPLICATE, NEW))
        take(memory, 65)
        self.assertEqual(memory.check(1), OLD)


class TestWatch(unittest.TestCase):
    """Levels 20 and 5 units, in nano-units 20e9 and 5e9."""

    def setUp(self):
        self.tariff = tariff()
        self.watch = CreditWatch()

    def test_zones_at_their_edges(self):
        for available, zone in (
            (20000000001, "normal"),
            (20000000000, "low1"),
            (5000000001, "low1"),
            (5000000000, "low2"),
            (1, "low2"),
            (0, "zero"),
            (-1, "zero"),
        ):
            self.assertEqual(self.watch.zone(self.tariff, available), zone)
        self.assertEqual(self.watch.zone(None, -1), "untariffed")

    def test_once_at_each_crossing(self):
        first = [events.LOW_CREDIT_1]
        second = [events.LOW_CREDIT_2]
        for available, wanted in (
            (20000000001, []),
            (20000000000, first),
            (19000000000, []),
            (21000000000, []),  # back above without a credit arms nothing
            (19000000000, []),
            (5000000000, second),
            (0, [events.CREDIT_EXHAUSTED]),
            (-5, []),
        ):
            self.assertEqual(self.watch.crossed(self.tariff, available), wanted)

    def test_all_at_once_after_a_large_charge(self):
        self.assertEqual(
            self.watch.crossed(self.tariff, -1),
            [events.LOW_CREDIT_1, events.LOW_CREDIT_2, events.CREDIT_EXHAUSTED],
        )

    def test_a_credit_arms_only_the_levels_below_it(self):
        self.watch.crossed(self.tariff, -1)
        self.watch.arm(self.tariff, 5000000001)
        self.assertEqual(
            self.watch.crossed(self.tariff, 0), [events.LOW_CREDIT_2, events.CREDIT_EXHAUSTED]
        )

    def test_a_credit_to_exactly_the_level_arms_nothing_there(self):
        self.watch.crossed(self.tariff, 5000000000)
        self.watch.arm(self.tariff, 5000000000)
        self.assertEqual(self.watch.crossed(self.tariff, 5000000000), [])


class TestAccountCredit(unittest.TestCase):
    def setUp(self):
        self.storage = MemoryStorage()
        self.journal = Journal(self.storage, "demo-0001")
        self.account = Account(self.journal)

    def credit(self, n, micro):
        return self.account.credit(n, micro, 1000, TRUST_SYNCED)[0]

    def test_money_and_memory_are_one_entry(self):
        self.assertEqual(self.credit(3, 10 * MILLION), "ok")
        self.assertEqual(self.credit(1, 5 * MILLION), "ok")
        self.assertEqual(self.credit(3, 10 * MILLION), "duplicate")
        self.journal.flush()
        entries = [entry for _, entry in walk(self.storage, records.first_hash("demo-0001"))]
        self.assertEqual([entry.kind for entry in entries], [records.CREDIT, records.CREDIT])
        self.assertEqual([entry.amount for entry in entries], [10**10, 5 * 10**9])
        self.assertEqual(self.journal.balance, 15 * 10**9)
        # Bit 0 is the highest, 3; number 1 is two below it.
        self.assertEqual(readers.unpack_credit(entries[1].payload), (1, 3, 5))
        again = Account(self.journal)
        for entry in entries:
            replay(again, entry)
        self.assertEqual(again.credit(1, MILLION, 2000, TRUST_SYNCED)[0], "duplicate")
        self.assertEqual(again.credit(2, MILLION, 2000, TRUST_SYNCED)[0], "ok")
        self.assertEqual(
            again.recent, [(2000, MILLION, 2), (1000, 5 * MILLION, 1), (1000, 10 * MILLION, 3)]
        )

    def test_out_of_range_posts_nothing(self):
        for n, micro in ((0, 1), (-1, 1), (BIGGEST + 1, 1), (1, 0), (1, -5)):
            self.assertEqual(self.credit(n, micro), "range")
        self.assertEqual(self.credit(100, 1), "ok")
        self.assertEqual(self.credit(36, 1), "range")
        self.assertEqual(self.journal.balance, 1000)
        self.assertEqual(self.journal.sequence, 1)

    def test_up_to_the_limit_and_not_over_it(self):
        self.account.tariff = tariff(credit=credit(max=100 * MILLION))
        self.assertEqual(self.credit(1, 100 * MILLION + 1), "range")
        self.assertEqual(self.credit(1, 100 * MILLION), "ok")
        self.assertEqual(self.credit(2, 1), "range")
        self.assertEqual(self.account.purchases.check(2), NEW)

    def test_five_purchases_are_remembered_newest_first(self):
        for n in range(1, 8):
            self.credit(n, n)
        self.assertEqual([entry[2] for entry in self.account.recent], [7, 6, 5, 4, 3])
