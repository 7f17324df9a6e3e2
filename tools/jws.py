"""Signed messages, the utility's side: JWS compact serialization, HS256 (RFC 7515, RFC 7518 3.2).

Written apart from the device's agent/comms/envelope.py on purpose: each checks the other. The
protected header is exactly {"alg":"HS256","kid":K} or {"kid":K,"alg":"HS256"}; it is looked up,
never parsed.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from wattledger.tools.errors import JwsError

TOKEN_LIMIT = 9216  # bytes; the hard cap of the protocol
SIGNATURE_LENGTH = 43  # characters of a 32-byte MAC


def encode(data: bytes) -> bytes:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(text: bytes) -> bytes:
    """Bytes of unpadded base64url; JwsError for any other character, padding or stray bits."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise JwsError("not base64url") from None
    if encode(data) != text:
        raise JwsError("not base64url in its one canonical form")
    return data


def sign(payload: Mapping[str, Any], key: bytes, kid: str) -> bytes:
    """The compact token of `payload` (a JSON object) signed with `key`, named `kid`."""
    return _signed(compact(payload), key, kid)


def compact(payload: Mapping[str, Any]) -> bytes:
    """The JSON of a payload without a space."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def wrap(token: bytes, key: bytes, kid: str) -> bytes:
    """A second token around a whole one, which is its payload."""
    return _signed(token, key, kid)


def _signed(payload: bytes, key: bytes, kid: str) -> bytes:
    head = encode(b'{"alg":"HS256","kid":"%s"}' % kid.encode())
    body = encode(payload)
    return head + b"." + body + b"." + _mac(key, head + b"." + body)


def verify(token: bytes, keys: Mapping[str, bytes]) -> dict[str, Any]:
    """The payload of `token` when one of `keys` (kid -> key) signed it; else JwsError."""
    if len(token) > TOKEN_LIMIT:
        raise JwsError(f"longer than {TOKEN_LIMIT} bytes")
    parts = token.split(b".")
    if len(parts) != 3:
        raise JwsError("not a compact JWS of three parts")
    head, body, signature = parts
    key = _headers(keys).get(head)
    if key is None:
        raise JwsError("protected header is not one of " + ", ".join(sorted(keys)))
    # Compared as text: decoding would accept signatures that differ in unused bits.
    if len(signature) != SIGNATURE_LENGTH or not hmac.compare_digest(
        signature, _mac(key, head + b"." + body)
    ):
        raise JwsError("bad signature")
    try:
        payload = json.loads(decode(body), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise JwsError(f"signed payload is not JSON: {error}") from None
    if not isinstance(payload, dict):
        raise JwsError("signed payload is not a JSON object")
    return payload


def reference(token: bytes) -> str:
    """How an ack names a command: the first 16 hex digits of SHA-256 of it as sent."""
    return hashlib.sha256(token).hexdigest()[:16]


def _mac(key: bytes, signed: bytes) -> bytes:
    return encode(hmac.new(key, signed, hashlib.sha256).digest())


def _headers(keys: Mapping[str, bytes]) -> dict[bytes, bytes]:
    table = {}
    for kid, key in keys.items():
        name = kid.encode()
        table[encode(b'{"alg":"HS256","kid":"%s"}' % name)] = key
        table[encode(b'{"kid":"%s","alg":"HS256"}' % name)] = key
    return table


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is not an integer")
