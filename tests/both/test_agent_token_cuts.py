"""A power cut, or a failure, at every storage operation around a token and a credit; both entered
again after it by keypad and by MQTT: each counts exactly once."""

import unittest

from wattledger.agent.comms.actions import Actions
from wattledger.agent.errors import RefusalError
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.tokens import results
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tokens import (
    KWH,
    NOW_TID,
    paygo,
    paygo_house,
    seal,
    sts_house,
    token,
)

HEAP = "1024K"
NANO = 10**9
OPENING = 10 * NANO
CREDIT = 4000 * KWH
NEW_KEY = b"\x71\x90\x6c\xda\x47\x61\x71\xa2"
SECTIONS = (seal(2, b"\x3f\x22" + NEW_KEY[:4]), seal(2, b"\x4f\x01" + NEW_KEY[4:]))
TOKEN_BYTES = 60
EVENT_BYTES = 52


def by_keypad(house, digits):
    """ "ok" or the result's name, as typed at the meter."""
    pad = house.agent.keypad
    for digit in digits:
        pad.press(digit)
    pad.press("enter")
    while pad.work():
        pass
    said = pad.view()["result"]
    return "ok" if said == results.ACCEPT else results.NAMES[said]


def by_command(house, digits):
    """The result of token.enter."""
    result = "searching"
    while result == "searching":
        try:
            result = house.agent.tokens.order({"token": digits})[0]
        except RefusalError as refusal:
            result = refusal.result
    return result


def pay(house):
    try:
        return Actions(house.agent).credit_add({"n": 1, "amount": UNIT})[0]
    except RefusalError as refusal:
        return refusal.result


def fill(house, bytes_left):
    """Events, until the segment is that short of full."""
    journal = house.agent.journal
    journal.flush()
    while journal._segment_bytes - journal._segment_size > bytes_left:
        house.agent.report(1, 0)
        journal.flush()


class Cuts(unittest.TestCase):
    """`play` is what is broken; `again` repeats it and says that it is done."""

    HOUSE = None
    bytes_left = None

    def new_house(self):
        house = type(self).HOUSE(storage=BreakingStorage())
        if self.bytes_left is not None:
            house.agent.ledger.journal._segment_bytes = 4096
            fill(house, self.bytes_left)
        return house

    def at_every_operation(self, play, check, fails=False):
        """How many operations there were; `check(house, label)` after each is broken once."""
        house = self.new_house()
        before = house.storage.operations
        play(house)
        total = house.storage.operations - before
        for number in range(1, total + 1):
            for late in (False, True):
                house = self.new_house()
                house.storage.late = late
                at = house.storage.operations + number
                label = "%s %d of %d, late %s" % (play.__name__, number, total, late)
                if fails:
                    house.storage.fail_at = at
                    play(house)
                else:
                    house.storage.cut_at = at
                    with self.assertRaises(PowerCut):
                        play(house)
                    house.boot()
                    house.run(1)
                check(house, label)
        return total

    def check_once(self, house, label, digits, amount):
        self.assertIn(by_keypad(house, digits), ("ok", "UsedError"), label)
        house.run(2)
        self.assertIn(pay(house), ("ok", "duplicate"), label)
        self.assertEqual(by_command(house, digits), "duplicate", label)
        for _ in range(2):
            house.boot()
            house.run(1)
            self.assertEqual(by_keypad(house, digits), "UsedError", label)
            self.assertEqual(by_command(house, digits), "duplicate", label)
            self.assertEqual(pay(house), "duplicate", label)
        self.assertIsNone(house.agent.ledger.fault, label)
        self.assertFalse(house.agent.tokens.lost, label)
        entries = house.entries(records.TOKEN)
        self.assertEqual([entry.amount for entry in entries], [amount], label)
        self.assertEqual(len(house.entries(records.CREDIT)), 1, label)
        self.assertEqual(house.agent.journal.balance, OPENING + amount + NANO, label)


class TestSts(Cuts):
    HOUSE = staticmethod(sts_house)
    digits = token(NOW_TID)

    def by_keypad_and_credit(self, house):
        by_keypad(house, self.digits)
        house.run(2)
        pay(house)
        house.run(2)

    def by_command_and_credit(self, house):
        by_command(house, self.digits)
        pay(house)
        house.run(2)

    def check(self, house, label):
        self.check_once(house, label, self.digits, CREDIT)

    def test_keypad_first(self):
        # Entry, slot, cold state, credit, slot, at the least, some of two operations.
        self.assertGreaterEqual(self.at_every_operation(self.by_keypad_and_credit, self.check), 6)

    def test_command_first(self):
        self.assertGreaterEqual(self.at_every_operation(self.by_command_and_credit, self.check), 6)

    def test_a_failure_in_place_of_a_cut(self):
        self.at_every_operation(self.by_keypad_and_credit, self.check, fails=True)

    def test_where_a_segment_ends(self):
        for left in (TOKEN_BYTES - 1, TOKEN_BYTES + EVENT_BYTES, 0):
            self.bytes_left = left
            self.at_every_operation(self.by_command_and_credit, self.check)

    def test_a_cut_in_the_boot_after_a_cut(self):
        # The entry is durable and the cold state is not; then every operation of the boot.
        def start(house):
            house.boot()
            house.run(2)

        def broken():
            house = self.new_house()
            # The flush of the entry is one append and one sync; the next commit is cut.
            house.storage.cut_at = house.storage.operations + 3
            with self.assertRaises(PowerCut):
                self.by_command_and_credit(house)
            return house

        house = broken()
        before = house.storage.operations
        start(house)
        for number in range(1, house.storage.operations - before + 1):
            house = broken()
            house.storage.power_cut()
            house.storage.late = bool(number & 1)
            cut_at = house.storage.operations + number
            boot = house.boot

            def cut_boot(tariff=None, cold=True, boot=boot, storage=house.storage, at=cut_at):
                storage.cut_at = at
                boot(tariff, False)

            house.boot = cut_boot
            with self.assertRaises(PowerCut):
                start(house)
            house.boot = boot
            house.boot()
            house.run(1)
            self.check(house, "boot operation %d" % number)


class TestKeyChange(Cuts):
    HOUSE = staticmethod(sts_house)

    def both(self, house):
        for digits in SECTIONS:
            by_command(house, digits)
            house.run(1)

    def check(self, house, label):
        # Whoever has both slips enters them until the meter has the key.
        for _ in range(2):
            if house.agent.tokens.memory.key != NEW_KEY:
                for digits in SECTIONS:
                    by_keypad(house, digits)
        memory = house.agent.tokens.memory
        self.assertEqual((memory.key, memory.krn), (NEW_KEY, 2), label)
        self.assertEqual(len(house.entries(records.TOKEN)), 1, label)
        house.boot()
        self.assertEqual(house.agent.tokens.memory.key, NEW_KEY, label)
        self.assertEqual(by_keypad(house, token(NOW_TID, key=NEW_KEY)), "ok", label)

    def test_one_key_at_any_cut(self):
        self.assertGreaterEqual(self.at_every_operation(self.both, self.check), 4)

    def test_one_key_at_any_failure(self):
        self.at_every_operation(self.both, self.check, fails=True)


class TestPaygo(Cuts):
    HOUSE = staticmethod(lambda storage: paygo_house(storage=storage, paygo_unit=UNIT))
    digits = paygo(2, 3)

    def by_keypad_and_credit(self, house):
        by_keypad(house, self.digits)
        pay(house)
        house.run(2)

    def test_units_count_once(self):
        def check(house, label):
            self.check_once(house, label, self.digits, 3 * NANO)

        self.at_every_operation(self.by_keypad_and_credit, check)


class TestMemoryGone(unittest.TestCase):
    def test_a_cold_state_that_is_gone_takes_no_token(self):
        house = sts_house()
        by_keypad(house, token(NOW_TID))
        house.run(2)
        for name in ("cold.a", "cold.b"):
            house.storage.remove(name)
        house.boot()
        house.run(11)
        self.assertTrue(house.agent.tokens.lost)
        self.assertEqual(by_command(house, token(NOW_TID)), "denied locally")
        self.assertIn("token memory lost", house.told_names())
        house.boot()
        self.assertTrue(house.agent.tokens.lost)

    def test_one_of_the_pair_and_the_journal_are_enough(self):
        house = sts_house()
        for number in range(4):
            self.assertEqual(by_keypad(house, token(NOW_TID + number)), "ok")
            house.run(1)
            # A boot begins a segment, so that the next one sees only later entries.
            house.boot()
            house.run(1)
        newest = max(("cold.a", "cold.b"), key=lambda name: house.storage.files[name][1])
        house.storage.files[newest][20] ^= 1
        house.boot()
        self.assertFalse(house.agent.tokens.lost)
        for number in range(4):
            self.assertEqual(by_keypad(house, token(NOW_TID + number)), "UsedError")

    def test_what_an_entry_holds(self):
        house = paygo_house()
        self.assertEqual(by_keypad(house, paygo(2, 3)), "ok")
        entry = house.entries(records.TOKEN)[0]
        scheme, kind, count, seconds, until = readers.unpack_token(entry.payload)
        self.assertEqual((scheme, kind, count, seconds), (2, 1, 2, 3 * 86400))
        self.assertEqual(until, house.agent.time.powered_s + 3 * 86400)
