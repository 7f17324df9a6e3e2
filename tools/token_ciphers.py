"""Sealing an STS-format token: the ciphers forwards, the CRC, the class. Test keys only."""

from wattledger.agent.tokens import ea07, misty1, sts

# EA07 forwards: the inverse tables, rounds from the last to the first.
_BACK = {
    table: bytes(table.index(value) for value in range(16)) for table in (ea07.FIRST, ea07.SECOND)
}


def encrypt_ea07(key: bytes, block: bytes) -> bytes:
    """8 bytes under a key of 8."""
    key_bits = ea07.bits_of(key)
    bits = ea07.bits_of(block)
    for turn in range(ea07.ROUNDS - 1, -1, -1):
        for at in range(0, 64, 4):
            table = ea07.SECOND if key_bits[(at + turn) & 63] else ea07.FIRST
            ea07.substitute(bits, at, _BACK[table])
        moved = bytearray(64)
        for index, place in enumerate(ea07.COMES_FROM):
            moved[place] = bits[index]
        bits = moved
    return ea07.bytes_of(bits)


def encrypt_misty1(key: bytes, block: bytes) -> bytes:
    """8 bytes under a key of 16 (RFC 2994)."""
    keys = misty1.schedule(key)
    a, b, c, d = (block[at] << 8 | block[at + 1] for at in range(0, 8, 2))
    for turn in range(0, 10, 2):
        mask, fill = misty1.fl_keys(keys, turn)
        b ^= a & mask
        a ^= b | fill
        mask, fill = misty1.fl_keys(keys, turn + 1)
        d ^= c & mask
        c ^= d | fill
        if turn < 8:
            high, low = misty1.through_three(a, b, keys, turn)
            c, d = c ^ high, d ^ low
            high, low = misty1.through_three(c, d, keys, turn + 1)
            a, b = a ^ high, b ^ low
    return b"".join(word.to_bytes(2, "big") for word in (c, d, a, b))


def seal(cls: int, data: bytes, key: bytes) -> str:
    """The 20 digits of a token whose block begins with these 6 bytes."""
    in_currency = cls == sts.CREDIT and 4 <= data[0] >> 4 < 8
    crc = sts.crc(bytes([cls]) + data + (b"\1" if in_currency else b""))
    block = data + crc.to_bytes(2, "little")
    if cls != sts.TEST:
        block = (encrypt_misty1 if len(key) == 16 else encrypt_ea07)(key, block)
    number = int.from_bytes(block, "big")
    top = number >> 27 & 3
    return f"{number & ~(3 << 27) | cls << 27 | top << 64:020d}"
