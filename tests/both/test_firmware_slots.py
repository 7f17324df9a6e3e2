"""The record of the application slots: three starts to prove itself, and the way back."""

import unittest

from wattledger.firmware import slots
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut

OLD, NEW = b"o" * 32, b"n" * 32


def whole(slot, digest):
    return True


def proven(storage):
    """Sequence 7 in slot a, proven."""
    slots.install(storage, "a", 7, OLD)
    slots.choose(storage, whole)
    slots.good(storage)


class TestStarts(unittest.TestCase):
    def setUp(self):
        self.storage = BreakingStorage()

    def test_without_an_application_the_core_runs_alone(self):
        self.assertIsNone(slots.choose(self.storage, whole))

    def test_one_that_proves_itself_stays(self):
        proven(self.storage)
        self.assertEqual([slots.choose(self.storage, whole) for _ in range(9)], ["a"] * 9)
        self.assertEqual(slots.load(self.storage).floor, 7)

    def test_after_three_starts_without_proof_the_old_one_runs_again(self):
        proven(self.storage)
        slots.install(self.storage, "b", 8, NEW)
        started = [slots.choose(self.storage, whole) for _ in range(5)]
        self.assertEqual(started, ["b", "b", "b", "a", "a"])
        self.assertEqual(slots.load(self.storage).floor, 7)  # 8 never proved itself

    def test_the_first_one_that_fails_leaves_the_core(self):
        slots.install(self.storage, "a", 1, OLD)
        started = [slots.choose(self.storage, whole) for _ in range(4)]
        self.assertEqual(started, ["a", "a", "a", None])

    def test_one_that_is_not_as_its_manifest_lists_is_never_started(self):
        proven(self.storage)
        slots.install(self.storage, "b", 8, NEW)
        self.assertEqual(slots.choose(self.storage, lambda slot, digest: digest == OLD), "a")
        self.assertIsNone(slots.choose(self.storage, lambda slot, digest: False))

    def test_one_that_replaces_an_unproven_one_keeps_the_proven_one(self):
        proven(self.storage)
        slots.install(self.storage, "b", 8, NEW)
        slots.choose(self.storage, whole)
        slots.install(self.storage, "b", 9, NEW)
        started = [slots.choose(self.storage, whole) for _ in range(4)]
        self.assertEqual(started, ["b", "b", "b", "a"])

    def test_a_start_that_cannot_be_counted_is_not_made(self):
        proven(self.storage)
        slots.install(self.storage, "b", 8, NEW)
        self.storage.fail = 30
        self.assertEqual(slots.choose(self.storage, whole), "a")
        self.storage.fail = None
        self.assertEqual(slots.choose(self.storage, whole), "b")

    def test_a_released_slot_is_no_way_back(self):
        proven(self.storage)
        slots.install(self.storage, "b", 8, NEW)
        slots.release(self.storage)  # not yet: it has proven nothing
        slots.choose(self.storage, whole)
        slots.good(self.storage)
        self.assertEqual(slots.load(self.storage).before, "a")
        slots.release(self.storage)
        self.assertIsNone(slots.choose(self.storage, lambda slot, digest: slot == "a"))


class TestRecords(unittest.TestCase):
    def test_a_record_stays_inline(self):
        self.assertEqual(slots.LENGTH, 1 + 4 + 1 + 1 + 4 + 4 + 32 + 1 + 4 + 32 + 4)
        self.assertLessEqual(slots.LENGTH, 128)

    def test_each_flipped_bit_falls_back_to_the_record_before(self):
        storage = BreakingStorage()
        proven(storage)
        name = slots.FILES[slots.load(storage).generation % 2]
        before = slots.load(storage).generation - 1
        for bit in range(8 * slots.LENGTH):
            storage.files[name][bit // 8] ^= 1 << bit % 8
            self.assertEqual(slots.load(storage).generation, before)
            storage.files[name][bit // 8] ^= 1 << bit % 8

    def test_a_cut_leaves_the_old_or_the_new_choice(self):
        steps = 0
        while True:
            steps += 1
            for late in (False, True):
                storage = BreakingStorage()
                proven(storage)
                storage.operations = 0
                storage.cut_at, storage.late = steps, late
                try:
                    slots.install(storage, "b", 8, NEW)
                    slots.choose(storage, whole)
                    slots.good(storage)
                except PowerCut:
                    storage.power_cut()
                    self.assertIn(slots.choose(storage, whole), ("a", "b"))
                    continue
                self.assertEqual(steps, 4)
                return


if __name__ == "__main__":
    unittest.main()
