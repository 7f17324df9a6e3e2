"""Certificates as a utility makes them and as it should not, and servers that show them."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wattledger.tests.host.link_bench import Files, Mosquitto, der

DAY = datetime.timedelta(days=1)
HERE = ("localhost", "127.0.0.1")


class Authority:
    """A private certificate authority, P-256, with its files in a folder."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = _certificate(name, (), -1, 3650, self._key, None, self._key)
        self.file = str(folder / f"{name}.pem")
        _write(self.file, self._own.public_bytes)

    def issue(self, name, names=HERE, begins=-1, ends=365, self_signed=False):
        """Files of a certificate for `names` from day `begins` to day `ends`, counted from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = (None, key) if self_signed else (self._own, self._key)
        made = _certificate(name, names, begins, ends, key, *issuer)
        certificate = str(self.folder / f"{self.name}-{name}.pem")
        _write(certificate, made.public_bytes)
        key_file = certificate.replace(".pem", ".key")
        _write(
            key_file,
            lambda encoding: key.private_bytes(
                encoding,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            ),
        )
        return Files(self.file, certificate, key_file)


def _certificate(name, names, begins, ends, key, issuer, signer):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins * DAY)
        .not_valid_after(now + ends * DAY)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general(one) for one in names]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _general(name):
    if name[:1].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _write(name, content):
    for place, encoding in (
        (name, serialization.Encoding.PEM),
        (der(name), serialization.Encoding.DER),
    ):
        with open(place, "wb") as file:
            file.write(content(encoding))


def server_context(files, clients):
    """The context of a server with `files`, for clients of the authority that `clients` name."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(files.certificate, files.key)
    made.load_verify_locations(clients.authority_file)
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def mosquitto(folder, files):
    """A mosquitto that takes only clients of the authority of `files`."""
    return Mosquitto(
        folder,
        f"cafile {files.authority_file}",
        f"certfile {files.certificate}",
        f"keyfile {files.key}",
        "require_certificate true",
        "use_identity_as_username true",
        "allow_anonymous false",
    )
