"""CPU that a message takes to publish: the links of a meter, paho alone, and a raw socket.

All publish at QoS 1 to a broker of this machine, in a process of its own, with a window of
messages on their way. Connecting and every thread are in it; TLS is not.
"""

import socket
import struct
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt import packet
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tools import broker
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Row, best, cpu_s

WINDOW = 32  # messages on their way
PAYLOAD = b"x" * 600
TOPIC = "wl/1/bench/m/bench-0001/state"
IDLE_S = 0.0005
PATIENCE_S = 60
ACKNOWLEDGED = len(packet.puback(1))
RAW = "raw socket"
OURS, PAHO_LINK, PAHO = "MQTT client of our own", "paho link", "paho alone"


def publishing(messages: int, rounds: int) -> list[Row]:
    """The rows; the least of `rounds`. BenchError when the broker takes nothing."""
    with broker.start() as process:
        kinds: dict[str, Callable[[int, int], None]] = {
            OURS: _ours,
            PAHO_LINK: _paho_link,
            PAHO: _paho,
            RAW: _raw,
        }
        work = [partial(_cpu_us, kind, process.port, messages) for kind in kinds.values()]
        took = dict(zip(kinds, best(rounds, work), strict=True))
    rows = [
        Row(f"publish, {name}", took[name], took[RAW], "us of CPU", RAW)
        for name in kinds
        if name != RAW
    ]
    for name in (OURS, PAHO_LINK):
        rows.append(Row(f"publish, {name}", took[name], took[PAHO], "us of CPU", PAHO))
    return rows


def _cpu_us(kind: Callable[[int, int], None], port: int, messages: int) -> float:
    """Microseconds of CPU of this process a message, connecting and all its threads included."""
    return cpu_s(partial(kind, port, messages)) / messages * 1e6


def _ours(port: int, messages: int) -> None:
    _publish(MqttLink(broker.HOST, port, "ours", clock=HostClock(), send_limit=WINDOW), messages)


def _paho_link(port: int, messages: int) -> None:
    _publish(PahoLink(broker.HOST, port, "paho", send_limit=WINDOW), messages)


def _publish(link: Any, messages: int) -> None:
    """All messages through a Link of hal/contract.py, as fast as its window lets them go."""
    last = 0
    deadline = time.monotonic() + PATIENCE_S
    try:
        while messages or not link.sent(last):
            token = link.send(TOPIC, PAYLOAD, False) if messages else 0
            if token:
                last = token
                messages -= 1
                continue
            link.receive()
            time.sleep(IDLE_S)
            if time.monotonic() > deadline:
                raise BenchError(f"the broker took no message: {link.fault}")
    finally:
        link.close()


def _paho(port: int, messages: int) -> None:
    from paho.mqtt import client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="alone")
    client.max_inflight_messages_set(WINDOW)
    client.connect(broker.HOST, port)
    client.loop_start()
    try:
        infos = [client.publish(TOPIC, PAYLOAD, qos=1) for _ in range(messages)]
        infos[-1].wait_for_publish(PATIENCE_S)
        if not all(info.is_published() for info in infos):
            raise BenchError("the broker took no message of paho's")
    finally:
        client.disconnect()
        client.loop_stop()


def _raw(port: int, messages: int) -> None:
    """The packets by hand: what the operating system takes for them."""
    with socket.create_connection((broker.HOST, port), PATIENCE_S) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(packet.connect("raw", 30, (None, b""), (None, None)))
        left = 4  # of the CONNACK
        while left:
            left -= len(line.recv(left))
        sent = acknowledged = rest = 0
        while acknowledged < messages:
            while sent < messages and sent - acknowledged < WINDOW:
                head = packet.publish_head(TOPIC, len(PAYLOAD), sent % 65_535 + 1, False)
                line.sendall(head + PAYLOAD)
                sent += 1
            got = len(line.recv(4096))
            if not got:
                raise BenchError("the broker hung up")
            whole, rest = divmod(rest + got, ACKNOWLEDGED)
            acknowledged += whole
        line.sendall(struct.pack("BB", 0xE0, 0))
