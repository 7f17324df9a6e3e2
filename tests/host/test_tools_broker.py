"""The broker child: on this machine only, ready when it says so, gone when its owner is."""

import socket
import subprocess
import sys
import time

import pytest

from wattledger.tests.host.mqtt_bench import KINDS, Peer, running_broker, until
from wattledger.tools import broker as broker_tool
from wattledger.tools import child
from wattledger.tools.errors import BrokerError
from wattledger.tools.mqtt import parse_url


@pytest.fixture(params=KINDS)
def broker(request):
    with running_broker(request.param) as process:
        yield process


def listeners(port):
    """Local addresses that listen on `port`, as the kernel lists them."""
    found = []
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name) as table:
            for line in table.readlines()[1:]:
                address, state = line.split()[1], line.split()[3]
                if state == "0A" and int(address.split(":")[1], 16) == port:
                    found.append(address.split(":")[0])
    return found


def test_broker_answers_and_passes_messages_on(broker):
    assert broker.url == "mqtt://127.0.0.1:%d" % broker.port
    assert broker_tool.answers(broker.port)
    with Peer(broker.port, "a/+") as peer:
        peer.publish("a/b", b"x" * 9216)
        assert until(lambda: peer.received) == [("a/b", b"x" * 9216, False)]


def test_broker_listens_on_loopback_only(broker):
    assert listeners(broker.port) == ["0100007F"]
    assert 20000 <= broker.port < 30000


def test_broker_ends_when_stdin_ends(broker):
    broker.process.stdin.close()
    assert broker.process.wait(5) == 0
    assert until(lambda: listeners(broker.port) == [])
    assert not broker_tool.answers(broker.port)


def test_broker_ends_when_its_owner_is_killed():
    script = (
        "import time; from wattledger.tools import broker\n"
        "running = broker.start(); print(running.port, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env=child.environment(),
    )
    try:
        port = int(owner.stdout.readline())
        assert broker_tool.answers(port)
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    assert until(lambda: listeners(port) == [])


def test_broker_forgets_everything_over_a_restart(broker):
    with Peer(broker.port) as peer:
        peer.publish("a/kept", b"1", retain=True)
    broker.stop()
    with running_broker(broker.kind, broker.port), Peer(broker.port, "a/#") as peer:
        peer.publish("a/now", b"2")
        assert until(lambda: peer.received) == [("a/now", b"2", False)]


def test_stop_may_be_called_twice(broker):
    broker.stop()
    broker.stop()
    assert broker.process.returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_taken_port_is_told(kind, capfd):
    with socket.create_server(("127.0.0.1", broker_tool.free_port())) as taken:
        port = taken.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(BrokerError, match="port %d of 127.0.0.1 is taken" % port):
            broker_tool.start(port, kind)
        assert time.monotonic() - began < 1
        command = [sys.executable, "-m", "wattledger.tools.broker", "--port", str(port)]
        done = subprocess.run(
            [*command, "--kind", kind],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=child.environment(),
        )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "broker: port %d of 127.0.0.1 is taken\n" % port


def test_another_port_is_tried_when_one_is_taken(monkeypatch):
    free = broker_tool.free_port()
    with socket.create_server(("127.0.0.1", broker_tool.free_port())) as taken:
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(broker_tool, "free_port", lambda: next(ports))
        with broker_tool.start() as process:
            assert process.port == free


def test_server_that_is_no_broker_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not broker_tool.answers(server.getsockname()[1], 0.1)


def test_missing_broker_is_told(monkeypatch):
    monkeypatch.setattr(broker_tool, "MOSQUITTO_PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BrokerError, match="install the Python package iotcore, or mosquitto"):
        broker_tool._serve_mosquitto(1)


def test_broker_address_is_read():
    assert parse_url("mqtt://127.0.0.1:21883") == ("127.0.0.1", 21883)
    assert parse_url("mqtt://localhost/") == ("localhost", 1883)
    assert parse_url("mqtt://[::1]:1884") == ("::1", 1884)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1:1883", "does not begin with mqtt://"),
        ("http://127.0.0.1:1883", "does not begin with mqtt://"),
        ("mqtt://", "lacks a host"),
        ("mqtt://:1883", "lacks a host"),
        ("mqtt://127.0.0.1:0", "port 0"),
        ("mqtt://127.0.0.1:65536", "wrong host or port"),
        ("mqtt://127.0.0.1:x", "wrong host or port"),
        ("mqtt://[::1", "wrong host or port"),
        ("mqtt://127.0.0.1:1883/topic", "more than host and port"),
        ("mqtt://me:secret@127.0.0.1:1883", "more than host and port"),
        ("mqtt://192.0.2.1:1883", "another machine"),
        ("mqtt://broker.example", "another machine"),
    ],
)
def test_wrong_broker_address_is_refused(url, why):
    with pytest.raises(BrokerError, match=why) as caught:
        parse_url(url)
    assert "\n" not in str(caught.value)
