"""A new decoder key, told in two to four tokens that may come in any order (IEC 62055-41 8.10).

first   3 | KEN high 4 | KRN 4 | RO 1 | third follows 1 | KT 2 | key 32
second  4 | KEN low 4  | TI 8 | key 32
third   8 | SGC 24 | 0                     for a key of 8 bytes, when the first says so
third   8 | SGC low 12 | key 32            for a key of 16 bytes
fourth  9 | SGC high 12 | key 32           likewise
"""

from wattledger.agent.tokens.results import FUNCTION, KEY_TYPE, TokenError
from wattledger.agent.tokens.sts import SECTIONS

FIRST, SECOND, THIRD, FOURTH = SECTIONS
SECTION_BYTES = 6
LONG_KEY = 16
DITK = 0  # the key a meter is made with; no token brings it back


class NewKey:
    """`key` bytes, `krn`, `kt`, `ken`, `ti`; `sgc` is None where it stays; `rollover`: a new base
    date."""

    def __init__(self, sections, key_bytes):
        first, second = sections[FIRST], sections[SECOND]
        self.ken = (first[0] & 15) << 4 | second[0] & 15
        self.krn = first[1] >> 4
        self.kt = first[1] & 3
        self.rollover = bool(first[1] & 8)
        self.ti = second[1]
        self.sgc = None
        middle = b""
        if key_bytes == LONG_KEY:
            third, fourth = sections[THIRD], sections[FOURTH]
            middle = third[2:] + fourth[2:]
            self.sgc = _low_12(fourth) << 12 | _low_12(third)
        elif THIRD in wanted(sections, key_bytes):
            third = sections[THIRD]
            self.sgc = _low_12(third) << 12 | third[2] << 4 | third[3] >> 4
        self.key = first[2:] + middle + second[2:]


def _low_12(section):
    return (section[0] & 15) << 8 | section[1]


def wanted(sections, key_bytes):
    """Subclasses of the sections a key of this length takes; the first may ask for a third."""
    if key_bytes == LONG_KEY:
        return SECTIONS
    first = sections.get(FIRST)
    return (FIRST, SECOND, THIRD) if first and first[1] & 4 else (FIRST, SECOND)


def missing(sections, key_bytes):
    """Numbers (1 to 4) of the sections still to come; without the first at least that."""
    return [
        SECTIONS.index(subclass) + 1
        for subclass in wanted(sections, key_bytes)
        if subclass not in sections
    ]


def stage(sections, token, key_bytes):
    """Keep the section in `token`. TokenError when this meter can have no such key."""
    if token.subclass == FOURTH and key_bytes != LONG_KEY:
        raise TokenError(FUNCTION, "a fourth section belongs to a longer key")
    if token.subclass == FIRST and token.data[1] & 3 == DITK:
        raise TokenError(KEY_TYPE, "no token brings the manufacturing key back")
    sections[token.subclass] = bytes(token.data)
