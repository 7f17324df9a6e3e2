"""How often a wrong token passes: every mistyped digit of STS, and OpenPAYGO's share of all."""

import random

import pytest

from wattledger.agent.tokens import ea07, misty1, openpaygo, sts
from wattledger.agent.tokens.openpaygo import ADD_TIME, COUNTER_SYNC, Search
from wattledger.agent.tokens.replay import CountMemory
from wattledger.agent.tokens.results import TokenError
from wattledger.tests.both.vectors_tokens import KEY_CHANGES, STS

CIPHERS = {"07": ea07.decrypt, "11": misty1.decrypt}
TOKENS = [(row[0], row[1], row[7]) for row in STS]
TOKENS += [(row[0], row[1], digits) for row in KEY_CHANGES for digits in row[2]]
PAYGO_KEY = bytes(range(0x30, 0x40))
BASES = 1000  # values of the last three digits
WINDOW = 64
SYNC_WINDOW = 100


def mistyped(digits):
    """All that differ in one digit."""
    for at in range(20):
        for digit in "0123456789":
            if digit != digits[at]:
                yield digits[:at] + digit + digits[at + 1 :]


def test_no_mistyped_digit_of_any_vector_is_a_credit():
    tried, passed = 0, []
    for ea, key, digits in TOKENS:
        for wrong in mistyped(digits):
            tried += 1
            try:
                passed.append(sts.decode(wrong, CIPHERS[ea], bytes.fromhex(key)))
            except TokenError:
                continue
    assert tried == 82 * 180
    assert [token for token in passed if token.cls != sts.TEST] == []
    # A CRC of 16 bits lets 2^-16 through: 0.23 of 14 760 are expected. The one of these is a
    # test token, which shows something and moves nothing.
    assert len(passed) == 1


def accepted(memory, start):
    """All tokens of 9 digits that a device takes, by an account of its own: the chain of each of
    the 1000 values, from which the windows take what they may."""
    found = set()
    for tail in range(BASES):
        value = (tail - start) % BASES
        code = start - start % BASES + tail
        highest = memory.highest
        for count in range(highest + SYNC_WINDOW + 1):
            odd = count % 2
            syncs = odd and value == 999
            ahead = count - highest
            late = not odd and -16 < ahead <= 0 and not memory.used >> -ahead & 1
            ahead_ok = 0 < ahead <= (SYNC_WINDOW if syncs else WINDOW)
            means = value <= 995 or (odd and value >= 998)
            if means and (late or ahead_ok):
                found.add(code - code % BASES + tail)
            code = openpaygo.next_code(PAYGO_KEY, code, False)
    return found


@pytest.mark.nightly
def test_the_share_of_all_openpaygo_tokens_that_is_taken():
    start = 123456789
    memory = CountMemory(20, 0xAAAA)
    found = accepted(memory, start)
    # Of 10^9; at most twice the window in a million, for the fold doubles some codes.
    assert len(found) / 1e9 <= 2 * WINDOW / 1e6
    assert len(found) / 1e9 >= WINDOW / 1e6 / 2
    for token in random.Random(1).sample(sorted(found), 200):
        assert taken(token, start, memory)


def taken(token, start, memory):
    try:
        search = Search(PAYGO_KEY, start, f"{token:09d}", False, memory)
        while not search.work(64):
            pass
    except TokenError:
        return False
    return search.kind in (ADD_TIME, openpaygo.SET_TIME, openpaygo.DISABLE_PAYG, COUNTER_SYNC)


def test_random_openpaygo_tokens_are_hardly_ever_taken():
    # 500 tries at 64 to 72 in a million; the exact share is a nightly test.
    generator = random.Random(5)
    memory = CountMemory(1)
    tokens = [generator.randrange(10**9) for _ in range(500)]
    assert sum(taken(token, 123456789, memory) for token in tokens) <= 1


def test_every_token_of_a_few_values_that_is_taken_is_one_that_was_made():
    start = 123456789
    memory = CountMemory(1)
    for value in (0, 7, 995):
        tail = (start + value) % BASES
        chain = [start - start % BASES + tail]
        for _ in range(WINDOW + 1):
            chain.append(openpaygo.next_code(PAYGO_KEY, chain[-1], False))
        made = {code - code % BASES + tail for code in chain}
        good = {token for token in made if taken(token, start, memory)}
        # All but counts 0 and 1.
        assert len(good) == WINDOW
        assert not any(taken(token + BASES, start, memory) for token in list(good)[:20])
