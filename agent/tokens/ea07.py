"""EA07, the 64-bit cipher of STS tokens: 16 rounds of a bit permutation and two nibble tables.

Tables and rounds as two unrelated implementations have them and as real tokens confirm; the ones
printed in IEC 62055-41 are placeholders.
"""

# Nibble tables of decryption: the bit of the key below each nibble picks the second.
FIRST = b"\x0c\x06\x02\x07\x0d\x09\x05\x04\x01\x0a\x0e\x08\x00\x03\x0f\x0b"
SECOND = b"\x09\x0b\x06\x05\x0c\x07\x0e\x02\x0d\x03\x01\x0f\x04\x08\x00\x0a"
# Bit i comes from bit COMES_FROM[i].
COMES_FROM = (
    b"\x37\x2a\x0a\x12\x18\x15\x2c\x23\x02\x16\x38\x2b\x1b\x3a\x09\x32"
    b"\x06\x24\x0c\x3d\x25\x26\x35\x10\x3e\x03\x07\x04\x20\x14\x3f\x19"
    b"\x33\x34\x36\x21\x31\x13\x2e\x1d\x30\x1f\x17\x1e\x29\x1c\x0d\x05"
    b"\x28\x3c\x27\x0b\x0f\x11\x01\x00\x39\x22\x3b\x08\x2f\x0e\x2d\x1a"
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
    bits[at] = value & 1
    bits[at + 1] = value >> 1 & 1
    bits[at + 2] = value >> 2 & 1
    bits[at + 3] = value >> 3


def decrypt(key, block):
    """The plain block (8 bytes) of an encrypted one; `key` is 8 bytes, big-endian."""
    key = bits_of(key)
    bits = bits_of(block)
    for turn in range(ROUNDS):
        bits = [bits[place] for place in COMES_FROM]
        for at in range(0, 64, 4):
            substitute(bits, at, SECOND if key[(at + turn) & 63] else FIRST)
    return bytes_of(bits)
