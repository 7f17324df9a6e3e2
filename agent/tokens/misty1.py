"""MISTY1 (RFC 2994), which STS calls EA11: 64-bit block, 128-bit key, 8 rounds.

A 32-bit half is a pair of 16-bit words, so that a microcontroller needs no long integers. FI and
FL are the RFC's names.
"""

S7 = (
    b"\x1b\x32\x33\x5a\x3b\x10\x17\x54\x5b\x1a\x72\x73\x6b\x2c\x66\x49"
    b"\x1f\x24\x13\x6c\x37\x2e\x3f\x4a\x5d\x0f\x40\x56\x25\x51\x1c\x04"
    b"\x0b\x46\x20\x0d\x7b\x35\x44\x42\x2b\x1e\x41\x14\x4b\x79\x15\x6f"
    b"\x0e\x55\x09\x36\x74\x0c\x67\x53\x28\x0a\x7e\x38\x02\x07\x60\x29"
    b"\x19\x12\x65\x2f\x30\x39\x08\x68\x5f\x78\x2a\x4c\x64\x45\x75\x3d"
    b"\x59\x48\x03\x57\x7c\x4f\x62\x3c\x1d\x21\x5e\x27\x6a\x70\x4d\x3a"
    b"\x01\x6d\x6e\x63\x18\x77\x23\x05\x26\x76\x00\x31\x2d\x7a\x7f\x61"
    b"\x50\x22\x11\x06\x47\x16\x52\x4e\x71\x3e\x69\x43\x34\x5c\x58\x7d"
)
# The 512 values of S9 are a quadratic function of the input's bits: a row for each bit holds what
# it adds alone and together with each lower bit. An eighth of the table's heap.
S9_OF_ZERO = 0x1C3
S9_ROWS = (
    (0x108,),
    (0x090, 0x1C4),
    (0x020, 0x002, 0x188),
    (0x042, 0x030, 0x006, 0x092),
    (0x104, 0x085, 0x060, 0x00C, 0x026),
    (0x088, 0x111, 0x009, 0x140, 0x018, 0x04E),
    (0x010, 0x006, 0x0A1, 0x013, 0x180, 0x030, 0x11C),
    (0x022, 0x180, 0x00C, 0x041, 0x025, 0x080, 0x060, 0x0B8),
    (0x044, 0x162, 0x080, 0x018, 0x103, 0x049, 0x002, 0x140, 0x070),
)


def s9(value):
    """The 9-bit table of the RFC."""
    out = S9_OF_ZERO
    for bit in range(9):
        if value >> bit & 1:
            row = S9_ROWS[bit]
            out ^= row[0]
            for lower in range(bit):
                if value >> lower & 1:
                    out ^= row[lower + 1]
    return out


def fi(word, key):
    """A 16-bit word through both tables."""
    seven = word & 0x7F
    nine = s9(word >> 7) ^ seven
    seven = S7[seven] ^ nine & 0x7F ^ key >> 9
    return seven << 9 | s9(nine ^ key & 0x1FF) ^ seven


def through_three(high, low, keys, turn):
    """A half (two words) through three FI with the keys of round `turn`."""
    high = fi(high ^ keys[turn], keys[(turn + 5 & 7) + 8]) ^ low
    low = fi(low ^ keys[turn + 2 & 7], keys[(turn + 1 & 7) + 8]) ^ high
    high = fi(high ^ keys[turn + 7 & 7], keys[(turn + 3 & 7) + 8]) ^ low
    return low ^ keys[turn + 4 & 7], high


def fl_keys(keys, layer):
    """The two keys of an FL: the one that masks, the one that fills."""
    half = layer >> 1
    if layer & 1:
        return keys[(half + 2 & 7) + 8], keys[half + 4 & 7]
    return keys[half], keys[(half + 6 & 7) + 8]


def schedule(key):
    """16 words of 16 bits from the 16 bytes of a key."""
    keys = [key[at] << 8 | key[at + 1] for at in range(0, 16, 2)]
    return keys + [fi(keys[index], keys[index + 1 & 7]) for index in range(8)]


def decrypt(key, block):
    """The plain block (8 bytes) of an encrypted one; `key` is 16 bytes."""
    keys = schedule(key)
    c, d, a, b = [block[at] << 8 | block[at + 1] for at in range(0, 8, 2)]
    for turn in range(8, -1, -2):
        if turn < 8:
            high, low = through_three(c, d, keys, turn + 1)
            a, b = a ^ high, b ^ low
            high, low = through_three(a, b, keys, turn)
            c, d = c ^ high, d ^ low
        mask, fill = fl_keys(keys, turn)
        a ^= b | fill
        b ^= a & mask
        mask, fill = fl_keys(keys, turn + 1)
        c ^= d | fill
        d ^= c & mask
    return bytes([a >> 8, a & 255, b >> 8, b & 255, c >> 8, c & 255, d >> 8, d & 255])
