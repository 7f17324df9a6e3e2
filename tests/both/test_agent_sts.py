"""STS-format tokens: every vector decodes, every mistyped digit is found, numbers by hand."""

import binascii
import unittest

from wattledger.agent.tokens import ea07, misty1, results, sts
from wattledger.agent.tokens.keychange import NewKey, missing, stage
from wattledger.agent.tokens.results import TokenError
from wattledger.tests.both.vectors_tokens import KEY_CHANGES, STS

HEAP = "512K"

CIPHERS = {"07": ea07.decrypt, "11": misty1.decrypt}
TESTS_ALL = "56493153725450313471"  # any meter: control bits all set, maker 0


def key_of(text):
    return binascii.unhexlify(text)


def refusal(digits, cipher=None, key=b""):
    try:
        sts.decode(digits, cipher, key)
    except TokenError as error:
        return error.result
    return results.ACCEPT


class TestCiphers(unittest.TestCase):
    def test_misty1_decrypts_the_block_of_its_rfc(self):
        key = key_of("00112233445566778899aabbccddeeff")
        for plain, hidden in (
            ("0123456789abcdef", "8b1da5f56ab3d07c"),
            ("fedcba9876543210", "04b68240b13be95d"),
        ):
            self.assertEqual(misty1.decrypt(key, key_of(hidden)), key_of(plain))

    def test_s9_is_a_permutation_of_9_bits(self):
        self.assertEqual(sorted([misty1.s9(value) for value in range(512)]), list(range(512)))
        # First and last of the RFC's table.
        self.assertEqual((misty1.s9(0), misty1.s9(511)), (0x1C3, 0x1C2))

    def test_the_crc_of_a_published_example(self):
        # 50 bits 0x4A2D900FF2; published as it is stored, low byte first: 0F FA.
        self.assertEqual(sts.crc(key_of("00004A2D900FF2")), 0xFA0F)


class TestVectors(unittest.TestCase):
    def test_every_vector(self):
        for ea, key, cls, subclass, tid, kind, number, digits in STS:
            token = sts.decode(digits, CIPHERS[ea], key_of(key))
            self.assertEqual((token.cls, token.subclass, token.tid), (cls, subclass, tid))
            self.assertEqual(getattr(token, kind)(), number, digits)

    def test_every_key_change_in_order_and_backwards(self):
        for row in KEY_CHANGES:
            ea, key, tokens, new_key, sgc, ti, krn, kt, ken, rollover = row
            key = key_of(key)
            for order in (tokens, tuple(reversed(tokens))):
                sections = {}
                for digits in order:
                    self.assertTrue(missing(sections, len(key)))
                    stage(sections, sts.decode(digits, CIPHERS[ea], key), len(key))
                self.assertEqual(missing(sections, len(key)), [])
                new = NewKey(sections, len(key))
                self.assertEqual(new.key, key_of(new_key))
                self.assertEqual((new.ti, new.krn, new.kt, new.ken), (ti, krn, kt, ken))
                self.assertEqual(new.rollover, rollover)
                self.assertIn(new.sgc, (sgc, None))
                self.assertEqual(new.sgc is None, len(tokens) == 2)

    def test_tests_that_any_meter_takes(self):
        for digits, subclass, control, maker in (
            (TESTS_ALL, 0, 0xFFFFFFFFF, 0),
            ("02305843005052951967", 1, 0xFFFFFFF, 0),
            ("00000000000150997584", 0, 1, 0),
            ("00000000000167774880", 0, 2, 0),
        ):
            token = sts.decode(digits, None, b"")
            self.assertEqual((token.cls, token.subclass, token.tid), (1, subclass, None))
            self.assertEqual(token.test(), (control, maker))


class TestNumbers(unittest.TestCase):
    def test_an_exponent_goes_on_where_the_one_below_ended(self):
        for exponent, mantissa, value in (
            (0, 0, 0),
            (0, 16383, 16383),
            (1, 0, 16384),
            (1, 16383, 180214),
            (2, 0, 180224),
            (3, 0, 1818624),
            (3, 16383, 18201624),
        ):
            self.assertEqual(sts.scaled(exponent, mantissa), value)

    def test_the_largest_exponent_of_a_currency_amount(self):
        # sum of 2^14 * 10^i for i below 31 is 2^14 times 31 ones.
        self.assertEqual(sts.scaled(31, 0), 16384 * 1111111111111111111111111111111)

    def test_what_is_no_token(self):
        for digits in (
            "",
            "5649315372545031347",
            "564931537254503134710",
            "5649315372545031347x",
            "-6493153725450313471",
            "73786976294838206464",
            "99999999999999999999",
        ):
            self.assertEqual(refusal(digits), results.FORMAT)

    def test_the_largest_number_of_66_bits_is_one(self):
        # All ones: class 3, so it is deciphered and fails its CRC.
        key = key_of(STS[0][1])
        self.assertEqual(refusal("73786976294838206463", ea07.decrypt, key), results.CRC)


class TestMistypedDigits(unittest.TestCase):
    def test_no_single_wrong_digit_of_a_test_token_passes(self):
        cipher, key = CIPHERS["11"], key_of("af4e21214c128498bbfb8c745f2dfd25")
        passed = []
        for at in range(20):
            for digit in "0123456789":
                if digit != TESTS_ALL[at]:
                    wrong = TESTS_ALL[:at] + digit + TESTS_ALL[at + 1 :]
                    if refusal(wrong, cipher, key) == results.ACCEPT:
                        passed.append(wrong)
        self.assertEqual(passed, [])

    def test_none_of_the_first_vectors_of_both_ciphers(self):
        # All vectors are in tests/host/test_tokens_digits.py.
        passed = []
        for row in (STS[0], [row for row in STS if row[0] == "11"][0]):
            digits = row[7]
            for at in range(20):
                wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
                if refusal(wrong, CIPHERS[row[0]], key_of(row[1])) == results.ACCEPT:
                    passed.append(wrong)
        self.assertEqual(passed, [])
