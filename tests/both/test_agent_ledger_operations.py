"""Power cut, or a failure, at every single storage operation: nothing that counts is lost."""

import unittest

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both.houses_meter import House, credit
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tariffs import data, local_2027

HEAP = "640K"

OPENING = 50000000000
VALLEY = 333333  # for each Wh at night
STANDING = 1500000  # micro-units a day


class TestEveryOperation(unittest.TestCase):
    """A first boot with its tariff, a purchase, a quarter, a midnight; broken at each."""

    SETTINGS = {"tick_ms": 10000, "snapshot_s": 900, "snapshot_wh": 1000}
    MIDNIGHT = local_2027(6, 3)

    def play(self, house):
        """What is left to do until half past midnight, from wherever the house is."""
        house.boot(data(standing_day=STANDING))
        house.run(1)
        if credit(house, 1) == "no space":
            house.run(2)
        while house.clock.true_ms() < (self.MIDNIGHT + 1800) * 1000:
            house.run(1)
        house.agent.stop()

    def check(self, house, label):
        house.storage.cut_at = 0
        house.run(2)  # the last write may be the one that failed
        self.assertEqual(credit(house, 1), "duplicate", label)
        house.agent.stop()
        self.assertIsNone(house.agent.ledger.fault, label)
        self.assertEqual(house.agent.keeper.failed, 0, label)
        keys = house.standing_keys()
        self.assertEqual((len(keys), keys[-1]), (1, 20270603), label)
        self.assertEqual(len(house.entries(records.CREDIT)), 1, label)
        self.assertEqual(len(house.entries(records.TARIFF)), 1, label)
        charged = before = 0
        for _, interval in house.intervals():
            # Nothing is charged before the tariff's first quarter, all of it after.
            self.assertIn(len(interval.parts), (0, 1), label)
            if interval.parts:
                self.assertEqual(interval.parts[0].wh, interval.import_wh - before, label)
                charged += interval.import_wh - before
            before = interval.import_wh
        wanted = OPENING + 10**10 - STANDING * 1000 - charged * VALLEY
        self.assertEqual(house.sum(), wanted, label)
        self.assertEqual(house.agent.journal.balance, wanted, label)
        self.assertEqual(house.storage.names().count("tariff.next"), 0, label)

    def new_house(self):
        storage = BreakingStorage()
        house = House(local_2027(6, 2, 23, 44), storage=storage, **self.SETTINGS)
        storage.operations = 0
        return house

    def count(self):
        house = self.new_house()
        self.play(house)
        operations = house.storage.operations
        self.check(house, "whole")
        return operations

    def test_cut(self):
        for late in (False, True):
            operation = 0
            for operation in range(1, self.count() + 1):
                house = self.new_house()
                house.storage.late = late
                house.storage.cut_at = operation
                try:
                    self.play(house)
                except PowerCut:
                    house.cut()
                    self.play(house)
                self.check(house, (late, operation))
            self.assertGreater(operation, 10)

    def test_cut_twice(self):
        # The second in the recovery from the first.
        for first in range(2, self.count() + 1, 3):
            for second in range(1, 5):
                house = self.new_house()
                house.storage.cut_at = first
                for _ in range(3):
                    try:
                        self.play(house)
                        break
                    except PowerCut:
                        house.cut()
                        if house.storage.operations == first:
                            house.storage.cut_at = first + second
                self.check(house, (first, second))

    def test_failure(self):
        for late in (False, True):
            for operation in range(1, self.count() + 1):
                house = self.new_house()
                house.storage.late = late
                house.storage.fail_at = operation
                try:
                    self.play(house)
                except OSError:  # in the boot: whoever starts the meter starts it again
                    house.cut()
                    self.play(house)
                self.check(house, (late, operation))


class TestNextTariff(unittest.TestCase):
    """The second set takes over at a quarter, with the power cut at each operation around it."""

    QUARTER = local_2027(6, 2, 12, 15)

    def new_house(self):
        house = House(
            local_2027(6, 2, 12),
            storage=BreakingStorage(),
            tick_ms=10000,
            snapshot_s=900,
            snapshot_wh=1000,
            price_change_percent=100,
        )
        house.boot(data())
        house.run(60)
        house.storage.operations = 0
        return house

    def play(self, house):
        house.agent.accept_document(data(n=2, start=self.QUARTER, price=[[1, 2], [3, 4]]))
        while house.clock.true_ms() < (self.QUARTER + 1000) * 1000:
            house.run(1)
        house.agent.stop()

    def check(self, house, label):
        house.storage.cut_at = 0
        house.run(2)
        house.agent.stop()
        named = [
            readers.unpack_tariff(entry.payload)[0] for entry in house.entries(records.TARIFF)
        ]
        self.assertEqual(named, [1, 2], label)
        self.assertEqual(house.agent.account.tariff.n, 2, label)
        self.assertIsNone(house.agent.account.pending, label)
        self.assertEqual(house.storage.names().count("tariff.next"), 0, label)
        wanted = before = 0
        for entry, interval in house.intervals():
            second = entry.time - interval.duration_s >= self.QUARTER
            self.assertEqual(interval.tariff_n, 2 if second else 1, label)
            wanted -= (interval.import_wh - before) * (2 if second else 777777)
            before = interval.import_wh
        self.assertEqual(house.sum(), OPENING + wanted, label)

    def test_cut(self):
        whole = self.new_house()
        self.play(whole)
        operations = whole.storage.operations
        self.check(whole, "whole")
        self.assertGreater(operations, 5)
        for late in (False, True):
            for operation in range(1, operations + 1):
                house = self.new_house()
                house.storage.late = late
                house.storage.cut_at = operation
                try:
                    self.play(house)
                except PowerCut:
                    house.cut()
                    house.boot()
                    self.play(house)
                self.check(house, (late, operation))
