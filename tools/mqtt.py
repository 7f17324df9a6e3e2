"""What the utility's tools share about the broker: its address, topics and a connection."""

import ipaddress
import urllib.parse
from typing import NamedTuple

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tools.errors import BrokerError

DEFAULT_PORT = 1883
TENANT = "demo"


class Address(NamedTuple):
    """Where a broker listens."""

    host: str
    port: int


def parse_url(url: str) -> Address:
    """The address in mqtt://HOST[:PORT]; BrokerError otherwise.

    Only this machine: the protocol allows a connection without TLS on loopback alone.
    """
    example = "; write it as mqtt://127.0.0.1:1883"
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        raise BrokerError(f"broker address {url!r} has a wrong host or port{example}") from None
    if parts.scheme != "mqtt":
        raise BrokerError(f"broker address {url!r} does not begin with mqtt://{example}")
    if not parts.hostname or port == 0:
        raise BrokerError(f"broker address {url!r} lacks a host or has port 0{example}")
    if parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BrokerError(f"broker address {url!r} has more than host and port{example}")
    if not _is_loopback(parts.hostname):
        raise BrokerError(
            f"broker {parts.hostname!r} is another machine, and a connection without TLS is for "
            "this one only: give 127.0.0.1, or forward a local port to it"
        )
    return Address(parts.hostname, DEFAULT_PORT if port is None else port)


def topic(meter: str, leaf: str) -> str:
    """The topic `leaf` ("cmd", "ack", ...) of `meter`."""
    return f"wl/1/{TENANT}/m/{meter}/{leaf}"


def group_topic(group: str, leaf: str) -> str:
    """The topic of a document ("tariff", "price") for every meter of `group`."""
    return f"wl/1/{TENANT}/g/{group}/{leaf}"


def connect(url: str, client_id: str) -> PahoLink:
    """A link to the broker at `url`, connecting in the background; BrokerError: bad address."""
    address = parse_url(url)
    return PahoLink(address.host, address.port, client_id, backoff_s=(0.2, 5))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
