"""One block of DES (FIPS 46-3), for the legacy key derivation DKGA02 and nothing else.

Tables are numbered as the standard numbers bits: from 1, the highest first.
"""

# Rows of 8: 58 50 42 ... 2, 60 52 ... 4, ..., then 57 49 ... 1 and so on.
INITIAL = [start - 8 * step for start in (58, 60, 62, 64, 57, 59, 61, 63) for step in range(8)]
# Each group of four bits with a neighbour on either side, around the corner.
EXPANSION = [(4 * group + step - 1) % 32 + 1 for group in range(8) for step in range(6)]
PERMUTATION = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
]  # fmt: skip
KEY_CHOICE = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
    60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37,
    29, 21, 13, 5, 28, 20, 12, 4,
]  # fmt: skip
ROUND_CHOICE = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
]  # fmt: skip
SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
# A table is four rows of 16, as the standard prints them, in hex.
BOXES = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)


def encrypt(key: bytes, block: bytes) -> bytes:
    """One block of 8 bytes under a key of 8 (its parity bits are not looked at)."""
    halves = _choose(int.from_bytes(key, "big"), 64, KEY_CHOICE)
    left_key, right_key = halves >> 28, halves & 0xFFFFFFF
    value = _choose(int.from_bytes(block, "big"), 64, INITIAL)
    left, right = value >> 32, value & 0xFFFFFFFF
    for shift in SHIFTS:
        left_key, right_key = _rotate(left_key, shift), _rotate(right_key, shift)
        turn_key = _choose(left_key << 28 | right_key, 56, ROUND_CHOICE)
        left, right = right, left ^ _mix(right, turn_key)
    return _unchoose(right << 32 | left).to_bytes(8, "big")


def _choose(value: int, width: int, places: list[int]) -> int:
    out = 0
    for place in places:
        out = out << 1 | value >> (width - place) & 1
    return out


def _unchoose(value: int) -> int:
    """The initial permutation undone."""
    out = 0
    for index, place in enumerate(INITIAL):
        out |= (value >> (63 - index) & 1) << (64 - place)
    return out


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (28 - by)) & 0xFFFFFFF


def _mix(right: int, key: int) -> int:
    value = _choose(right, 32, EXPANSION) ^ key
    out = 0
    for index, box in enumerate(BOXES):
        six = value >> (42 - 6 * index) & 63
        row = six >> 4 & 2 | six & 1
        out = out << 4 | int(box[16 * row + (six >> 1 & 15)], 16)
    return _choose(out, 32, PERMUTATION)
