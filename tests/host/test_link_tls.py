"""Links by TLS: a broker that is not the right one hears nothing, and the meter goes on.

Each case on paho, on our client and on our client on MicroPython.
"""

import contextlib
import os

import pytest

from wattledger.hal.errors import HalError
from wattledger.hal.network.mqtt.stream import HUNG_UP
from wattledger.hal.network.tls import HINT
from wattledger.tests.both.fixtures_link_program import metered
from wattledger.tests.host.link_bench import CONNACK, OneAnswer, new_link
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.tls_bench import Authority, mosquitto, server_context

__all__ = ["new_link"]

REFUSED = "certificate verify failed"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def meter(authority):
    return authority.issue("meter", names=("meter",))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_broker_and_a_meter_that_know_each_other(new_link, authority, meter, host, tmp_path):
    with mosquitto(tmp_path, authority.issue("broker")) as running:
        link = new_link(running.port, host, files=meter)
        link.subscribe("down/#")
        assert until(link.is_up), link.fault
        token = link.send("down/echo", b"x" * 5000, False)
        assert until(lambda: link.sent(token))
        got = []
        assert until(lambda: got.append(link.receive()) or got[-1])
        assert got[-1] == ("down/echo", b"x" * 5000, False)


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ({"names": ("elsewhere",)}, ("Hostname mismatch", "does not match")),
        ({"begins": -10, "ends": -1}, ("has expired",)),
        ({"begins": 1}, ("not yet valid", "starts in the future")),
        ({"self_signed": True}, ("self-signed", "self signed", "trusted CA")),
    ],
    ids=["wrong name", "expired", "not yet valid", "self-signed"],
)
def test_a_certificate_that_is_not_right(new_link, authority, meter, issue, words):
    fails_closed(new_link, meter, server_context(authority.issue("b", **issue), meter), words)


def test_a_certificate_of_an_unknown_authority(new_link, stranger, meter):
    words = ("local issuer", "trusted CA")
    fails_closed(new_link, meter, server_context(stranger.issue("broker"), meter), words)


def test_a_certificate_for_another_name_of_the_same_machine(new_link, authority, meter):
    context = server_context(authority.issue("broker", names=("localhost",)), meter)
    words = ("IP address mismatch", "does not match")
    fails_closed(new_link, meter, context, words, "127.0.0.1")


def fails_closed(new_link, meter, context, words, host="localhost"):
    with OneAnswer(CONNACK, context=context) as server:
        link = new_link(server.port, host, files=meter)
        assert until(lambda: server.connections >= 2 and link.fault)
        assert REFUSED in link.fault and any(word in link.fault for word in words), link.fault
        assert server.heard == []
        assert (link.session(), link.is_up(), link.send("up/state", b"", True)) == (0, False, 0)


def test_a_broker_without_tls_hears_no_packet(new_link, meter):
    with OneAnswer(CONNACK, close=True) as server:
        link = new_link(server.port, "localhost", files=meter)
        assert until(lambda: server.connections >= 2 and link.fault)
        # What it hears begins a TLS handshake (content type 22, version 3.x), and no name is in it
        assert all(data[:2] == b"\x16\x03" and b"meter" not in data for data in server.heard)
        assert link.session() == 0


@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_a_meter_the_broker_does_not_know(new_link, authority, stranger, meter, who, tmp_path):
    files = meter.showing_nothing()
    if who == "stranger":
        files = stranger.issue("meter", names=("meter",)).trusting(meter)
    with mosquitto(tmp_path, authority.issue("broker")) as running:
        link = new_link(running.port, "localhost", files=files)
        assert until(lambda: link.fault)
        assert "does it take this meter's certificate?" in link.fault
        assert link.session() == 0


@pytest.mark.parametrize("new_link", ["own", "micropython"], indirect=True)
@pytest.mark.parametrize("lingers_s", [0, 0.2], ids=["at once", "later"])
def test_a_broker_that_hangs_up_is_said_in_the_same_words(
    new_link, authority, stranger, meter, lingers_s
):
    """Closed at once, a write or a read fails, by chance; closed later, its alert is read."""
    files = stranger.issue("meter", names=("meter",)).trusting(meter)
    context = server_context(authority.issue("broker"), meter)
    said = set()
    with OneAnswer(CONNACK, context=context, lingers_s=lingers_s) as server:
        for _ in range(6):
            link = new_link(server.port, "localhost", files=files)
            assert until(lambda link=link: link.fault)
            said.add(link.fault.split(": ", 1)[1])
    if new_link.kind == "own":  # CPython's alerts have a name
        said = {"its alert" if "alert unknown ca" in each else each for each in said}
        assert said and said <= {"its alert", HUNG_UP + HINT}
    else:
        assert said == {HUNG_UP + HINT}


def test_a_certificate_that_changes_in_mid_session(new_link, authority, stranger, meter):
    right = server_context(authority.issue("broker"), meter)
    with OneAnswer(CONNACK, context=right) as server:
        link = new_link(server.port, "localhost", files=meter)
        assert until(link.is_up), link.fault
        heard = len(server.heard)
        server.context = server_context(stranger.issue("broker"), meter)
        server.cut()
        assert until(lambda: server.connections >= 3 and REFUSED in link.fault), link.fault
        assert (link.session(), link.is_up(), len(server.heard)) == (1, False, heard)
        server.context = right
        assert until(lambda: link.session() == 2)


@pytest.mark.parametrize("mode", [0, 1], ids=["CERT_NONE", "CERT_OPTIONAL"])
def test_a_context_that_does_not_verify_makes_no_link(new_link, stranger, meter, mode):
    context = server_context(stranger.issue("broker"), meter)
    with OneAnswer(CONNACK, context=context) as server:
        with pytest.raises(HalError, match="does not verify"):
            new_link(server.port, "localhost", files=meter, verify=mode)
        assert server.connections == 0


def test_the_meter_measures_on_while_tls_fails(new_link, authority, meter):
    context = server_context(authority.issue("b", begins=-10, ends=-1), meter)
    with OneAnswer(CONNACK, context=context) as server:
        more = {"heap": "1M"} if new_link.kind == "micropython" else {}
        link = new_link(server.port, "localhost", files=meter, **more)
        # 3600 W for 300 s are 300 Wh
        found = link.metered(300) if more else metered(link, 300)
        assert (found, link.session(), server.heard) == (300, 0, [])
        assert server.connections >= 2 and REFUSED in link.fault


def test_a_broker_that_is_refused_leaves_no_socket_open(new_link, stranger, meter):
    context = server_context(stranger.issue("broker"), meter)
    with OneAnswer(CONNACK, context=context) as server:
        link = new_link(server.port, "localhost", files=meter, backoff_s=(0.001, 0.002))
        process = getattr(link, "pid", "self")  # where the server is, too
        assert until(lambda: server.connections >= 5, 10)
        before = sockets_of(process)
        assert until(lambda: server.connections >= 25 and link.fault, 10)
        assert abs(sockets_of(process) - before) < 10


def sockets_of(pid):
    """How many sockets a process has."""
    found = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:")
    return found


@pytest.mark.parametrize("new_link", ["micropython"], indirect=True)
def test_the_heap_comes_back_after_sessions_that_were_lost_or_refused(
    new_link, authority, stranger, meter
):
    right = server_context(authority.issue("broker"), meter)
    wrong = server_context(stranger.issue("broker"), meter)
    with OneAnswer(CONNACK, close=True, context=right) as server:
        link = new_link(server.port, "localhost", files=meter, backoff_s=(0.001, 0.002))
        assert until(lambda: link.session() >= 5)
        server.context = wrong
        connections = server.connections
        assert until(lambda: server.connections >= connections + 5)
        before = link.heap()
        assert until(lambda: server.connections >= connections + 25, 10)
        server.context = right
        assert until(lambda: link.session() >= 30, 10)
        assert abs(link.heap() - before) < 2048
