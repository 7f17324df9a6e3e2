"""EA07, the 64-bit cipher of STS tokens: 16 rounds of a bit permutation and two nibble tables.

Tables and rounds as two unrelated implementations have them and as real tokens confirm; the ones
printed in IEC 62055-41 are placeholders.
"""

# Nibble tables of decryption: the bit of the key below each nibble picks the second.
FIRST = b"\x0c\x06\x02\x07\x0d\x09\x05\x04\x01\x0a\x0e\x08\x00\x03\x0f\x0b"
SECOND = b"\x09\x0b\x06\x05\x0c\x07\x0e\x02\x0d\x03\x01\x0f\x04\x08\x00\x0a"
# Bit i goes to bit GOES_TO[i].
GOES_TO = (
    b"\x37\x36\x08\x19\x1b\x2f\x10\x1a\x3b\x0e\x02\x33\x12\x2e\x3d\x34"
    b"\x17\x35\x03\x25\x1d\x05\x09\x2a\x04\x1f\x3f\x0c\x2d\x27\x2b\x29"
    b"\x1c\x23\x39\x07\x11\x14\x15\x32\x30\x2c\x01\x0b\x06\x3e\x26\x3c"
    b"\x28\x24\x0f\x20\x21\x16\x22\x00\x0a\x38\x0d\x3a\x31\x13\x18\x1e"
)
ROUNDS = 16


def bits_of(data):
    """The bits of 8 bytes, lowest first; the bytes are big-endian."""
    return bytearray([data[7 - (index >> 3)] >> (index & 7) & 1 for index in range(64)])


def bytes_of(bits):
    """8 bytes, big-endian, of 64 bits."""
    data = bytearray(8)
    for index in range(64):
        data[7 - (index >> 3)] |= bits[index] << (index & 7)
    return bytes(data)


def substitute(bits, at, table):
    """Put the nibble whose lowest bit is `at` through a table of 16."""
    value = table[bits[at] | bits[at + 1] << 1 | bits[at + 2] << 2 | bits[at + 3] << 3]
    for index in range(4):
        bits[at + index] = value >> index & 1


def decrypt(key, block):
    """The plain block (8 bytes) of an encrypted one; `key` is 8 bytes, big-endian."""
    key = bits_of(key)
    bits = bits_of(block)
    moved = bytearray(64)
    for turn in range(ROUNDS):
        for index in range(64):
            moved[GOES_TO[index]] = bits[index]
        for at in range(0, 64, 4):
            substitute(moved, at, SECOND if key[(at + turn) & 63] else FIRST)
        bits, moved = moved, bits
    return bytes_of(bits)
