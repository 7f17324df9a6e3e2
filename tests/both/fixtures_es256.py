"""A utility that signs documents (ES256), in the plainest arithmetic, apart from the device's own.

Test keys: the private key and the number k of each signature are small on purpose, which gives
the key away to anybody and makes the tests quick.
"""

import hashlib

from wattledger.tests.both.fixtures_jws import letters

P = 2**256 - 2**224 + 2**192 + 2**96 - 1  # FIPS 186-4, D.1.2.3
N = 115792089210356248762697446949407573529996955224135760342422259061068512044369
G = (
    48439561293906451759052585252797914202762949526041747995844080717082404635286,
    36134250956749795798585127919587881956611106672985015071877198253568414405109,
)
TARIFF_KEY = 7  # test key
OTHER_KEY = 11  # test key


def add(first, second):
    """The sum of two affine points, neither of them infinity, nor the sum."""
    if first == second:
        slope = 3 * (first[0] * first[0] - 1) * pow(2 * first[1], P - 2, P)
    else:
        slope = (second[1] - first[1]) * pow(second[0] - first[0], P - 2, P)
    x = (slope * slope - first[0] - second[0]) % P
    return x, (slope * (first[0] - x) - first[1]) % P


def times(number, point=G):
    """`number` (at least 1) times a point: once more, that often."""
    total = point
    for _ in range(number - 1):
        total = add(total, point)
    return total


def public(private):
    """The 64 bytes of the public key."""
    x, y = times(private)
    return x.to_bytes(32, "big") + y.to_bytes(32, "big")


def signature(signed, private, k=5):
    """64 bytes over `signed` (bytes)."""
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    r = times(k)[0] % N
    s = pow(k, N - 2, N) * (digest + r * private) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(payload, private=TARIFF_KEY, kid="tariff.1", head=None):
    """A compact JWS (bytes) over a payload (bytes or JSON text)."""
    if isinstance(payload, str):
        payload = payload.encode()
    head = '{"alg":"ES256","kid":"%s"}' % kid if head is None else head
    signed = letters(head.encode()) + "." + letters(payload)
    return (signed + "." + letters(signature(signed.encode(), private))).encode()
