"""OpenPAYGO tokens: 9 digits, 12 extended, 15 or 20 of the digits 1 to 4. Pure decoding.

Each count has a code, the hash of the one before; a token is that code with the value in its last
digits. The value is in the first code already, so every value has a chain of its own and a token
is found by walking its chain from the start. Even counts add; odd ones set, sync or disable.
"""

from wattledger.agent.tokens.replay import IS_USED, JUMP, NEW, SYNC_JUMP
from wattledger.agent.tokens.results import FORMAT, INVALID, RANGE, USED, TokenError
from wattledger.agent.tokens.siphash import siphash

ADD_TIME = 1
SET_TIME = 2
DISABLE_PAYG = 3
COUNTER_SYNC = 4
NAMES = ("", "ADD_TIME", "SET_TIME", "DISABLE_PAYG", "COUNTER_SYNC")

MOST_DAYS = 995  # 996 and 997 are reserved, the two above are functions
DISABLE_VALUE = 998
SYNC_VALUE = 999
SHORT_BASE = 1000
LONG_BASE = 1000000
SHORT_SPAN = 1000000000
LONG_SPAN = 1000000000000
# A hash over the span is folded back by these.
SHORT_FOLD = 73741825
LONG_FOLD = 99511627777


def starting_code(key):
    """The starting code of a device that was given none."""
    return short_code(siphash(key, key))


def short_code(hash):
    """The code of 9 digits in a hash (high, low)."""
    code = (hash[0] ^ hash[1]) >> 2
    return code - SHORT_FOLD if code >= SHORT_SPAN else code


def long_code(hash):
    """The code of 12 digits in a hash (high, low)."""
    code = hash[0] << 8 | hash[1] >> 24
    return code - LONG_FOLD if code >= LONG_SPAN else code


def next_code(key, code, extended):
    """The code of the count after that of `code`."""
    if extended:
        return long_code(siphash(key, code.to_bytes(8, "big")))
    return short_code(siphash(key, code.to_bytes(4, "big") * 2))


def kind_of(count, value, extended):
    """What a token of this count and value does; an extended one can only add or set."""
    if count & 1 == 0:
        return ADD_TIME
    if extended or value < DISABLE_VALUE:
        return SET_TIME
    return DISABLE_PAYG if value == DISABLE_VALUE else COUNTER_SYNC


def parse(digits, restricted):
    """(number, whether it is extended); TokenError FORMAT says which lengths there are."""
    allowed = "1234" if restricted else "0123456789"
    lengths = (15, 20) if restricted else (9, 12)
    wrong = len(digits) not in lengths
    number = 0
    for letter in digits:
        wrong = wrong or letter not in allowed
        if not wrong:
            number = number << 2 | int(letter) - 1 if restricted else number * 10 + int(letter)
    if wrong:
        kind = "digits 1 to 4" if restricted else "digits"
        raise TokenError(FORMAT, "a token has %d or %d %s" % (lengths[0], lengths[1], kind))
    return number, len(digits) == lengths[1]


class Search:
    """Looks for the count that gives a token, a few hashes a call. `kind`, `value` and `count`
    once work() has said True.

    `memory` is a CountMemory, which it only asks. TokenError FORMAT when the digits are none.
    """

    def __init__(self, key, start, digits, restricted, memory):
        self._key = key
        self._memory = memory
        self._token, self._extended = parse(digits, restricted)
        self._base = LONG_BASE if self._extended else SHORT_BASE
        tail = self._token % self._base
        self._code = start - start % self._base + tail
        self._at = 0  # the count whose code that is
        self._was_used = False
        self.value = (tail - start) % self._base
        syncs = self.value == SYNC_VALUE and not self._extended
        self._last = memory.highest + (SYNC_JUMP if syncs else JUMP)
        self.kind = 0
        self.count = 0

    def work(self, hashes):
        """Go on by `hashes` counts; True when the token is found. TokenError INVALID, USED or
        RANGE when it is not good; the search is over then too."""
        for _ in range(hashes):
            if self._fits():
                return True
            if self._at >= self._last:
                self._give_up()
            self._code = next_code(self._key, self._code, self._extended)
            self._at += 1
        return False

    def _fits(self):
        if self._code // self._base != self._token // self._base:
            return False
        kind = kind_of(self._at, self.value, self._extended)
        found = self._memory.check(self._at, kind == ADD_TIME, kind == COUNTER_SYNC)
        if found != NEW:
            self._was_used = self._was_used or found == IS_USED
            return False  # another count may give the same digits
        self.kind, self.count = kind, self._at
        if kind in (ADD_TIME, SET_TIME) and not self._extended and self.value > MOST_DAYS:
            raise TokenError(RANGE, "the value %d has no meaning" % self.value)
        return True

    def _give_up(self):
        if self._was_used:
            raise TokenError(USED, "this token was used before, or a later one replaced it")
        raise TokenError(INVALID, "mistyped, made for another meter, or too far ahead")
