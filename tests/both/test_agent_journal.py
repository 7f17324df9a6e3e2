"""The journal: what was flushed is found again, record by record, in any order."""

import unittest

from wattledger.agent.journal.journal import Journal, segment_name, segments, walk
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_journal import FIRST, METER, add, boot, whole


class TestRoundTrip(unittest.TestCase):
    def test_flushed_records_are_found_again(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        add(journal, 5)
        self.assertTrue(journal.is_pending())
        self.assertEqual((journal.sequence, journal.durable), (5, 0))
        self.assertEqual(whole(storage), 0)
        journal.flush()
        self.assertFalse(journal.is_pending())
        add(journal, 3)
        journal.flush()
        self.assertEqual((journal.sequence, journal.durable), (8, 8))
        again = boot(storage)
        self.assertEqual((again.sequence, again.balance, again.hash), (8, 36, journal.hash))
        self.assertEqual(again.durable_hash, journal.hash)

    def test_many_boots(self):
        storage = MemoryStorage()
        for number in range(12):
            journal = boot(storage)
            self.assertEqual(journal.sequence, number * 3)
            add(journal, 2)
            journal.flush()
            add(journal, 1)
            journal.flush()
        self.assertEqual(whole(storage), 36)

    def test_another_meters_journal_is_not_taken(self):
        storage = MemoryStorage()
        journal = Journal(storage, "demo-0002")
        add(journal, 2)
        journal.flush()
        self.assertEqual(boot(storage).sequence, 0)

    def test_segments_are_bounded_and_named_by_their_first_sequence(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER, 150)  # 48-byte records: full at the fourth
        for _ in range(10):
            add(journal, 1)
            journal.flush()
        self.assertEqual(segments(storage), [1, 5, 9])
        self.assertEqual(segment_name(5), "j0000000005")
        self.assertEqual(whole(storage), 10)

    def test_other_files_are_not_segments(self):
        storage = MemoryStorage()
        for name in ("slot.a", "j1", "j000000000x", "j00000000001", "tariff.active"):
            storage.commit(name, b"x")
        self.assertEqual(segments(storage), [])

    def test_largest_records_through_the_window(self):
        storage = MemoryStorage()
        journal = Journal(storage, METER)
        for size in (470, 0, 469, 1, 470, 470, 470, 470, 3):
            add(journal, 1, size)
        journal.flush()
        self.assertEqual(whole(storage), 9)


class TestReading(unittest.TestCase):
    def build(self):
        storage = MemoryStorage()
        journal = boot(storage, 100)
        for count in (1, 2, 3, 1, 1, 4):
            add(journal, count)
            journal.flush()
        journal = boot(storage, 100)  # a boot begins a segment of its own
        add(journal, 5)
        journal.flush()
        add(journal, 1)
        return storage, journal

    def test_every_record_and_hash_in_any_order(self):
        storage, journal = self.build()
        found = {entry.sequence: (data, entry.hash) for data, entry in walk(storage, FIRST)}
        self.assertEqual(len(found), 17)
        self.assertGreater(len(segments(storage)), 3)
        up = list(range(1, 18))
        orders = [up, up[::-1], [1, 17, 2, 16, 9, 9, 10, 3, 4, 5, 1, 12, 13], up[::3] + up[::2]]
        for order in orders:
            for n in order:
                self.assertEqual(journal.read(n), found[n][0], n)
        for order in orders:
            for n in order:
                self.assertEqual(journal.hash_before(n), found[n - 1][1] if n > 1 else FIRST)
                self.assertEqual(journal.read(n), found[n][0])

    def test_what_is_not_durable_is_not_there(self):
        journal = self.build()[1]
        for n in (-1, 0, 18, 19, 1000):
            self.assertIsNone(journal.read(n))
        self.assertIsNotNone(journal.hash_before(18))
        self.assertIsNone(journal.hash_before(19))

    def test_a_dead_tail_is_not_read_in_place_of_what_followed(self):
        # A record of sequence 2 that no chain reaches, as damage at the end leaves it.
        storage = MemoryStorage()
        journal = boot(storage)
        add(journal, 1)
        journal.flush()
        other = boot(MemoryStorage())
        add(other, 2, 40)
        other.flush()
        storage.append(segment_name(1), other.read(2))
        storage.sync(segment_name(1))
        data = bytearray(200)
        size = storage.read_from(segment_name(1), 0, data)
        data[size - 1] ^= 1  # the last byte of its hash
        storage.commit(segment_name(1), data[:size])
        journal = boot(storage)
        add(journal, 1)
        journal.flush()
        self.assertEqual(whole(storage), 2)
        self.assertEqual(len(journal.read(1)), 48)
        self.assertEqual(len(journal.read(2)), 48)  # 42 and the 6 that add() writes, not 40

    def test_a_segment_removed(self):
        storage, journal = self.build()
        firsts = segments(storage)
        storage.remove(segment_name(firsts[1]))
        self.assertEqual(whole(storage), firsts[1] - 1)
        for n in range(1, 18):
            gone = firsts[1] <= n < firsts[2]
            self.assertEqual(journal.read(n) is None, gone, n)
        self.assertEqual(journal.hash_before(firsts[1]), journal.read(firsts[1] - 1)[-8:])
        self.assertIsNone(journal.hash_before(firsts[2]))

    def test_the_first_segment_removed(self):
        storage, journal = self.build()
        storage.remove(segment_name(1))
        self.assertEqual(whole(storage), 0)
        self.assertIsNone(journal.read(1))
