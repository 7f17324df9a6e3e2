"""What the utility's tools share about the broker: its address, topics and a connection."""

import ipaddress
import urllib.parse
from pathlib import Path
from ssl import SSLContext

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tools import head_end, keys
from wattledger.tools.errors import BrokerError
from wattledger.tools.head_end import Address

DEFAULT_PORT = 1883
TENANT = keys.DEMO_TENANT


def parse_url(url: str) -> Address:
    """The address in mqtt://HOST[:PORT]; BrokerError otherwise.

    Only this machine: the protocol allows a connection without TLS on loopback alone.
    """
    example = "; write it as mqtt://127.0.0.1:1883, or give the folder of a head end"
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
            "this one only: give the folder that `wattledger provision head-end` made for it"
        )
    return Address(parts.hostname, DEFAULT_PORT if port is None else port)


def topic(meter: str, leaf: str, tenant: str = TENANT) -> str:
    """The topic `leaf` ("cmd", "ack", ...) of `meter`."""
    return f"wl/1/{tenant}/m/{meter}/{leaf}"


def group_topic(group: str, leaf: str, tenant: str = TENANT) -> str:
    """The topic of a document ("tariff", "price") for every meter of `group`."""
    return f"wl/1/{tenant}/g/{group}/{leaf}"


def reach(broker: str) -> tuple[Address, SSLContext | None]:
    """Where and by what TLS: `broker` is mqtt://127.0.0.1[:PORT], or the folder of a head end that
    `wattledger provision` made. BrokerError says what cannot be used."""
    if "://" not in broker and Path(broker).is_dir():
        found = head_end.load(Path(broker))
        return found.address, found.context()
    return parse_url(broker), None


def connect(broker: str, client_id: str) -> PahoLink:
    """A link to a `broker` of reach(), connecting in the background."""
    address, tls = reach(broker)
    return PahoLink(address.host, address.port, client_id, tls=tls, backoff_s=(0.2, 5))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
