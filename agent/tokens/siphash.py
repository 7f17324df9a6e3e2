"""SipHash-2-4 (Aumasson and Bernstein, 2012) in halves of 32 bits.

A MicroPython of 64 bits counts to 2^62 without long integers, so no word is ever whole.
"""

M = 0xFFFFFFFF
# The initial state's constants, high and low half of v0 to v3.
START = (
    (0x736F6D65, 0x70736575),
    (0x646F7261, 0x6E646F6D),
    (0x6C796765, 0x6E657261),
    (0x74656462, 0x79746573),
)


def siphash(key, data):
    """(high, low) 32 bits of the hash of `data` (bytes, a multiple of 8); `key` is 16 bytes."""
    k0h, k0l, k1h, k1l = _word(key, 4), _word(key, 0), _word(key, 12), _word(key, 8)
    state = [
        START[0][0] ^ k0h,
        START[0][1] ^ k0l,
        START[1][0] ^ k1h,
        START[1][1] ^ k1l,
        START[2][0] ^ k0h,
        START[2][1] ^ k0l,
        START[3][0] ^ k1h,
        START[3][1] ^ k1l,
    ]
    for at in range(0, len(data), 8):
        _take(state, _word(data, at + 4), _word(data, at))
    _take(state, (len(data) & 255) << 24, 0)
    state[5] ^= 0xFF
    _mix(state, 4)
    return (
        state[0] ^ state[2] ^ state[4] ^ state[6],
        state[1] ^ state[3] ^ state[5] ^ state[7],
    )


def _word(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def _take(state, high, low):
    state[6] ^= high
    state[7] ^= low
    _mix(state, 2)
    state[0] ^= high
    state[1] ^= low


def _mix(state, rounds):
    a, b, c, d, e, f, g, h = state  # v0 = a b, v1 = c d, v2 = e f, v3 = g h
    for _ in range(rounds):
        b += d
        a = (a + c + (b >> 32)) & M
        b &= M
        c, d = (c << 13 & M | d >> 19) ^ a, (d << 13 & M | c >> 19) ^ b
        a, b = b, a  # turned by 32
        f += h
        e = (e + g + (f >> 32)) & M
        f &= M
        g, h = (g << 16 & M | h >> 16) ^ e, (h << 16 & M | g >> 16) ^ f
        b += h
        a = (a + g + (b >> 32)) & M
        b &= M
        g, h = (g << 21 & M | h >> 11) ^ a, (h << 21 & M | g >> 11) ^ b
        f += d
        e = (e + c + (f >> 32)) & M
        f &= M
        c, d = (c << 17 & M | d >> 15) ^ e, (d << 17 & M | c >> 15) ^ f
        e, f = f, e
    state[:] = [a, b, c, d, e, f, g, h]
