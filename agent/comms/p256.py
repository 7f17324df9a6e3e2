"""ECDSA P-256 with SHA-256 (ES256, RFC 7518 3.4): verification in slices, in plain integers.

A whole verification takes an ESP32 about a second, so `work()` does a few of its 256 steps and
the meter ticks in between. Only public values are computed with, so nothing here needs constant
time. Curve and check: FIPS 186-4 (6.4, D.1.2.3) and SEC 1 4.1.4.
"""

from wattledger.agent.errors import EnvelopeError

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
BITS = 256
SLICE = 4  # bits of the two factors in one call of work()
POINT_BYTES = 64  # x and y, big-endian; so is a signature: r and s


class Verification:
    """Checks one signature: call `work()` until it says True or False."""

    def __init__(self, point, digest, signature):
        """`point` is the public key (64 bytes), `digest` the SHA-256 of what was signed (32),
        `signature` r and s (64). EnvelopeError for a point that is no public key."""
        key = _pair(point)
        if not _is_on_curve(key):
            raise EnvelopeError("the public key is not a point of P-256")
        r, s = _pair(signature) if len(signature) == POINT_BYTES else (0, 0)
        self._r = r
        self._bit = -1  # refused before the first
        if not (0 < r < N and 0 < s < N):
            return
        inverse = pow(s, N - 2, N)
        self._first = int.from_bytes(digest, "big") * inverse % N
        self._second = r * inverse % N
        self._key = key + (1,)
        self._base = G + (1,)
        self._both = _add(self._base, self._key)
        self._sum = None  # the point at infinity
        self._bit = BITS

    def work(self):
        """A few bits more (Shamir's trick); True or False at the end, None before."""
        if self._bit < 0:
            return False
        for _ in range(SLICE):
            self._bit -= 1
            self._sum = _double(self._sum)
            bits = (self._first >> self._bit & 1) << 1 | (self._second >> self._bit & 1)
            if bits:
                self._sum = _add(self._sum, (self._key, self._base, self._both)[bits - 1])
        if self._bit:
            return None
        self._bit = -1
        if self._sum is None:
            return False
        # x of the sum is X / Z^2; compared without a division. r is x mod N, and x < P.
        x, _, z = self._sum
        square = z * z % P
        r = self._r
        return r * square % P == x or (r + N < P and (r + N) * square % P == x)


def _pair(data):
    return int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")


def _is_on_curve(point):
    x, y = point
    return x < P and y < P and (y * y - (x * x - 3) * x - B) % P == 0


def _double(point):
    """Twice a Jacobian point; None is infinity. The curve has a = -3 and no point with y = 0."""
    if point is None:
        return None
    x, y, z = point
    square = y * y % P
    product = 4 * x * square % P
    zz = z * z % P
    slope = 3 * (x - zz) * (x + zz) % P
    new_x = (slope * slope - 2 * product) % P
    return new_x, (slope * (product - new_x) - 8 * square * square) % P, 2 * y * z % P


def _add(first, second):
    """The sum of two Jacobian points."""
    if first is None:
        return second
    if second is None:
        return first
    x1, y1, z1 = first
    x2, y2, z2 = second
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * zz2 * z2 % P, y2 * zz1 * z1 % P
    if u1 == u2:
        return _double(first) if s1 == s2 else None
    h, slope = u2 - u1, s2 - s1
    hh = h * h % P
    hhh = hh * h % P
    part = u1 * hh % P
    x = (slope * slope - hhh - 2 * part) % P
    return x, (slope * (part - x) - s1 * hhh) % P, h * z1 * z2 % P
