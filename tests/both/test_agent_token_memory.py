"""What tokens leave behind: identifiers against a slow model, the cold state, device.json."""

import json
import unittest

from wattledger.agent import config as configs
from wattledger.agent.errors import ConfigError
from wattledger.agent.journal import cold
from wattledger.agent.journal.cold import ColdPair
from wattledger.agent.tokens import settings
from wattledger.agent.tokens.memory import TokenMemory
from wattledger.agent.tokens.replay import IS_OLD, IS_USED, NEW, CountMemory, TidMemory
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tests.both.fixtures_agent import config_of
from wattledger.tests.both.houses_storage import BreakingStorage
from wattledger.tests.both.houses_tokens import BASE, KEY, MADE, NOW_TID, PAYGO, STS

HEAP = "512K"


class TestIdentifiers(unittest.TestCase):
    def test_a_slow_model_says_the_same(self):
        memory = TidMemory(1000)
        known = [1000] * 64
        state = 3
        for _ in range(1500):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            tid = 900 + (state >> 8) % 700
            expected = IS_OLD if tid < min(known) else IS_USED if tid in known else NEW
            self.assertEqual(memory.check(tid), expected, str(tid))
            if expected == NEW:
                memory.add(tid)
                known.remove(min(known))
                known.append(tid)
        self.assertTrue(min(known) > 1000)

    def test_the_ends_of_24_bits(self):
        memory = TidMemory(0)
        self.assertEqual(memory.check(0), IS_USED)
        self.assertEqual(memory.check(0xFFFFFF), NEW)
        memory.add(0xFFFFFF)
        self.assertEqual(memory.check(0xFFFFFF), IS_USED)
        self.assertEqual(memory.check(0xFFFFFE), NEW)

    def test_the_manufacturing_minute(self):
        # 2014-01-01 is unix 1388534400.
        for base, made, tid in (
            (2014, 1388534400, 0),
            (2014, 1388534459, 0),
            (2014, 1388534460, 1),
            (2035, 1388534400, 0),
            (1993, 1732479299, 0xFFFFFE),
            (1993, 1732479300, 0xFFFFFF),  # 2024-11-24 20:15
            (1993, 4000000000, 0xFFFFFF),
        ):
            found = settings.check(dict(STS, base=base, made=made))
            self.assertEqual(found.made_tid(), tid)


class TestColdState(unittest.TestCase):
    def memory(self):
        return TokenMemory(settings.check(STS), KEY)

    def test_all_of_it_comes_back(self):
        before = self.memory()
        before.key = bytes(range(16))
        before.krn, before.kt, before.ken, before.ti, before.sgc, before.base = (
            9,
            3,
            200,
            99,
            7,
            2035,
        )
        before.tids.add(NOW_TID)
        before.sections = {3: b"abcdef", 9: b"ghijkl"}
        before.staged_until, before.failures, before.locked_until = 4000000000, 255, 4000000001
        before.counts = CountMemory(70000, 0xAAAA)
        before.until, before.flags = 4000000002, 1
        before.power_limit_w, before.unbalance_limit_w = 18201624, 5
        after = self.memory()
        self.assertTrue(after.restore(before.pack()))
        names = (
            "key krn kt ken ti sgc base sections staged_until failures locked_until until flags"
        )
        for name in names.split() + ["power_limit_w", "unbalance_limit_w"]:
            self.assertEqual(getattr(after, name), getattr(before, name), name)
        self.assertEqual((after.counts.highest, after.counts.used), (70000, 0xAAAA))
        self.assertEqual(after.tids.data, before.tids.data)

    def test_it_fits_and_another_version_is_not_taken(self):
        payload = self.memory().pack()
        self.assertLessEqual(len(cold.pack(1, 1, payload)), cold.MAX_LENGTH)
        self.assertFalse(self.memory().restore(b"\x02" + payload[1:]))
        self.assertFalse(self.memory().restore(payload + b"\0"))
        self.assertFalse(self.memory().restore(b""))

    def test_the_newer_of_two(self):
        storage = MemoryStorage()
        pair = ColdPair(storage)
        self.assertIsNone(pair.load())
        for sequence in (5, 6, 7):
            pair.commit(sequence, b"payload %d" % sequence)
            found = ColdPair(storage)
            self.assertEqual(found.load(), (sequence, b"payload %d" % sequence))
            self.assertFalse(found.damaged)
        self.assertEqual(storage.names(), list(cold.NAMES))

    def test_any_flipped_bit_leaves_the_older(self):
        for byte in range(11 + 7 + 4):
            storage = MemoryStorage()
            pair = ColdPair(storage)
            pair.commit(5, b"payload")
            pair.commit(6, b"payload")
            storage.files["cold.b"][byte] ^= 0x10
            found = ColdPair(storage)
            self.assertEqual(found.load(), (5, b"payload"), str(byte))
            self.assertTrue(found.damaged)

    def test_what_cannot_be_read_is_damaged(self):
        storage = BreakingStorage()
        ColdPair(storage).commit(5, b"payload")
        storage.unreadable = "cold.a"
        found = ColdPair(storage)
        self.assertIsNone(found.load())
        self.assertTrue(found.damaged)

    def test_a_failed_commit_is_made_again_in_the_same_place(self):
        storage = BreakingStorage()
        pair = ColdPair(storage)
        pair.commit(5, b"old")
        storage.fail_at = 2
        with self.assertRaises(OSError):
            pair.commit(6, b"new")
        pair.commit(6, b"new")
        self.assertEqual(ColdPair(storage).load(), (6, b"new"))
        self.assertEqual(storage.names(), list(cold.NAMES))


class TestSettings(unittest.TestCase):
    def refused(self, document):
        try:
            settings.check(document)
        except ConfigError as error:
            return error.place()
        return None

    def test_each_wrong_value_by_its_place(self):
        for document, place in (
            ([], "token"),
            ({}, "token.scheme"),
            (dict(STS, scheme="sms"), "token.scheme"),
            (dict(STS, ea="09"), "token.ea"),
            (dict(STS, ea=7), "token.ea"),
            (dict(STS, base=2000), "token.base"),
            (dict(STS, base=2014.0), "token.base"),
            (dict(STS, base=True), "token.base"),
            (dict(STS, ken=256), "token.ken"),
            (dict(STS, made=None), "token.made"),
            (dict(STS, krn="1"), "token.krn"),
            (dict(STS, start=1), "token.start"),
            (dict(PAYGO, ea="07"), "token.ea"),
            (dict(PAYGO, restricted=1), "token.restricted"),
            (dict(PAYGO, step_s=0), "token.step_s"),
            (dict(PAYGO, start=1000000000), "token.start"),
        ):
            self.assertEqual(self.refused(document), place, str(document))

    def test_what_is_made_before_all_tokens_is_required(self):
        document = dict(STS)
        del document["made"]
        self.assertEqual(self.refused(document), "token.made")

    def test_defaults(self):
        found = settings.check({"scheme": "sts", "ea": "11", "base": BASE, "made": MADE})
        self.assertEqual((found.krn, found.kt, found.ken, found.key_bytes()), (1, 2, 255, 16))
        found = settings.check({"scheme": "openpaygo"})
        self.assertEqual((found.start, found.count, found.step_s), (-1, 1, 86400))
        self.assertEqual((found.paygo_unit, found.allow_unlock, found.key_bytes()), (0, False, 16))

    def test_in_device_json(self):
        self.assertIsNone(config_of().token)
        self.assertEqual(config_of(token=STS).token.ea, "07")
        document = {"v": 1, "meter": "a", "tenant": "a", "board": "a", "token": {"scheme": 1}}
        try:
            configs.load(json.dumps(document).encode())
            self.fail("accepted")
        except ConfigError as error:
            self.assertEqual(error.place(), "token.scheme")
