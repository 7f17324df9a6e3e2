"""Checks of the network side: the broker, the certificates of its connection, the page's port."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

from wattledger.firmware import broker_linux
from wattledger.firmware.errors import BrokerError
from wattledger.hal.errors import HalError
from wattledger.hal.network import certificate
from wattledger.tools import doctor_bus
from wattledger.tools.findings import FAIL, OK, WARN, Finding
from wattledger.tools.provision.address import MOST_PORT

TIMEOUT_S = 10
TAKEN = "another program uses it"  # as page_server_linux words it
DAY_S = 86_400
GONE_DAYS, SOON_DAYS, AHEAD_DAYS = 7, 30, 90
# CONNECT of MQTT 3.1.1, clean session, client "wattledger-doctor" (OASIS, 3.1): never the meter's
# own id, which would push a running meter off.
CLIENT = b"wattledger-doctor"
CONNECT = b"\x10" + bytes((12 + len(CLIENT),)) + b"\0\4MQTT\4\2\0\x0a\0" + bytes((len(CLIENT),))
CONNECT += CLIENT
DISCONNECT = b"\xe0\0"
CONNACK = b"\x20\x02"


def check(url: str, ca: str | None, cert: str | None, key: str | None) -> Iterator[Finding]:
    """Reachable, TLS verifies, an MQTT broker answers, and how long the certificates last."""
    try:
        scheme, host, port = broker_linux.parse(url)
        context = None
        if scheme == broker_linux.SECURE:
            context = broker_linux.context(ca, cert, key)
    except BrokerError as error:
        yield doctor_bus.told("broker", error)
        return
    if context is not None and ca and cert:
        yield _dates("meter's", _expires(cert))
        yield _dates("authority's", _expires(ca))
    where = f"{host} port {port}"
    try:
        line = socket.create_connection((host, port), TIMEOUT_S)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that is none, as a..b
        fix = "check the address, the network and the firewall; is the broker running?"
        why = getattr(error, "strerror", None) or error
        yield Finding("broker", FAIL, f"{where}: {why}", fix)
        return
    with line:
        if context is None:
            yield _greet(line, where)
            return
        try:
            secure = context.wrap_socket(line, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            fix = "give the authority that signed the broker's certificate, by the name it is for"
            yield Finding("broker", FAIL, f"{where}: {error.verify_message}", fix)
            return
        except OSError as error:
            fix = "is it the TLS port, and does the broker take this meter's certificate?"
            yield Finding("broker", FAIL, f"{where}: no TLS ({error})", fix)
            return
        with secure:
            last = str((secure.getpeercert() or {})["notAfter"])
            yield _dates("broker's", ssl.cert_time_to_seconds(last))
            yield _greet(secure, where)


def _greet(line: socket.socket, where: str) -> Finding:
    """Say CONNECT and hear what comes back."""
    try:
        line.sendall(CONNECT)
        answer = line.recv(4)
        line.sendall(DISCONNECT)
    except OSError as error:
        fix = "look into the broker's log: it hung up on this meter's certificate or network"
        return Finding("broker", FAIL, f"{where}: {error.strerror or error}", fix)
    if len(answer) != 4 or not answer.startswith(CONNACK):
        fix = "is that the port of an MQTT broker?"
        return Finding("broker", FAIL, f"{where}: what answers speaks no MQTT", fix)
    if answer[3]:
        fix = "allow this meter's certificate there; the broker's log has the reason"
        return Finding("broker", WARN, f"{where} refuses a connection (code {answer[3]})", fix)
    return Finding("broker", OK, f"{where} answers")


def _expires(path: str) -> int:
    return certificate.dates(Path(path).read_bytes())[1]


def _dates(whose: str, expires: float) -> Finding:
    days = int((expires - time.time()) // DAY_S)
    name = "certificate"
    last = time.strftime("%Y-%m-%d", time.gmtime(expires))
    if days < 0:
        found = f"the {whose} has ended on {last}"
        return Finding(name, FAIL, found, "renew it now: nothing connects")
    found = f"the {whose} lasts {days} more days, until {last}"
    if days <= GONE_DAYS:
        return Finding(name, FAIL, found, "renew it now")
    if days <= SOON_DAYS:
        return Finding(name, WARN, found, "renew it this week")
    if days <= AHEAD_DAYS:
        return Finding(name, WARN, found, "plan its renewal")
    return Finding(name, OK, found)


def page(address: str, meter_runs: bool) -> Finding:
    """Can the display listen there?"""
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port) > MOST_PORT:
        fix = f"write it as 127.0.0.1:8080, with a port up to {MOST_PORT}"
        return Finding("page", FAIL, f"{address!r} is no address", fix)
    try:
        socket.getaddrinfo(host or None, int(port))
    except (OSError, UnicodeError):
        fix = "use 127.0.0.1, or 0.0.0.0 for all networks"
        return Finding("page", FAIL, f"{host!r} is no name or address that is known here", fix)
    from wattledger.hal.display.page_server_linux import listen  # needs [pi]

    try:
        listen(host, int(port)).close()
    except HalError as error:
        if meter_runs and TAKEN in str(error):
            return Finding("page", OK, f"{address} is taken, most likely by the running meter")
        return doctor_bus.told("page", error)
    return Finding("page", OK, f"{host or 'every network'}, port {port} is free")
