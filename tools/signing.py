"""The utility's signing keys: P-256, one for each purpose, in the keys directory.

    tariff.1.pem    private, PKCS 8, mode 0600; under a passphrase when one is given
    tariff.1.pub    the public point, 128 hex digits: what a meter is given

A document is a compact JWS over the file's own bytes (ES256, RFC 7515, RFC 7518 3.4).
"""

import json
import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from wattledger.tools import durable, jws
from wattledger.tools.errors import KeysError
from wattledger.tools.sealing import PASSPHRASE, passphrase

TARIFF_KID = "tariff.1"
ROOT_KID = "root.1"
_KID = re.compile(r"(tariff|root|firmware)\.[1-9][0-9]{0,8}", re.ASCII)


class Signer:
    """Signs with one private key."""

    def __init__(self, kid: str, private: ec.EllipticCurvePrivateKey) -> None:
        self.kid = kid
        self._private = private

    def sign(self, payload: bytes) -> bytes:
        """A compact JWS over `payload`."""
        head = jws.encode(
            json.dumps({"alg": "ES256", "kid": self.kid}, separators=(",", ":")).encode()
        )
        signed = head + b"." + jws.encode(payload)
        r, s = utils.decode_dss_signature(self._private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return signed + b"." + jws.encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def create(directory: str | Path, kid: str) -> Signer:
    """Make a key of a new kid; never replaces one."""
    path = _path(Path(directory), kid, ".pem")
    private = ec.generate_private_key(ec.SECP256R1())
    secret = passphrase()
    text = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption(),
    ).decode()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise KeysError(
                f"{path}: there is a key already; use the next number, as {_next(kid)}"
            )
        durable.replace(path.with_suffix(".pub"), _point(private).hex() + "\n")
        durable.replace(path, text, 0o600)
    except OSError as error:
        raise KeysError(
            f"{path}: cannot be written ({error.strerror}); check the folder"
        ) from None
    return Signer(kid, private)


def load(directory: str | Path, kid: str) -> Signer:
    """The signer `kid`; KeysError names the file and what to do."""
    path = _path(Path(directory), kid, ".pem")
    secret = passphrase() or None
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), secret)
    except FileNotFoundError:
        raise KeysError(f"{path}: no such file; give the folder that holds the keys") from None
    except OSError as error:
        raise KeysError(f"{path}: cannot be read ({error.strerror})") from None
    except TypeError:
        # The library tells a key without passphrase and a missing passphrase so.
        wrong = "has no passphrase, and one is given" if secret else "needs its passphrase"
        raise KeysError(f"{path}: {wrong}; see {PASSPHRASE} in the environment") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeysError(f"{path}: no PEM private key, or a wrong {PASSPHRASE}") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise KeysError(f"{path}: is no key of the curve P-256")
    return Signer(kid, private)


def public_keys(directory: str | Path) -> dict[str, bytes]:
    """kid -> point (64 bytes) of every signing key in a keys directory: what a meter is given."""
    if not Path(directory).is_dir():
        raise KeysError(f"{directory}: no such folder; give the one that holds the keys")
    found = {}
    for path in sorted(Path(directory).glob("*.pub")):
        try:
            point = bytes.fromhex(path.read_text("ascii").strip())
        except (OSError, ValueError):
            point = b""
        if _KID.fullmatch(path.stem) is None or len(point) != 64:
            raise KeysError(f"{path}: is no public key of ours; remove it or restore it")
        found[path.stem] = point
    return found


def _point(private: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = private.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def _path(folder: Path, kid: str, suffix: str) -> Path:
    if not _KID.fullmatch(kid):
        raise KeysError(f"no signing key is called {kid!r}: use tariff, root or firmware and .1")
    return folder / (kid + suffix)


def _next(kid: str) -> str:
    purpose, _, number = kid.partition(".")
    return f"{purpose}.{int(number) + 1}"
