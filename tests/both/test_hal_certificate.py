"""The two dates of a certificate, and that nothing else is taken for one."""

import binascii
import unittest

from wattledger.hal.network.certificate import CertificateError, dates
from wattledger.tests.both.vectors_certificates import LONG, SHORT

# Unix seconds by `date -u -d ... +%s` of GNU coreutils.
SHORT_DATES = (1_795_858_215, 1_835_481_599)
LONG_DATES = (946_598_400, 2_529_705_600)


def der(text):
    return binascii.unhexlify(text)


class TestCertificate(unittest.TestCase):
    def test_both_kinds_of_time(self):
        self.assertEqual(dates(der(SHORT)), SHORT_DATES)
        self.assertEqual(dates(der(LONG)), LONG_DATES)

    def test_pem_too_with_text_around_it(self):
        body = binascii.b2a_base64(der(SHORT)).strip()
        lines = b"\n".join([body[at : at + 64] for at in range(0, len(body), 64)])
        pem = b"-----BEGIN CERTIFICATE-----\n" + lines + b"\n-----END CERTIFICATE-----\n"
        self.assertEqual(dates(b"subject=meter\n" + pem), SHORT_DATES)
        self.assertRaises(CertificateError, dates, pem[:-20])

    def test_what_is_cut_or_is_no_certificate_is_refused(self):
        data = der(SHORT)
        for end in range(len(data)):
            self.assertRaises(CertificateError, dates, data[:end])
        for other in (b"", b"0", bytes(300), b"-----BEGIN EC PRIVATE KEY-----", b"\x30\x80" * 99):
            self.assertRaises(CertificateError, dates, other)

    def test_times_that_are_none_are_refused(self):
        data = der(SHORT)
        right = b"280229235959Z"
        at = data.find(right)
        self.assertTrue(at > 0)
        for wrong in (
            b"281329235959Z",
            b"280029235959Z",
            b"280232235959Z",
            b"280200235959Z",
            b"280229245959Z",
            b"280229236059Z",
            b"280229235999Z",
            b"2802292359590",
            b"28 229235959Z",
            b"-80229235959Z",
        ):
            changed = data[:at] + wrong + data[at + len(right) :]
            self.assertRaises(CertificateError, dates, changed)

    def test_no_flipped_bit_gets_out_as_anything_but_its_own_error(self):
        for at in range(80):
            for bit in range(8):
                data = bytearray(der(SHORT))
                data[at] ^= 1 << bit
                try:
                    dates(bytes(data))
                except CertificateError:
                    pass
