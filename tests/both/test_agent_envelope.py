"""The envelope: the published vectors, and every way to bend a signed message."""

import hashlib
import unittest

from wattledger.agent.comms import envelope
from wattledger.agent.comms.envelope import Keyring, Mac, base64url, derive, from_base64url
from wattledger.agent.errors import EnvelopeError
from wattledger.tests.both import fixtures_jws as jws

PURPOSES = ("relay", "credit", "config")
PAYLOAD = '{"m":"demo-0001","op":"credit.add","a":{"n":7,"amount":10000000}}'

# RFC 4231, 4.2 to 4.8 without 4.6 (a truncated output): key, data, HMAC-SHA-256.
RFC_4231 = (
    (
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data."
        b" The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)


def digits(data):
    return "".join(["%02x" % byte for byte in data])


class TestVectors(unittest.TestCase):
    def test_rfc_4231(self):
        for key, data, expected in RFC_4231:
            self.assertEqual(digits(Mac(key).digest(data)), expected)
            self.assertEqual(digits(jws.hmac_sha256(key, data)), expected)

    def test_rfc_7515_appendix_a_1(self):
        signed = (
            b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            b"Ijp0cnVlfQ"
        )
        key = from_base64url(
            b"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        )
        self.assertEqual(len(key), 64)
        self.assertEqual(
            base64url(Mac(key).digest(signed)), b"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        )

    def test_rfc_7515_appendix_c(self):
        self.assertEqual(base64url(bytes((3, 236, 255, 224, 193))), b"A-z_4ME")
        self.assertEqual(from_base64url(b"A-z_4ME"), bytes((3, 236, 255, 224, 193)))

    def test_base64url_of_every_length(self):
        data = bytes([(at * 37 + 251) & 0xFF for at in range(67)])
        for length in range(len(data)):
            text = base64url(data[:length])
            self.assertEqual(text.decode(), jws.letters(data[:length]))
            self.assertEqual(from_base64url(text), data[:length])

    def test_a_key_is_made_for_its_purpose_and_generation(self):
        for kid in ("credit.1", "relay.1", "config.1", "up.1", "credit.2"):
            self.assertEqual(derive(jws.DEVICE_KEY, kid), jws.key_of(kid))

    def test_comparison_looks_at_everything(self):
        self.assertTrue(envelope.same(b"", b""))
        self.assertTrue(envelope.same(b"abc", b"abc"))
        for other in (b"abx", b"bbc", b"ab", b"abcd", b""):
            self.assertFalse(envelope.same(b"abc", other))


class TestOpen(unittest.TestCase):
    def setUp(self):
        self.ring = Keyring(jws.DEVICE_KEY, PURPOSES)

    def refused(self, message):
        with self.assertRaises(EnvelopeError):
            self.ring.open(message)

    def test_each_purpose_opens_with_its_key_alone(self):
        for purpose in PURPOSES:
            kid = purpose + ".1"
            found = self.ring.open(jws.sign(PAYLOAD, kid))
            self.assertEqual(found, (purpose, PAYLOAD.encode()))
            for other in PURPOSES:
                if other != purpose:
                    self.refused(jws.sign(PAYLOAD, kid, key=jws.key_of(other + ".1")))

    def test_both_orders_of_the_header_and_no_other_form(self):
        good = (
            '{"alg":"HS256","kid":"credit.1"}',
            '{"kid":"credit.1","alg":"HS256"}',
        )
        for head in good:
            self.assertEqual(self.ring.open(jws.sign(PAYLOAD, "credit.1", head))[0], "credit")
        for head in (
            '{"alg":"HS256","kid":"credit.1","typ":"JWT"}',
            '{"typ":"JWT","alg":"HS256","kid":"credit.1"}',
            '{"alg": "HS256","kid":"credit.1"}',
            '{"alg":"HS256","kid":"credit.1"} ',
            '{"alg":"none","kid":"credit.1"}',
            '{"alg":"hs256","kid":"credit.1"}',
            '{"alg":"HS512","kid":"credit.1"}',
            '{"alg":"ES256","kid":"credit.1"}',
            '{"kid":"credit.1"}',
            '{"alg":"HS256"}',
            '{"alg":"HS256","kid":"credit.1","crit":["b64"],"b64":false}',
            "{}",
            "",
        ):
            self.refused(jws.sign(PAYLOAD, "credit.1", head))

    def test_a_wrong_kid_finds_no_key(self):
        for kid in ("credit.2", "credit.0", "credit", "up.1", "gate.1", "Credit.1", "root.1", ""):
            self.refused(jws.sign(PAYLOAD, kid))
            self.refused(jws.sign(PAYLOAD, kid, key=jws.key_of("credit.1")))

    def test_what_the_meter_signs_itself_opens_nothing(self):
        self.refused(self.ring.sign(PAYLOAD.encode()))

    def test_another_device_key_opens_nothing(self):
        self.refused(jws.sign(PAYLOAD, "credit.1", key=jws.key_of("credit.1", bytes(32))))

    def test_no_signature_is_no_signature(self):
        message = jws.sign(PAYLOAD, "credit.1").decode()
        signed = message.rsplit(".", 1)[0]
        for bent in (signed, signed + ".", signed + "..", "." + message, message + "."):
            self.refused(bent.encode())
        for bent in (b"", b".", b"..", b"...", b"\0" * 100, b"\xff" * 1024):
            self.refused(bent)

    def test_every_flipped_bit_is_refused(self):
        message = jws.sign(PAYLOAD, "credit.1")
        # Every bit of the signature, where lenient decoders fail, and one in seven of the rest.
        bits = list(range(0, len(message) * 8 - 43 * 8, 7))
        bits += list(range(len(message) * 8 - 43 * 8, len(message) * 8))
        passed = []
        for bit in bits:
            bent = bytearray(message)
            bent[bit // 8] ^= 1 << bit % 8
            try:
                self.ring.open(bytes(bent))
                passed.append(bit)
            except EnvelopeError:
                pass
        self.assertEqual(passed, [])

    def test_every_truncation_is_refused(self):
        message = jws.sign(PAYLOAD, "credit.1")
        for length in range(len(message)):
            self.refused(message[:length])

    def test_other_spellings_of_the_same_base64_are_refused(self):
        message = jws.sign(PAYLOAD, "credit.1").decode()
        head, body, mark = message.split(".")
        # 43 letters carry 258 bits: the last two are spare, so four spellings decode alike.
        last = jws.LETTERS.index(mark[-1])
        spellings = [mark[:-1] + jws.LETTERS[last & ~3 | spare] for spare in range(4)]
        self.assertIn(mark, spellings)
        for spelling in spellings:
            if spelling != mark:
                self.refused((head + "." + body + "." + spelling).encode())
        for bent in (
            message + "=",
            message + "\n",
            " " + message,
            message + "\0",
            head + "=." + body + "." + mark,
            head + "." + body + "=." + mark,
            head + "." + body + "\n." + mark,
            head + "\n." + body + "." + mark,
            head + "." + body[:8] + "\n" + body[8:] + "." + mark,
            head + "." + body + "." + mark[:20] + "\n" + mark[20:],
            head + "." + body + "." + mark.replace("-", "+").replace("_", "/") + "A",
        ):
            self.refused(bent.encode())

    def test_plus_and_slash_are_not_taken_for_minus_and_underscore(self):
        for n in range(60):
            message = jws.sign(PAYLOAD + " " * n, "credit.1").decode()
            head, mark = message.rsplit(".", 1)
            other = mark.replace("-", "+").replace("_", "/")
            if other != mark:
                self.refused((head + "." + other).encode())

    def test_a_kilobyte_is_the_most(self):
        # Header 43 letters, signature 43, two dots: 936 letters are left, 702 bytes of payload.
        fits = jws.sign("x" * 702, "credit.1")
        self.assertEqual(len(fits), 1024)
        self.assertEqual(self.ring.open(fits), ("credit", b"x" * 702))
        longer = jws.sign("x" * 703, "credit.1")
        self.assertEqual(len(longer), 1026)
        self.refused(longer)
        self.refused(fits + b"=")

    def test_an_empty_payload_is_opened_as_it_is(self):
        self.assertEqual(self.ring.open(jws.sign("", "config.1")), ("config", b""))

    def test_buffers_of_any_kind_are_taken(self):
        message = jws.sign(PAYLOAD, "credit.1")
        for kind in (bytes, bytearray, memoryview):
            self.assertEqual(self.ring.open(kind(message))[1], PAYLOAD.encode())

    def test_a_message_of_the_meter_verifies_with_its_up_key(self):
        signed = self.ring.sign(b'{"m":"demo-0001"}')
        self.assertEqual(jws.unsign(signed), b'{"m":"demo-0001"}')

    def test_the_stored_bytes_of_a_known_message(self):
        # Pinned, so that no later change alters what goes over the wire unseen.
        message = jws.sign(PAYLOAD, "credit.1")
        self.assertTrue(message.startswith(b"eyJhbGciOiJIUzI1NiIsImtpZCI6ImNyZWRpdC4xIn0."))
        self.assertEqual(jws.reference(message), digits(hashlib.sha256(message).digest())[:16])


if __name__ == "__main__":
    unittest.main()
