"""Signed messages: JWS compact serialisation (RFC 7515) with HMAC-SHA256 (RFC 2104).

The protected header is never parsed: it is looked up, still encoded, in a table made at boot.
The MAC is computed, encoded and compared as text, so a lenient base64 decoder cannot let flipped
bits pass.
"""

import binascii
import hashlib

from wattledger.agent.errors import EnvelopeError

BLOCK = 64  # bytes of a SHA-256 block
COMMAND_LIMIT = 1024
KEY_INFO = b"wattledger/1/"


def base64url(data):
    """Base64url without padding (RFC 7515, appendix C), as bytes."""
    text = binascii.b2a_base64(data).strip()
    return text.replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


def from_base64url(text):
    """Bytes of unpadded base64url; EnvelopeError when it is none."""
    text = bytes(text).replace(b"-", b"+").replace(b"_", b"/")
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except ValueError:
        raise EnvelopeError("not base64url")


def same(first, second):
    """Compare two byte strings in time that depends on their length only."""
    if len(first) != len(second):
        return False
    difference = 0
    for index in range(len(first)):
        difference |= first[index] ^ second[index]
    return difference == 0


class Mac:
    """HMAC-SHA256. Its pads are made at each use: kept, they are a third of a keyring's heap."""

    def __init__(self, key):
        self._key = hashlib.sha256(key).digest() if len(key) > BLOCK else key

    def digest(self, data):
        """32 bytes."""
        inner = hashlib.sha256(self._pad(0x36))
        inner.update(data)
        outer = hashlib.sha256(self._pad(0x5C))
        outer.update(inner.digest())
        return outer.digest()

    def _pad(self, filler):
        pad = bytearray(BLOCK)
        key = self._key
        for index in range(BLOCK):
            pad[index] = filler ^ (key[index] if index < len(key) else 0)
        return pad


def derive(device_key, kid):
    """The key of a purpose and generation, such as `credit.1`."""
    return Mac(device_key).digest(KEY_INFO + kid.encode())


class Keyring:
    """The keys of one device, found by the protected header exactly as it is sent."""

    def __init__(self, device_key, purposes, generation=1):
        self.begin(device_key, purposes, generation)

    def begin(self, device_key, purposes, generation):
        """Have the keys of this generation, and no others."""
        self._by_header = {}
        for purpose in purposes:
            self.add(purpose, device_key, generation)
        kid = "up.%d" % generation
        self._up = Mac(derive(device_key, kid))
        self._up_header = base64url(('{"alg":"HS256","kid":"%s"}' % kid).encode())

    def add(self, purpose, secret, generation=1, make=Mac):
        """Open messages of one more purpose, whose key is derived from `secret`."""
        kid = "%s.%d" % (purpose, generation)
        found = (purpose, make(derive(secret, kid)))
        for header in ('{"alg":"HS256","kid":"%s"}', '{"kid":"%s","alg":"HS256"}'):
            self._by_header[base64url((header % kid).encode())] = found

    def sign(self, payload):
        """A JWS of ours over `payload` (bytes)."""
        signed = self._up_header + b"." + base64url(payload)
        return signed + b"." + base64url(self._up.digest(signed))

    def open(self, message):
        """(purpose, payload bytes) of a JWS signed for us; EnvelopeError otherwise.

        Length, then signature, then the payload is decoded: nothing is parsed before.
        """
        if len(message) > COMMAND_LIMIT:
            raise EnvelopeError("longer than %d bytes" % COMMAND_LIMIT)
        message = bytes(message)
        first = message.find(b".")
        last = message.rfind(b".")
        if first < 0 or last == first:
            raise EnvelopeError("not a compact JWS")
        found = self._by_header.get(message[:first])
        if found is None:
            raise EnvelopeError("unknown protected header")
        purpose, mac = found
        if not same(base64url(mac.digest(message[:last])), message[last + 1 :]):
            raise EnvelopeError("wrong signature")
        return purpose, from_base64url(message[first + 1 : last])
