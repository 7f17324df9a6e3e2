"""ECDSA P-256 against published vectors and the corners of its arithmetic."""

import binascii
import hashlib
import unittest

from wattledger.agent.comms.p256 import N, P, Verification
from wattledger.agent.errors import EnvelopeError

# RFC 6979, A.2.5: the key, and its signatures of "sample" and "test" with SHA-256.
KEY = binascii.unhexlify(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
SAMPLE = binascii.unhexlify(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
TEST = binascii.unhexlify(
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
)
GENERATOR = binascii.unhexlify(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def digest(text):
    return hashlib.sha256(text).digest()


def is_good(signature, text=b"sample", key=KEY, hashed=None):
    verification = Verification(key, hashed or digest(text), signature)
    found = None
    while found is None:
        found = verification.work()
    return found


def number(value):
    return value.to_bytes(32, "big")


class TestVectors(unittest.TestCase):
    def test_the_signatures_of_the_rfc(self):
        self.assertTrue(is_good(SAMPLE))
        self.assertTrue(is_good(TEST, b"test"))

    def test_another_message_or_another_key_is_refused(self):
        self.assertFalse(is_good(SAMPLE, b"test"))
        self.assertFalse(is_good(SAMPLE, key=GENERATOR))

    def test_a_flipped_bit_anywhere_is_refused(self):
        for position in range(0, 512, 37):
            bent = bytearray(SAMPLE)
            bent[position // 8] ^= 1 << position % 8
            self.assertFalse(is_good(bytes(bent)))

    def test_it_works_in_slices(self):
        verification = Verification(KEY, digest(b"sample"), SAMPLE)
        slices = 1
        while verification.work() is None:
            slices += 1
        self.assertEqual(slices, 64)  # 256 bits, four at a time


class TestCorners(unittest.TestCase):
    def test_numbers_outside_the_group_are_refused(self):
        r, s = SAMPLE[:32], SAMPLE[32:]
        for bad in (0, N, N + 1, 2**256 - 1):
            self.assertFalse(is_good(number(bad) + s))
            self.assertFalse(is_good(r + number(bad)))

    def test_a_signature_of_another_length_is_refused(self):
        for length in (0, 1, 63, 65):
            self.assertFalse(is_good((SAMPLE + b"\0")[:length]))

    def test_the_other_s_of_a_signature_is_as_good(self):
        # ECDSA takes s and N - s alike: nothing here may rest on a signature's being the only one.
        other = N - int.from_bytes(SAMPLE[32:], "big")
        self.assertTrue(is_good(SAMPLE[:32] + number(other)))

    def test_a_point_beside_the_curve_is_no_key(self):
        for key in (bytes(64), KEY[:63] + b"\x98", number(P) + KEY[32:], b"\xff" * 64):
            with self.assertRaises(EnvelopeError):
                Verification(key, digest(b"sample"), SAMPLE)

    def test_a_sum_of_equal_points_is_doubled(self):
        # With the generator as key, digest = r makes both factors equal: u1 G + u2 G adds G to
        # itself. The private key is 1, so any (r, s) with s = (digest + r) / k is good; with
        # k = 2 r is x of 2 G (SEC 2 test arithmetic: the well-known point 2 G).
        r = 0x7CF27B188D034F7E8A52380304B51AC3C08969E277F21B35A60B48FC47669978
        s = 2 * r * pow(2, N - 2, N) % N  # (r + r) / 2
        self.assertTrue(is_good(number(r) + number(s), key=GENERATOR, hashed=number(r)))

    def test_a_sum_at_infinity_is_refused(self):
        # digest = -r: u1 G + u2 G = 0.
        r = 5
        hashed = number(N - r)
        self.assertFalse(is_good(number(r) + number(7), key=GENERATOR, hashed=hashed))


if __name__ == "__main__":
    unittest.main()
