"""A PIN made slow to try: PBKDF2 with HMAC-SHA256 (RFC 8018, 5.2), one block, in slices.

MicroPython has neither scrypt nor hmac, and its hash objects cannot be copied, so each iteration
hashes both pads again.
"""

import hashlib

BLOCK = 64
DIGEST = 32


class Stretch:
    """The derivation of one PIN. work(n) does n iterations; `digest` is 32 bytes when done."""

    def __init__(self, pin, salt, count):
        """`pin` and `salt` are bytes, the PIN of at most 64; `count` iterations, at least 1."""
        key = pin + bytes(BLOCK - len(pin))
        self._inner = bytes(byte ^ 0x36 for byte in key)
        self._outer = bytes(byte ^ 0x5C for byte in key)
        self._left = count - 1
        self._last = self._hmac(salt + b"\0\0\0\1")
        self._sum = bytearray(self._last)

    def _hmac(self, data):
        inner = hashlib.sha256(self._inner)
        inner.update(data)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()

    def work(self, count):
        """At most `count` more iterations; True when there are none left."""
        todo = min(count, self._left)
        self._left -= todo
        total = self._sum
        last = self._last
        while todo:
            last = self._hmac(last)
            for at in range(DIGEST):
                total[at] ^= last[at]
            todo -= 1
        self._last = last
        return not self._left

    @property
    def digest(self):
        """32 bytes; of the iterations done so far."""
        return bytes(self._sum)
