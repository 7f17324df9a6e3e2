"""Secrets at rest under a passphrase: scrypt (RFC 7914) makes a key of it, AES-256-GCM seals.

A sealed secret is base64 of salt (16) | nonce (12) | ciphertext with its tag. What it belongs to
is authenticated with it, so that a file given another's name does not open.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from wattledger.tools.errors import KeysError

PASSPHRASE = "WATTLEDGER_PASSPHRASE"  # the environment's name of it: never an argument
MOST = 1023  # bytes of one; a PEM private key takes no more (OpenSSL)
SALT, NONCE = 16, 12
# 16 MB and some 50 ms a guess; N, r and p of RFC 7914, section 2.
COST, BLOCK, PARALLEL = 1 << 14, 8, 1


def passphrase() -> bytes:
    """The passphrase of the environment, its bytes as they are, empty for none. KeysError."""
    found = os.fsencode(os.environ.get(PASSPHRASE, ""))
    if len(found) > MOST:
        raise KeysError(f"{PASSPHRASE} in the environment has more than {MOST} bytes; shorten it")
    return found


def seal(secret: bytes, belongs_to: str) -> str:
    """`secret` under the passphrase of the environment."""
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    sealed = AESGCM(_key(salt)).encrypt(nonce, secret, belongs_to.encode())
    return base64.b64encode(salt + nonce + sealed).decode()


def unseal(text: str, belongs_to: str) -> bytes:
    """The secret; ValueError when the passphrase, the text or what it belongs to is another."""
    data = base64.b64decode(text, validate=True)
    salt, nonce, sealed = data[:SALT], data[SALT : SALT + NONCE], data[SALT + NONCE :]
    try:
        return AESGCM(_key(salt)).decrypt(nonce, sealed, belongs_to.encode())
    except InvalidTag:
        raise ValueError("wrong passphrase") from None


def _key(salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=PARALLEL).derive(passphrase())
