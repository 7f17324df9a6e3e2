"""The journal when writes are torn, fail or rot: a prefix survives, and it goes on from there."""

import unittest

from wattledger.agent.journal.journal import Journal, segment_name, segments
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_journal import METER, add, boot, whole
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut


class TestTornTail(unittest.TestCase):
    def test_cut_at_every_byte_of_the_last_flush(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        add(journal, 2)
        journal.flush()
        kept = len(storage.files[segment_name(1)])
        add(journal, 3)
        journal.flush()
        full = bytes(storage.files[segment_name(1)])
        size = (len(full) - kept) // 3
        for end in range(kept, len(full) + 1):
            torn = MemoryStorage()
            torn.commit(segment_name(1), full[:end])
            survive = 2 + (end - kept) // size
            self.assertEqual(whole(torn), survive)
            for boots in (1, 2, 3):
                journal = boot(torn)
                self.assertEqual(journal.sequence, survive + 2 * (boots - 1))
                add(journal, 2)
                journal.flush()
            self.assertEqual(whole(torn), survive + 6)
            self.assertEqual(
                [journal.read(n) is None for n in range(1, survive + 7)].count(True), 0
            )

    def test_power_cut_between_append_and_sync(self):
        storage = BreakingStorage()
        journal = Journal(storage, METER)
        add(journal, 2)
        journal.flush()
        add(journal, 2)
        storage.cut_at = 3  # commit, append, sync
        with self.assertRaises(PowerCut):
            journal.flush()
        storage.power_cut()
        self.assertEqual(whole(storage), 2)
        journal = boot(storage)
        add(journal, 3)
        journal.flush()
        self.assertEqual(whole(storage), 5)


class TestFailures(unittest.TestCase):
    def test_each_operation_failing_once(self):
        # Every flush is an operation or two; each is made to fail, before or after its effect.
        for late in (False, True):
            for fail_at in range(1, 16):
                storage = BreakingStorage()
                storage.late = late
                storage.fail_at = fail_at
                journal = boot(storage, 150)
                failures = 0
                for _ in range(9):
                    add(journal, 1)
                    try:
                        journal.flush()
                    except OSError:
                        failures += 1
                        self.assertTrue(journal.is_pending())
                        self.assertLess(journal.durable, journal.sequence)
                journal.flush()
                self.assertEqual(failures, 1)
                self.assertEqual(journal.durable, 9)
                self.assertEqual(whole(storage), 9, (late, fail_at))
                for n in (9, 1, 5, 2, 3, 4, 8, 7, 6):
                    data = journal.read(n)
                    self.assertIsNotNone(data, (late, fail_at, n))
                    self.assertEqual(data[4], n)
                again = boot(storage, 150)
                self.assertEqual((again.sequence, again.balance), (9, 45))
                self.assertEqual(again.hash, journal.hash)

    def test_power_cut_after_a_failure(self):
        # The failed flush had reached the disk: its records stay, and the next follow them.
        storage = BreakingStorage()
        journal = boot(storage)
        add(journal, 2)
        journal.flush()
        add(journal, 2)
        storage.late = True
        storage.fail_at = 3  # the sync
        with self.assertRaises(OSError):
            journal.flush()
        storage.power_cut()
        self.assertEqual(whole(storage), 4)
        journal = boot(storage)
        add(journal, 1)
        journal.flush()
        self.assertEqual(whole(storage), 5)

    def test_many_failures_then_recovery(self):
        storage = MemoryStorage()
        journal = boot(storage)
        add(journal, 1)
        journal.flush()
        storage.fail = 28
        for _ in range(20):
            add(journal, 1)
            with self.assertRaises(OSError):
                journal.flush()
        self.assertEqual((journal.durable, whole(storage)), (1, 1))
        storage.fail = None
        journal.flush()
        self.assertEqual(whole(storage), 21)


class TestDamage(unittest.TestCase):
    def test_a_flipped_bit_anywhere_ends_the_walk_at_or_before_it(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER, 90)
        for _ in range(6):
            add(journal, 1, 3)
            journal.flush()
        firsts = segments(storage)
        self.assertEqual(firsts, [1, 3, 5])
        for first in firsts:
            data = storage.files[segment_name(first)]
            for bit in range(len(data) * 8):
                data[bit // 8] ^= 1 << bit % 8
                hit = first + bit // 8 // 45  # 45-byte records
                self.assertEqual(whole(storage), hit - 1, (first, bit))
                data[bit // 8] ^= 1 << bit % 8
        self.assertEqual(whole(storage), 6)

    def test_records_out_of_order_end_the_walk(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        add(journal, 3)
        journal.flush()
        data = bytes(storage.files[segment_name(1)])
        storage.commit(segment_name(1), data[:48] + data[96:] + data[48:96])
        self.assertEqual(whole(storage), 1)
        # Twice in place is passed over, as after a repeated flush.
        storage.commit(segment_name(1), data[:96] + data[:96] + data[48:96] + data[96:])
        self.assertEqual(whole(storage), 3)

    def test_what_cannot_be_followed_is_not_written_over(self):
        # Damage in the middle, then boots that go on after it: the stored rest stays as evidence.
        storage = MemoryStorage()
        journal = Journal(storage, METER, 90)
        for _ in range(6):
            add(journal, 1, 3)
            journal.flush()
        storage.files[segment_name(3)][7] ^= 1
        before = {name: bytes(storage.files[name]) for name in storage.files}
        journal = boot(storage)
        self.assertEqual(journal.sequence, 2)
        add(journal, 1)
        journal.flush()
        left = [bytes(data) for data in storage.files.values()]
        for name in before:
            self.assertIn(before[name], left, name)
