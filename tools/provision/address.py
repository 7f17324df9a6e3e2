"""Hosts and ports given as options: checked before they get into a file or a certificate."""

import ipaddress
import re

from wattledger.tools.errors import ProvisionError

# Letters, digits and hyphens (RFC 1123, 2.1), and "_", which home networks have in their names.
LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
HOST_CHARS = 253
MOST_PORT = 65535
ZONE = re.compile(r"[A-Za-z0-9_.-]{1,15}")  # of a link-local address: the network interface


def check_port(option: str, port: int) -> None:
    """ProvisionError for a port that none can listen on or connect to."""
    if not 0 < port <= MOST_PORT:
        raise ProvisionError(f"{option} {port}: give one from 1 to {MOST_PORT}")


def check_host(option: str, host: str, has_ipv6: bool = True) -> None:
    """ProvisionError unless it is a name or an address; an ESP32's link has no IPv6."""
    if _is_host(host) or has_ipv6 and _is_ipv6(host):
        return
    remedy = "give a name or an address" if has_ipv6 else "give a name or an IPv4 address"
    if "/" in host:
        remedy = "give the name alone, without scheme or folder"
    elif re.fullmatch(r"[^:]+:[0-9]+", host):
        remedy = "give the name alone; a broker's port is --port"
    elif host.startswith("["):
        remedy = "give the address without brackets"
    raise ProvisionError(f"{option} {host!r}: is no host; {remedy}")


def check_bind(option: str, address: str) -> None:
    """ProvisionError unless it is a name or an address to listen on."""
    host, _, zone = address.partition("%")
    check_host(option, host if ":" in host and ZONE.fullmatch(zone) else address)


def _is_host(host: str) -> bool:
    labels = host.split(".")
    if labels[-1].isdecimal():  # no name ends so, and a resolver would take it for an address
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            return False
        return True
    return len(host) <= HOST_CHARS and all(LABEL.fullmatch(label) for label in labels)


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return "%" not in host
