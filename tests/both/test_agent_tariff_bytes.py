"""Tariff documents as bytes: whatever arrives, the answer is a tariff or a TariffError."""

import unittest

from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.tests.both.houses_tariffs import data


def refusal(raw):
    """(path, message) of the TariffError that `raw` bytes cause."""
    try:
        tariffs.load(raw)
    except TariffError as error:
        return error.path, error.message
    return None, "accepted"


class TestBytes(unittest.TestCase):
    def test_size(self):
        good = data()
        full = good + b" " * (4096 - len(good))
        self.assertEqual(refusal(full), (None, "accepted"))
        self.assertEqual(refusal(full + b" "), ((), "is 4097 bytes; at most 4096 fit the meter"))

    def test_not_a_json_object(self):
        for raw in (b"", b"{", b"nonsense", b"\xff\xfe\x00", b"\x00", b"{'v':1}", data()[:-1]):
            self.assertEqual(refusal(raw), ((), "is not JSON"), raw)
        for raw in (b"[]", b"5", b"null", b"true", b'"v"'):
            self.assertEqual(refusal(raw), ((), "must be a JSON object"), raw)

    def test_not_utf8_in_a_text(self):
        raw = data().replace(b"demo-cn", b"demo\xff\xfe")
        self.assertEqual(refusal(raw), ((), "is not JSON"))

    def test_not_utf8_in_a_name_nobody_checks(self):
        raw = data().replace(b'"all"', b'"a\xff\xfe"')
        self.assertEqual(refusal(raw), ((), "is not JSON"))

    def test_numbers_that_are_none(self):
        for text in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e3", b"5e-1"):
            raw = data(n=123456789).replace(b"123456789", text)
            self.assertIn(refusal(raw)[0], (("n",), ()), text)

    def test_huge_numbers(self):
        for digits in (20, 400, 3000):
            for sign in (b"", b"-"):
                raw = data(n=123456789).replace(b"123456789", sign + b"9" * digits)
                self.assertEqual(refusal(raw)[0], ("n",))

    def test_deep_nesting_everywhere(self):
        # Some depths are read and too deep to be quoted in the message.
        for depth in (10, 100, 500, 900, 940, 960, 980, 1000, 1200, 1600):
            for key, quoted in (("n", '"n": 123456789'), ("cycle", '"cycle": "month"')):
                deep = ('"%s": ' % key).encode() + b"[" * depth + b"]" * depth
                raw = data(n=123456789).replace(quoted.encode(), deep)
                self.assertIn(refusal(raw)[0], ((key,), ()), depth)

    def test_keys_that_are_no_text(self):
        # MicroPython's parser takes them.
        for key in (b"1", b"null", b"true", b"1.5", b"[]"):
            raw = b"{" + key + b":1," + data()[1:]
            with self.assertRaises(TariffError) as caught:
                tariffs.load(raw)
            self.assertTrue(len(str(caught.exception)) > 0)

    def test_digest_is_of_the_bytes(self):
        first = tariffs.load(data())
        second = tariffs.load(data() + b"\n")
        self.assertNotEqual(first.digest, second.digest)
        self.assertEqual(len(first.digest), 32)
