"""The link of a Raspberry Pi to its broker, from an address and the files of a TLS connection.

Without TLS only this machine is spoken to (the protocol allows plain connections on loopback
alone): a plain password or journal must never cross a network.
"""

import ssl
from urllib.parse import urlsplit

from wattledger.agent.comms import topics
from wattledger.firmware.errors import BrokerError
from wattledger.hal.network.certificate import CertificateError, dates
from wattledger.hal.network.link_paho_linux import PahoLink

PLAIN, SECURE = "mqtt", "mqtts"
PORTS = {PLAIN: 1883, SECURE: 8883}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def connect(url, config, ca=None, certificate=None, key=None):
    """A link that connects in the background; BrokerError says what cannot be used and why."""
    scheme, host, port = parse(url)
    tls = context(ca, certificate, key) if scheme == SECURE else None
    return PahoLink(
        host,
        port,
        config.meter,
        will_topic=topics.topic(config.tenant, config.meter, topics.STATUS),
        will_payload=topics.OFFLINE,
        tls=tls,
    )


def certificate_ends(certificate):
    """The last unix second of the meter's certificate (PEM file); BrokerError when it is none."""
    try:
        with open(certificate, "rb") as file:
            return dates(file.read())[1]
    except (OSError, CertificateError) as error:
        raise BrokerError("--cert %s: %s" % (certificate, error)) from None


def parse(url):
    """(scheme, host, port) of mqtt://127.0.0.1[:1883] or mqtts://HOST[:8883]."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BrokerError("broker address %r has a wrong host or port" % url) from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise BrokerError(
            "broker address %r: write it as mqtts://broker.example:8883, or mqtt://127.0.0.1:1883 "
            "for one on this machine" % url
        )
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BrokerError("broker address %r has more than a host and a port" % url)
    if parts.scheme == PLAIN and parts.hostname not in LOOPBACK:
        raise BrokerError(
            "broker %s is another machine: use mqtts:// with --ca, --cert and --key"
            % parts.hostname
        )
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]


def context(ca, certificate, key):
    """An ssl.SSLContext that trusts `ca` alone and shows the meter's own certificate."""
    if not (ca and certificate and key):
        raise BrokerError("a connection by mqtts:// needs --ca, --cert and --key")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and name by default
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(ca)
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:  # SSLError: not PEM, or key and certificate differ
        raise BrokerError(
            "the TLS files cannot be used (%s); check --ca %s, --cert %s and --key %s"
            % (getattr(error, "reason", None) or error, ca, certificate, key)
        ) from None
    return made
