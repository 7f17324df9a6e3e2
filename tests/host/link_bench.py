"""The links under one contract: paho, our client here, our client in a MicroPython process."""

import contextlib
import getpass
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.errors import HalError
from wattledger.hal.network import tls
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.micropython import staging
from wattledger.tools import broker as broker_tool
from wattledger.tools.errors import BrokerError

KINDS = ("paho", "own", "micropython")
FAST = (0.05, 0.2)
HEAP = "256K"  # of the 64-bit build, without .mpy files mapped from ROMFS
PROGRAM = "from wattledger.tests.both.fixtures_link_program import main; main()"
CONNACK = b"\x20\x02\x00\x00"


def new(kind, port, host="127.0.0.1", files=None, verify=None, **options):
    """A link of that kind; `files` (Files) for one by TLS, with another verify_mode if told."""
    options.setdefault("backoff_s", FAST)
    if kind == "micropython":
        options.update(files=files and files.names(), verify=verify)
        return MicroPythonLink(host, port, "meter", **options)
    if files is not None:
        made = tls.context(ssl, files.authority(), files.certificate, files.key)
        if verify is not None:
            made.check_hostname = bool(verify)
            made.verify_mode = verify
        options["tls"] = made
    if kind == "paho":
        return PahoLink(host, port, "meter", **options)
    return TurnedLink(MqttLink(host, port, "meter", clock=HostClock(), **options))


class Files:
    """The files of one end of a TLS connection: PEM, and DER beside it."""

    def __init__(self, authority, certificate=None, key=None):
        self.authority_file, self.certificate, self.key = authority, certificate, key

    def trusting(self, other):
        """The same certificate, and the authority of `other`."""
        return Files(other.authority_file, self.certificate, self.key)

    def showing_nothing(self):
        """The same authority alone."""
        return Files(self.authority_file)

    def authority(self):
        with open(der(self.authority_file), "rb") as file:
            return file.read()

    def names(self):
        return [name and der(name) for name in (self.authority_file, self.certificate, self.key)]


def der(name):
    return name + ".der"


class TurnedLink:
    """Our client, turned every 2 ms as a root's loop does, and asked in between."""

    pid = "self"

    def __init__(self, link):
        self._link = link
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while not self._ended.wait(0.002):
            with self._lock:
                self._link.turn()

    def __getattr__(self, name):
        value = getattr(self._link, name)
        if not callable(value):
            return value

        def call(*arguments):
            with self._lock:
                return value(*arguments)

        return call

    def end(self):
        self._ended.set()
        self.close(0.5)


class MicroPythonLink:
    """Our client on MicroPython, in a process that turns it every 2 ms and is asked by lines."""

    def __init__(self, *arguments, heap=HEAP, **options):
        interpreter = staging.find_tool("micropython")
        if interpreter is None:
            pytest.skip("no micropython: no wheel for this platform and none on PATH")
        self._process = subprocess.Popen(
            [interpreter, "-X", "heapsize=" + heap, "-c", PROGRAM],
            env=dict(os.environ, MICROPYPATH="%s:.frozen" % staging.staged_tree()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._closed = False
        self._ask("new", arguments, options)

    def _ask(self, *words):
        self._process.stdin.write(json.dumps(words, default=_packed) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        if isinstance(found, dict) and "error" in found:
            raise HalError(found["error"])
        return _unpacked(found)

    def __getattr__(self, name):
        if name in ("fault", "dropped_full", "dropped_long", "dropped_bad"):
            return self._ask("get", name)
        return lambda *arguments: self._ask("call", name, arguments)

    def heap(self):
        """Bytes in use after a collection."""
        return self._ask("heap")

    def metered(self, seconds):
        """As fixtures_link_program.metered."""
        return self._ask("metered", seconds)

    def close(self, timeout_s=3):
        if not self._closed:
            self._closed = True
            self._ask("call", "close", (timeout_s,))

    def end(self):
        with contextlib.suppress(OSError, ValueError):
            self.close(0)
        self._process.stdin.close()
        self._process.wait(5)
        self._process.stdout.close()


def _packed(value):
    return {"hex": bytes(value).hex()}


def _unpacked(value):
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"])
    return tuple(map(_unpacked, value)) if isinstance(value, list) else value


@pytest.fixture(params=KINDS)
def new_link(request):
    """Makes links of each kind, which are closed at the end."""
    links = []

    def make(port, host="127.0.0.1", **options):
        links.append(new(request.param, port, host, **options))
        return links[-1]

    make.kind = request.param
    yield make
    for link in links:
        if request.param == "paho":
            link.close(0.5)
        else:
            link.end()


class Mosquitto:
    """A mosquitto of this test's own, with `lines` of configuration; no child of ours between.

    A context manager that gives it; `stop()` by hand is fine too.
    """

    def __init__(self, folder, *lines, port=None):
        self.port = port or broker_tool.free_port()
        config = folder / ("%d.conf" % self.port)
        config.write_text(
            "\n".join(
                (
                    "listener %d 127.0.0.1" % self.port,
                    # Started by root it would become a user who may not read these files.
                    "user %s" % getpass.getuser(),
                    "persistence false",
                    "log_dest stderr",
                    *lines,
                    "",
                )
            )
        )
        try:
            program = broker_tool.mosquitto_program()
        except BrokerError:
            pytest.skip("no mosquitto on this machine")
        self._process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
        if not until(self._listens):
            self.stop()
            raise AssertionError("mosquitto does not listen")

    def _listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def stop(self):
        self._process.terminate()
        self._process.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class OneAnswer:
    """A server that gives each connection the same bytes, then closes when told so.

    With `pings` it answers those too. By TLS with a context; a client that it refuses stays
    connected for `lingers_s`. `heard` holds what came first, of those that got so far.
    """

    def __init__(self, answer, close=False, pings=False, context=None, lingers_s=0):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.heard = []
        self.context = context
        self._answer, self._close, self._pings = answer, close, pings
        self._lingers_s = lingers_s
        self._held = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                connection.settimeout(5)
                if self.context is not None:
                    connection = self.context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                    connection.do_handshake()
                self.heard.append(connection.recv(1024))
                connection.sendall(self._answer)
            except OSError:
                time.sleep(self._lingers_s)
                connection.close()
                continue
            if self._close:
                connection.close()
            else:
                self._held.append(connection)
            if self._pings:
                threading.Thread(target=_answer_pings, args=(connection,), daemon=True).start()

    def cut(self):
        """Close all connections."""
        for sock in self._held:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._held = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        for sock in [self._listener, *self._held]:
            sock.close()


def _answer_pings(connection):
    with contextlib.suppress(OSError):
        while data := connection.recv(1024):
            if data.endswith(b"\xc0\x00"):
                connection.sendall(b"\xd0\x00")
