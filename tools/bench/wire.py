"""The wire: bytes of readings and commands, time to check a signature, CPU to publish a message.

Bytes are those of MQTT, its acknowledgement included; TLS adds 22 and more to each record. The
links publish to a broker of this machine, in a process of its own.
"""

import hashlib
import hmac
import json
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from wattledger.agent.comms import topics
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt import packet
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tools import broker, jws, keys, orders, signing
from wattledger.tools.bench import device, wire_programs
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.house import METER, TARIFF, House, PlainChip, Sink
from wattledger.tools.bench.rows import Report, Row, best, cpu_s

PROGRAMS = "wattledger.tools.bench.wire_programs"
SECRET = bytes(range(32))
TENANT = "bench"
CHALLENGE = "0123456789abcdef"
CHECKS = 2_000
SIGNATURES = 5
MESSAGES = 2_000
ROUNDS = 3
WINDOW = 32  # messages on their way
HOURS = 3  # of metering whose messages are weighed
PAYLOAD = b"x" * 600
TOPIC = topics.topic(TENANT, METER, topics.STATE)
ACKNOWLEDGED = len(packet.puback(1))
IDLE_S = 0.0005
PATIENCE_S = 60
RAW = "raw socket"


def run(
    checks: int = CHECKS,
    signatures: int = SIGNATURES,
    messages: int = MESSAGES,
    rounds: int = ROUNDS,
    hours: int = HOURS,
) -> Report:
    """The rows; times are the least of `rounds`. BenchError."""
    return Report(
        "wire",
        "Bytes of messages, time to check a signature, CPU to publish",
        [*_sizes(hours), *_checks(checks, signatures, rounds), *_publishing(messages, rounds)],
        {"payload_bytes": len(PAYLOAD), "window": WINDOW},
    )


# --- bytes ---


def wired(topic: str, payload: bytes) -> int:
    """Bytes on the wire of a message at QoS 1, both ways."""
    return len(packet.publish_head(topic, len(payload), 1, False)) + len(payload) + ACKNOWLEDGED


class Ear(Sink):
    """A link that keeps what it is given, by the last part of the topic."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, list[tuple[str, bytes]]] = {}

    def send(self, topic: str, data: bytes, retain: bool) -> int:
        self.heard.setdefault(topic.rsplit("/", 1)[-1], []).append((topic, bytes(data)))
        return int(super().send(topic, data, retain))


def _sizes(hours: int) -> list[Row]:
    ear = Ear()
    house = House(PlainChip(), ear)
    house.run(hours * 3600)
    rows = []
    for leaf, name in ((topics.STATE, "reading, state"), (topics.HELLO, "hello")):
        sizes = [(wired(*message), len(message[1])) for message in ear.heard[leaf]]
        rows.append(Row(name, *_means(sizes), "B", "its payload"))
    journal = _journal(ear.heard[topics.JOURNAL])
    rows.append(Row("reading, journal entry", *journal, "B", "the record as it is stored"))
    for name, leaf, payload, token in _commands():
        size = wired(topics.topic(TENANT, METER, leaf), token)
        rows.append(Row(name, size, len(payload), "B", "its payload unsigned"))
    return rows


def _means(sizes: Sequence[tuple[float, float]]) -> tuple[float, float]:
    whole, inner = zip(*sizes, strict=True)
    return sum(whole) / len(sizes), sum(inner) / len(sizes)


def _journal(messages: list[tuple[str, bytes]]) -> tuple[float, float]:
    """(bytes on the wire, bytes stored) of a mean entry, of those messages that are full."""
    sizes = []
    for topic, data in messages:
        entries = json.loads(data)["e"]
        stored = [len(jws.decode(entry.encode())) for entry in entries]
        sizes += [(wired(topic, data) / len(entries), sum(stored) / len(stored))] * len(entries)
    return _means(sizes)


def _commands() -> list[tuple[str, str, bytes, bytes]]:
    """(name, leaf, payload, signed message) of commands as the tools send them."""
    meter = keys.MeterKeys(METER, SECRET)
    add = {"m": METER, "op": "credit.add", "a": {"n": 1, "amount": 20_000_000}}
    gate = keys.derive(SECRET[::-1], "gate.1")
    found = [("command, credit.add", add, jws.sign(add, meter.key("credit.1"), "credit.1"))]
    for name, order in (
        ("command, message.show of 20 letters", orders.message("Work in your street.")),
        ("command, relay.open, two signatures", orders.opening("request", None, gate)),
    ):
        payload = order.payload(METER, CHALLENGE)
        found.append((name, payload, order.signed(meter, CHALLENGE)))
    ack = {"m": METER, "of": "0" * 16, "result": "ok", "detail": ""}
    ack["head"] = {"sequence": 1234, "hash": "0" * 16}  # type: ignore[assignment]
    rows = [
        (name, topics.CMD, json.dumps(payload, separators=(",", ":")).encode(), token)
        for name, payload, token in found
    ]
    body = json.dumps(ack).encode()
    return [*rows, ("ack", topics.ACK, body, jws.sign(ack, meter.key("up.1"), "up.1"))]


# --- signatures ---


def _checks(checks: int, signatures: int, rounds: int) -> list[Row]:
    command = _commands()[0][3]
    secret = SECRET.hex()
    order = (secret, command.decode(), "credit", checks, rounds)
    point, digest, mark, peer = _signed()
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        device.stage(device.modules_of(PROGRAMS), tree)
        there = Device(tree, programs=PROGRAMS)
        slow = there.run("hs256", secret, command.decode(), "credit", max(checks // 10, 1), rounds)
        es_there = there.run("es256", point.hex(), digest.hex(), mark.hex(), signatures)
    fast = wire_programs.hs256(*order)
    es_here = wire_programs.es256(point.hex(), digest.hex(), mark.hex(), signatures)
    if es_here["good"] is not True or es_there["good"] is not True:
        raise BenchError("a good signature was refused")
    key = keys.MeterKeys(METER, SECRET).key("credit.1")
    signed = command[: command.rfind(b".")]
    mac = partial(_repeat, checks, lambda: hmac.digest(key, signed, "sha256"))
    library = partial(_repeat, signatures * 10, peer)
    mac_s, library_s = best(rounds, [partial(cpu_s, mac), partial(cpu_s, library)])
    mac_us, library_us = mac_s / checks * 1e6, library_s / signatures / 10 * 1e6
    here, there_us = "CPython", "MicroPython"
    return [
        Row(f"HS256, {here}", fast["us"], mac_us, "us", "hmac.digest, the MAC alone"),
        Row(f"HS256, {there_us}", slow["us"], fast["us"], "us", "CPython's"),
        Row(f"ES256, {here}", es_here["us"], library_us, "us", "cryptography (OpenSSL)"),
        Row(f"ES256, {there_us}", es_there["us"], es_here["us"], "us", "CPython's"),
        Row(
            f"ES256, longest slice, {there_us}",
            es_there["slice_us"],
            es_there["us"],
            "us",
            "the whole",
        ),
    ]


def _repeat(count: int, work: Callable[[], object]) -> None:
    for _ in range(count):
        work()


def _signed() -> tuple[bytes, bytes, bytes, Callable[[], object]]:
    """(point, digest, signature, the library's check) of a tariff document signed here."""
    with tempfile.TemporaryDirectory() as name:
        signer = signing.create(name, "tariff.1")
        token = signer.sign(TARIFF)
        point = signing.public_keys(name)["tariff.1"]
    text, mark = token.rsplit(b".", 1)
    raw = jws.decode(mark)
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"), ec.SECP256R1()
    )
    public = numbers.public_key()
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    def check() -> None:
        public.verify(der, text, ec.ECDSA(hashes.SHA256()))

    return point, hashlib.sha256(text).digest(), raw, check


# --- publishing ---


def _publishing(messages: int, rounds: int) -> list[Row]:
    with broker.start() as process:
        kinds: dict[str, Callable[[int, int], None]] = {
            "MQTT client of our own": _ours,
            "paho link": _paho_link,
            "paho alone": _paho,
            RAW: _raw,
        }
        work = [partial(_cpu_us, kind, process.port, messages) for kind in kinds.values()]
        took = dict(zip(kinds, best(rounds, work), strict=True))
    rows = [
        Row(f"publish, {name}", took[name], took[RAW], "us of CPU", RAW)
        for name in kinds
        if name != RAW
    ]
    for name in ("MQTT client of our own", "paho link"):
        rows.append(
            Row(f"publish, {name}", took[name], took["paho alone"], "us of CPU", "paho alone")
        )
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
