"""A private certificate authority (X.509, P-256): who may connect, and who no longer may.

    <name>.pem   its certificate, which the other side is given
    <name>.key   its private key, PKCS 8, mode 0600; under WATTLEDGER_PASSPHRASE when that is set
    <name>.crl   its list of revoked certificates (RFC 5280), PEM, which the broker reads
    <name>.json  what it has issued: serial in hex -> {"name", "until", "revoked": unix s or null}

A tenant has two: one for its meters and its broker, one for the head end, so that no meter's
certificate opens the head end's door.
"""

import contextlib
import fcntl
import ipaddress
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wattledger.tools import durable
from wattledger.tools.errors import ProvisionError
from wattledger.tools.provision import folder
from wattledger.tools.sealing import PASSPHRASE, passphrase

# A meter whose clock nobody has set since it was switched on must not find its broker's
# certificate "not yet valid": MicroPython's clock starts in the year 2000.
BEGIN = datetime(2000, 1, 1, tzinfo=timezone.utc)
# The last year that every X.509 reader takes as two digits (RFC 5280, 4.1.2.5).
END = datetime(2049, 12, 31, tzinfo=timezone.utc)
DEFAULT_DAYS = 3650
CLIENT, SERVER = "client", "server"


class Authority:
    """The authority `name` in a folder; ProvisionError names the file and what to do."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self.certificate_path = directory / f"{name}.pem"
        self.crl_path = directory / f"{name}.crl"
        self._key_path = directory / f"{name}.key"
        self._issued_path = directory / f"{name}.json"
        try:
            self.certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
            self._key = _load_key(self._key_path)
        except FileNotFoundError as error:
            raise ProvisionError(
                f"{error.filename}: no such file; give --ca the folder that `wattledger provision "
                "tenant` made"
            ) from None
        except OSError as error:
            raise ProvisionError(f"{error.filename}: cannot be read ({error.strerror})") from None
        except ValueError:
            raise ProvisionError(
                f"{self.certificate_path}: is no certificate; restore it"
            ) from None

    def issue(
        self, name: str, purpose: str, days: int, hosts: tuple[str, ...] = ()
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A certificate and its new key for `name` (its common name), as CLIENT or SERVER; it is
        on the list of those issued before it is returned."""
        private = ec.generate_private_key(ec.SECP256R1())
        until = min(_from_now(days), self.certificate.not_valid_after_utc)
        usage = {CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH, SERVER: ExtendedKeyUsageOID.SERVER_AUTH}
        made = (
            _builder(name, self.certificate.subject, private.public_key(), until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            # Told apart, so that a stolen meter's certificate cannot play the broker.
            .add_extension(x509.ExtendedKeyUsage([usage[purpose]]), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            made = made.add_extension(names, critical=False)
        certificate = made.sign(self._key, hashes.SHA256())
        with self._changed() as issued:
            serial = f"{certificate.serial_number:x}"
            issued[serial] = {"name": name, "until": int(until.timestamp()), "revoked": None}
        return certificate, private

    def revoke(self, name: str) -> int:
        """Revoke every certificate of `name` that is still good; how many that were."""
        count = 0
        with self._changed() as issued:
            for one in issued.values():
                if one["name"] == name and one["revoked"] is None:
                    one["revoked"] = int(time.time())
                    count += 1
        self._write_crl()
        return count

    def live(self, name: str) -> list[str]:
        """The serials (hex) of what `name` has and is neither revoked nor over."""
        now = time.time()
        return [
            serial
            for serial, one in self._issued().items()
            if one["name"] == name and one["revoked"] is None and one["until"] > now
        ]

    def _issued(self) -> dict[str, Any]:
        try:
            found = json.loads(self._issued_path.read_text("utf-8"))
            for one in found.values():
                if not {"name", "until", "revoked"} <= one.keys():
                    raise ValueError
        except (OSError, ValueError, AttributeError):
            raise ProvisionError(
                f"{self._issued_path}: cannot be read; restore it: without it no certificate can "
                "be revoked"
            ) from None
        return dict(found)

    @contextlib.contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        with open(self._issued_path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            issued = self._issued()
            yield issued
            durable.replace(self._issued_path, json.dumps(issued, indent=1) + "\n", folder.SECRET)

    def _write_crl(self) -> None:
        revoked = [
            (int(serial, 16), one["revoked"])
            for serial, one in self._issued().items()
            if one["revoked"] is not None
        ]
        durable.replace(self.crl_path, _crl(self.certificate, self._key, revoked), folder.SECRET)


def create(directory: Path, name: str, common_name: str, days: int) -> None:
    """Make an authority in a folder that has none of that name."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name)
    certificate = (
        _builder(common_name, subject, private.public_key(), _from_now(days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False
        )
        .sign(private, hashes.SHA256())
    )
    folder.write(directory / f"{name}.key", private_pem(private, sealed=True))
    folder.write(directory / f"{name}.pem", pem(certificate))
    folder.write(directory / f"{name}.crl", _crl(certificate, private, []))
    folder.write(directory / f"{name}.json", "{}\n")


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as a Raspberry Pi and mosquitto read it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def der(certificate: x509.Certificate) -> bytes:
    """A certificate as an ESP32 reads it."""
    return certificate.public_bytes(serialization.Encoding.DER)


def private_pem(private: ec.EllipticCurvePrivateKey, sealed: bool = False) -> bytes:
    """A private key, PKCS 8; `sealed`: under the passphrase of the environment when there is one.
    What a machine reads as it starts, with nobody there, cannot be."""
    secret = passphrase() if sealed else b""
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption(),
    )


def private_der(private: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as an ESP32 reads it: SEC 1 in DER."""
    return private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    secret = passphrase() or None
    data = path.read_bytes()
    if b"ENCRYPTED" not in data:
        secret = None  # made before there was a passphrase
    try:
        private = serialization.load_pem_private_key(data, secret)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise ProvisionError(
            f"{path}: no PEM private key, or a wrong or missing {PASSPHRASE} in the environment"
        ) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ProvisionError(f"{path}: is no key of an elliptic curve")
    return private


def _builder(
    name: str, issuer: x509.Name, public: ec.EllipticCurvePublicKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(until)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _from_now(days: int) -> datetime:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return END if days > (END - now).days else now + timedelta(days=days)


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _crl(
    certificate: x509.Certificate,
    private: ec.EllipticCurvePrivateKey,
    revoked: list[tuple[int, int]],
) -> str:
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(BEGIN)
        # A list that is over refuses every meter; ours is replaced by hand, so it never is.
        .next_update(certificate.not_valid_after_utc)
    )
    for serial, when in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(serial)
        one = one.revocation_date(datetime.fromtimestamp(when, timezone.utc))
        made = made.add_revoked_certificate(one.build())
    return made.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
