"""The wire: bytes of readings and commands, time to check a signature, CPU to publish a message.

Bytes are those of MQTT, its acknowledgement included; TLS adds 22 and more to each record.
"""

import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from wattledger.agent.comms import topics
from wattledger.hal.network.mqtt import packet
from wattledger.tools import jws, keys, orders, signing
from wattledger.tools.bench import device, wire_programs
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.house import METER, TARIFF, House, Sink
from wattledger.tools.bench.plain_chip import PlainChip
from wattledger.tools.bench.rows import Report, Row, best, cpu_s
from wattledger.tools.bench.wire_links import PAYLOAD, WINDOW, publishing

PROGRAMS = "wattledger.tools.bench.wire_programs"
SECRET = bytes(range(32))
TENANT = "bench"
CHALLENGE = "0123456789abcdef"
CHECKS = 2_000
SIGNATURES = 5
MESSAGES = 2_000
ROUNDS = 3
HOURS = 3  # of metering whose messages are weighed
ACKNOWLEDGED = len(packet.puback(1))


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
        [*_sizes(hours), *_checks(checks, signatures, rounds), *publishing(messages, rounds)],
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

    def send(self, topic: str, data: bytes | list[bytes], retain: bool) -> int:
        data = b"".join(data) if isinstance(data, list) else bytes(data)
        self.heard.setdefault(topic.rsplit("/", 1)[-1], []).append((topic, data))
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
