"""The two-slot snapshot: its size, its turns, and that no damage passes for a snapshot."""

import unittest

from wattledger.agent.journal.slots import LENGTH, HotState, SlotPair, unpack
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut

# Each field with the largest value its place in the layout holds.
BIG = {
    "supply": 3,
    "flags": (1 << 14) - 1,
    "reasons": 255,
    "alarms": 255,
    "generation": 0xFFFFFFFF,
    "boots": 0xFFFFFFFF,
    "powered_s": 0xFFFFFFFF,
    "unix": (1 << 40) - 1,
    "import_wh": 0xFFFFFFFF,
    "import_rest": 0xFFFFFFFF,
    "export_wh": 0xFFFFFFFF,
    "export_rest": 0xFFFFFFFF,
    "sequence": 0xFFFFFFFF,
    "hash": b"\xff" * 8,
    "balance": -(1 << 63),
    "acknowledged": 0xFFFFFFFF,
    "start": (1 << 40) - 1,
    "quality": 3,
    "trust": 2,
    "used_wh": 0xFFFFFFFF,
    "cycle_day": 65535,
    "standing_day": 65535,
    "clock_budget_s": 86400,
    "last_move_s": 0xFFFFFFFE,  # the highest is none
    "demand_w": 0xFFFFFFFF,
    "window_wh": 0xFFFFFFFE,
    "keep_power_s": 0xFFFFFFFF,
    "remote_opens": 0xFFFFFFFF,
    "warning_s": 0xFFFFFFFE,
    "load_tries": 255,
    "lockout": 255,
}


def state(**fields):
    made = HotState()
    for name in fields:
        setattr(made, name, fields[name])
    return made


class TestLayout(unittest.TestCase):
    def test_110_bytes_within_the_inline_limit(self):
        self.assertEqual(LENGTH, 110)
        self.assertEqual(len(HotState().pack()), 110)
        self.assertEqual(len(state(**BIG).pack()), 110)

    def test_every_field_survives_alone(self):
        # One at a time: a field that leaks into another would show there.
        for name in BIG:
            found = unpack(state(**{name: BIG[name]}).pack())
            for other in BIG:
                wanted = BIG[name] if other == name else getattr(HotState(), other)
                self.assertEqual(getattr(found, other), wanted, (name, other))

    def test_all_fields_at_once(self):
        found = unpack(state(**BIG).pack())
        for name in BIG:
            self.assertEqual(getattr(found, name), BIG[name], name)

    def test_every_flipped_bit_is_found(self):
        whole = state(**BIG).pack()
        for bit in range(len(whole) * 8):
            altered = bytearray(whole)
            altered[bit // 8] ^= 1 << bit % 8
            self.assertIsNone(unpack(altered), bit)

    def test_other_lengths_are_refused(self):
        whole = bytes(HotState().pack())
        for data in (b"", whole[:-1], whole + b"\0", b"\0" * 110, b"\xff" * 110):
            self.assertIsNone(unpack(data))


class TestPair(unittest.TestCase):
    def setUp(self):
        self.storage = MemoryStorage()
        self.pair = SlotPair(self.storage)

    def commit(self, *balances):
        made = self.pair.load() or HotState()
        for balance in balances:
            made.balance = balance
            self.pair.commit(made)

    def load(self):
        pair = SlotPair(self.storage)
        found = pair.load()
        return (found and found.balance), pair.damaged

    def test_empty_is_none_and_no_damage(self):
        self.assertEqual(self.load(), (None, False))

    def test_the_older_is_written(self):
        self.commit(1, 2)
        kept = bytes(self.storage.files["slot.b"])
        self.commit(3)
        self.assertEqual(bytes(self.storage.files["slot.b"]), kept)
        self.assertEqual(self.load(), (3, False))
        # The same after a boot, which has to find out which is the older.
        for balance in range(4, 9):
            older = "slot.b" if balance % 2 == 0 else "slot.a"
            other = "slot.a" if older == "slot.b" else "slot.b"
            kept = bytes(self.storage.files[other])
            self.pair = SlotPair(self.storage)
            self.commit(balance)
            self.assertEqual(bytes(self.storage.files[other]), kept)
            self.assertEqual(self.load(), (balance, False))

    def test_generations_rise(self):
        self.commit(1, 2, 3)
        self.assertEqual(self.pair.load().generation, 3)

    def test_one_damaged_the_other_is_used(self):
        self.commit(1, 2)
        self.storage.files["slot.b"][50] ^= 4
        self.assertEqual(self.load(), (1, True))
        # And the damaged one is the one to be written next.
        self.pair = SlotPair(self.storage)
        self.commit(3)
        self.assertEqual(self.load(), (3, False))
        self.commit(4)
        self.assertEqual(self.load(), (4, False))

    def test_both_damaged(self):
        self.commit(1, 2)
        self.storage.files["slot.a"][0] ^= 1
        self.storage.files["slot.b"] = self.storage.files["slot.b"][:60]
        self.assertEqual(self.load(), (None, True))

    def test_one_lost(self):
        for name, left in (("slot.a", 2), ("slot.b", 1)):
            self.storage = MemoryStorage()
            self.pair = SlotPair(self.storage)
            self.commit(1, 2)
            self.storage.remove(name)
            self.assertEqual(self.load(), (left, False))

    def test_power_cut_in_a_commit_leaves_one_whole(self):
        for late in (False, True):
            self.storage = BreakingStorage()
            self.pair = SlotPair(self.storage)
            self.commit(1, 2)
            self.storage.late = late
            self.storage.cut_at = 3
            with self.assertRaises(PowerCut):
                self.commit(3)
            self.assertEqual(self.load(), (3 if late else 2, False))

    def test_failed_commit_is_tried_on_the_same_slot(self):
        self.commit(1, 2)
        self.storage.fail = 28
        with self.assertRaises(OSError):
            self.commit(3)
        self.storage.fail = None
        self.assertEqual(self.load(), (2, False))
        self.commit(4)
        self.assertEqual(self.load(), (4, False))
        self.storage.remove("slot.a")
        self.assertEqual(self.load(), (2, False))
