"""OpenPAYGO tokens: every vector decodes; windows, and no count twice."""

import binascii
import unittest

from wattledger.agent.tokens import openpaygo, results
from wattledger.agent.tokens.openpaygo import ADD_TIME, COUNTER_SYNC, Search
from wattledger.agent.tokens.replay import IS_OLD, IS_USED, NEW, CountMemory
from wattledger.agent.tokens.results import TokenError
from wattledger.agent.tokens.siphash import siphash
from wattledger.tests.both.vectors_tokens import OPENPAYGO

HEAP = "512K"
SLICE = 16


def find(key, start, digits, restricted, memory):
    """(search, calls of work) of a token; TokenError when it is refused."""
    if start < 0:
        start = openpaygo.starting_code(key)
    search = Search(key, start, digits, restricted, memory)
    calls = 1
    while not search.work(SLICE):
        calls += 1
    return search, calls


def refusal(*arguments):
    try:
        find(*arguments)
    except TokenError as error:
        return error.result
    return results.ACCEPT


class TestSipHash(unittest.TestCase):
    def test_vectors_of_its_authors(self):
        # Appendix A of the paper, and the first of vectors.h, both with key 00 01 .. 0f.
        key = bytes(range(16))
        for size, high, low in (
            (0, 0x726FDB47, 0xDD0E0E31),
            (8, 0x93F5F579, 0x9A932462),
        ):
            self.assertEqual(siphash(key, bytes(range(size))), (high, low))


class TestVectors(unittest.TestCase):
    def test_every_vector(self):
        for key, start, before, restricted, extended, digits, kind, value, count in OPENPAYGO:
            key = binascii.unhexlify(key)
            found, calls = find(key, start, digits, restricted, CountMemory(before))
            self.assertEqual((found.kind, found.value, found.count), (kind, value, count))
            self.assertEqual(len(digits), (20 if restricted else 12) if extended else len(digits))
            # Bounded work a call: a count a hash, and no more than asked for.
            self.assertEqual(calls, count // SLICE + 1)

    def test_once_taken_it_is_used(self):
        for key, start, before, restricted, _, digits, kind, _, count in OPENPAYGO[:30]:
            memory = CountMemory(before)
            memory.add(count, kind == ADD_TIME)
            key = binascii.unhexlify(key)
            self.assertEqual(refusal(key, start, digits, restricted, memory), results.USED)

    def test_beyond_the_window_it_is_nothing(self):
        for key, start, _, restricted, _, digits, kind, _, count in OPENPAYGO:
            jump = 100 if kind == COUNTER_SYNC else 64
            if count <= jump:
                continue
            key = binascii.unhexlify(key)
            just = CountMemory(count - jump)
            self.assertEqual(refusal(key, start, digits, restricted, just), results.ACCEPT)
            over = CountMemory(count - jump - 1)
            self.assertEqual(refusal(key, start, digits, restricted, over), results.INVALID)

    def test_what_is_no_token(self):
        key = bytes(16)
        for digits, restricted in (
            ("", False),
            ("12345678", False),
            ("1234567890", False),
            ("12345678x", False),
            ("123412341234120", True),
            ("123412341234125", True),
            ("123456789", True),
        ):
            wrong = refusal(key, 1, digits, restricted, CountMemory(1))
            self.assertEqual(wrong, results.FORMAT)


class TestCounts(unittest.TestCase):
    def test_windows(self):
        memory = CountMemory(100, 0)
        for count, adds, syncs, expected in (
            (101, True, False, NEW),
            (164, True, False, NEW),
            (165, True, False, IS_OLD),
            (200, False, True, NEW),
            (201, False, True, IS_OLD),
            (100, True, False, NEW),
            (85, True, False, NEW),
            (84, True, False, IS_USED),
            (99, False, False, IS_USED),
            (99, False, True, IS_USED),
        ):
            self.assertEqual(memory.check(count, adds, syncs), expected, str(count))

    def test_late_tokens_of_a_few_that_add(self):
        memory = CountMemory(1)
        for count in (8, 2, 6, 4):
            self.assertEqual(memory.check(count, True, False), NEW)
            memory.add(count, True)
        for count in (2, 4, 6, 8):
            self.assertEqual(memory.check(count, True, False), IS_USED)

    def test_a_setting_token_ends_all_before_it(self):
        memory = CountMemory(1)
        memory.add(9, False)
        for count in range(10):
            self.assertEqual(memory.check(count, True, False), IS_USED)

    def test_no_count_is_ever_taken_twice(self):
        # 3000 counts in a random order around a rising middle: a set of all that were taken.
        state = 7
        memory = CountMemory(1)
        taken = set()
        middle = 10
        for turn in range(3000):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            count = max(middle + (state >> 8) % 90 - 40, 0)
            adds = count % 2 == 0
            if memory.check(count, adds, not adds and turn % 7 == 0) == NEW:
                self.assertNotIn(count, taken)
                taken.add(count)
                memory.add(count, adds)
            middle += turn % 3
        self.assertTrue(len(taken) > 60)
