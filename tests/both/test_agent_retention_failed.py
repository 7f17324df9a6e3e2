"""Retention after a write that failed: what that began goes too, and money is kept."""

import unittest

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import segment_name, segments
from wattledger.agent.journal.retention import Retention, split
from wattledger.tests.both.houses_meter import credit
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.test_agent_retention import DAY, opens_with, small

HEAP = "768K"


class TestAfterAFailedWrite(unittest.TestCase):
    """One write that fails begins a segment that opens with no checkpoint."""

    def failed(self, **settings):
        """A house of an hour, and the segment of a failed write, with money in it."""
        house = small(storage=BreakingStorage(), profile_s=60, **settings)
        house.run(DAY // 20)
        house.storage.fail_at = house.storage.operations + 1
        self.assertEqual(credit(house, 1), "no space")
        house.run(2)
        self.assertEqual(credit(house, 1), "duplicate")
        found = segments(house.storage)[-1]
        self.assertNotEqual(opens_with(house, found), records.CHECKPOINT)
        return house, found

    def check(self, house, failed):
        firsts = segments(house.storage)
        self.assertGreater(firsts[0], failed)
        entries = house.entries()
        self.assertEqual(entries[0].kind, records.CHECKPOINT)
        self.assertEqual(entries[0].sequence, firsts[0])
        total = sum(entry.amount for entry in entries[1:])
        self.assertEqual(entries[0].balance + total, house.agent.journal.balance)
        kept = split(house.storage.files["kept"])
        self.assertEqual([records.decode(data).kind for data in kept], [records.CREDIT])

    def test_a_full_store_drops_it_with_the_one_before_it(self):
        house, failed = self.failed(journal_kb=16)
        house.run(DAY // 4)
        self.check(house, failed)
        held = sum(len(house.storage.files[segment_name(n)]) for n in segments(house.storage))
        self.assertLessEqual(held, 16 * 1024)
        dropped = [value for code, value in house.events() if code == events.JOURNAL_DROPPED]
        self.assertEqual(dropped[-1], segments(house.storage)[0] - 1)

    def test_it_goes_after_its_time(self):
        house, failed = self.failed()
        house.run(DAY // 10)
        retention = Retention(house.storage, 1, 1 << 20, 4096)
        tomorrow = house.agent.time.unix() + 86400
        self.assertFalse(retention.expired(tomorrow, 0))
        while retention.expired(tomorrow, house.agent.journal.durable):
            pass
        self.check(house, failed)

    def test_a_cut_between_the_two_leaves_a_journal_that_can_be_entered(self):
        house, failed = self.failed()
        house.run(DAY // 20)
        storage = house.storage
        firsts = segments(storage)
        place = firsts.index(failed)
        for first in firsts[: place - 1]:
            storage.remove(segment_name(first))
        storage.cut_at = storage.operations + 3  # the kept file, one segment, the other
        with self.assertRaises(PowerCut):
            Retention(storage, 1, 1 << 20, 4096).crowded(True)
        house.cut()
        self.assertEqual(segments(storage), [firsts[place - 1]] + firsts[place + 1 :])
        house.boot()
        self.assertIsNone(house.agent.ledger.fault)
        self.assertEqual(Retention(storage, 1, 1 << 20, 4096).crowded(True), firsts[place + 1] - 1)
        house.run(2)
        self.check(house, failed)


if __name__ == "__main__":
    unittest.main()
