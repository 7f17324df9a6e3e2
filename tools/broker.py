"""An MQTT broker for this machine only, for the demo and the tests. It keeps nothing on disk.

`python -m wattledger.tools.broker --port P` serves 127.0.0.1:P until its stdin ends, so it never
outlives the program that started it. iotcore serves where it is installed, else mosquitto from
PATH. iotcore by itself binds all interfaces, never comes up on port 0, keeps up to 1 GB of
messages for each topic filter, and does not acknowledge payloads over 20 kB.
"""

import argparse
import errno
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from wattledger.tools import child
from wattledger.tools.errors import BrokerError

HOST = "127.0.0.1"
KINDS = ("auto", "iotcore", "mosquitto")
PORT_TAKEN = 3  # exit code of the child, told apart so that another port is tried

# Below the range systems hand out to clients (32768 and up on Linux): a client that knocks on a
# closed port inside that range can be connected to itself.
FIRST_PORT, LAST_PORT = 20000, 29999

IOTCORE_CONFIG = """\
id = 0
[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 262144
max_segment_count = 4
[v4.1]
name = "local"
listen = "{host}:{port}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 5000
max_payload_size = 20480
max_inflight_count = 100
dynamic_filters = true
"""

MOSQUITTO_CONFIG = """\
listener {port} {host}
allow_anonymous true
persistence false
set_tcp_nodelay true
log_dest stderr
log_type error
"""
# Debian keeps servers out of an ordinary user's PATH.
MOSQUITTO_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


class BrokerProcess:
    """A running broker child; also a context manager that stops it."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, kind: str) -> None:
        self.process = process
        self.port = port
        self.kind = kind  # "iotcore" or "mosquitto"
        self.url = f"mqtt://{HOST}:{port}"

    def stop(self, timeout_s: float = 5) -> None:
        """End the child by closing its stdin, by force after `timeout_s`. Safe to call twice."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> "BrokerProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(port: int | None = None, kind: str = "auto", timeout_s: float = 10) -> BrokerProcess:
    """Start a broker child and wait until it answers an MQTT CONNECT.

    Without `port` a free one is chosen. BrokerError when it does not come up.
    """
    for _ in range(5):
        chosen = free_port() if port is None else port
        broker = _launch(chosen, kind, timeout_s)
        if broker is not None:
            return broker
        if port is not None:
            raise BrokerError(
                f"port {port} of {HOST} is taken: stop its owner or use another port"
            )
    raise BrokerError(f"no free port found between {FIRST_PORT} and {LAST_PORT}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    for port in random.sample(range(FIRST_PORT, LAST_PORT + 1), 100):
        if is_free(port):
            return port
    raise BrokerError(f"no free port found between {FIRST_PORT} and {LAST_PORT}")


def answers(port: int, timeout_s: float = 0.5) -> bool:
    """True when an MQTT broker on 127.0.0.1 accepts a connection: CONNACK with code 0."""
    name = b"probe-%d" % os.getpid()
    rest = b"\x00\x04MQTT\x04\x02\x00\x05" + len(name).to_bytes(2, "big") + name
    try:
        with socket.create_connection((HOST, port), timeout_s) as connection:
            connection.sendall(bytes([0x10, len(rest)]) + rest)
            answer = b""
            while len(answer) < 4:
                part = connection.recv(4 - len(answer))
                if not part:
                    return False
                answer += part
            connection.sendall(b"\xe0\x00")
            return answer == b"\x20\x02\x00\x00"
    except OSError:
        return False


def _launch(port: int, kind: str, timeout_s: float) -> BrokerProcess | None:
    """A broker that answers on `port`, or None when the port was taken."""
    if not is_free(port):
        return None
    command = [sys.executable, "-m", "wattledger.tools.broker"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--kind", kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=child.environment(),
    )
    broker = BrokerProcess(process, port, kind)
    deadline = time.monotonic() + timeout_s
    try:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                if process.returncode == PORT_TAKEN:
                    broker.stop()
                    return None
                raise BrokerError(f"the broker ended with code {process.returncode} (see above)")
            if answers(port):
                assert process.stdout is not None
                broker.kind = process.stdout.readline().strip()
                return broker
            time.sleep(0.01)
        raise BrokerError(f"the broker did not answer on {HOST}:{port} within {timeout_s:g} s")
    except BaseException:
        broker.stop()
        raise


def is_free(port: int) -> bool:
    """True when nobody listens on a port of 127.0.0.1. BrokerError when none may."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise BrokerError(f"port {port} cannot be used: {error.strerror}") from None
            return False
    return True


def _serve_iotcore(port: int) -> None:
    """Serve until stdin ends; does not return. ImportError where iotcore has no wheel."""
    from iotcore.iotcore import IotCoreBroker

    # rumqttd puts each packet into an error-level span; they are not errors.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="wattledger-broker-") as folder:
        config = Path(folder, "broker.toml")
        config.write_text(IOTCORE_CONFIG.format(host=HOST, port=port))
        broker = IotCoreBroker(config_path=str(config))
    print("iotcore", flush=True)
    # rumqttd cannot be shut down; it holds nothing that would need it.
    child.at_end_of_input(lambda: os._exit(0))
    broker.run_forever()
    raise BrokerError("the broker ended by itself")


def mosquitto_program() -> str:
    """The path of mosquitto. BrokerError when it is not there."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *MOSQUITTO_PLACES])
    program = shutil.which("mosquitto", path=places)
    if program is None:
        raise BrokerError("no MQTT broker here: install the Python package iotcore, or mosquitto")
    return program


def _serve_mosquitto(port: int) -> int:
    """Serve until stdin ends; the exit code."""
    program = mosquitto_program()
    with tempfile.TemporaryDirectory(prefix="wattledger-broker-") as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text(MOSQUITTO_CONFIG.format(host=HOST, port=port))
        server = subprocess.Popen(
            [program, "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        print("mosquitto", flush=True)
        child.at_end_of_input(server.terminate)
        code = server.wait()
    return 0 if code in (0, -signal.SIGTERM) else 1


def _serve(port: int, kind: str) -> int:
    if not 1 <= port <= 65535:
        raise BrokerError(f"port {port} is outside 1 to 65535")
    if not is_free(port):
        print(f"broker: port {port} of {HOST} is taken", file=sys.stderr)
        return PORT_TAKEN
    if kind != "mosquitto":
        try:
            _serve_iotcore(port)
        except ImportError as error:
            if kind == "iotcore":
                raise BrokerError(f"iotcore cannot be loaded: {error}") from None
    return _serve_mosquitto(port)


def main() -> int:
    """Serve; the exit code."""
    parser = argparse.ArgumentParser(prog="broker", description="MQTT broker for this machine")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--kind", choices=KINDS, default="auto")
    options = parser.parse_args()
    if not sys.stdin.isatty():
        # Ctrl-C reaches every process of a terminal; the meter still has things to say then, and
        # whoever holds our stdin decides when it is over.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return _serve(options.port, options.kind)
    except (BrokerError, OSError) as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
