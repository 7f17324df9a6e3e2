"""What the MQTT tests share: brokers, a peer, a proxy that can misbehave, and a meter in software.

The meter signs and encodes with code of its own, apart from tools/ and agent/, so that the tests
compare two implementations.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import select
import socket
import struct
import threading
import time

import pytest
from paho.mqtt import client as mqtt

from wattledger.tools import broker as broker_tool
from wattledger.tools.errors import BrokerError

KINDS = ("iotcore", "mosquitto")
HOST = "127.0.0.1"


@contextlib.contextmanager
def running_broker(kind, port=None):
    """A broker child of that kind; skips the test where this machine has none."""
    try:
        process = broker_tool.start(port, kind)
    except BrokerError:
        if port is not None:
            raise
        pytest.skip("no %s on this machine" % kind)
    with process:
        yield process


def until(condition, timeout_s=5):
    """Wait for `condition()` to be true; its value, false when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value


class Peer:
    """Another client of the broker; keeps all it receives as (topic, payload, retain)."""

    def __init__(self, port, *topics, username=None):
        self.received = []
        self._granted = 0
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if username is not None:
            self._client.username_pw_set(username)
        self._client.on_message = lambda c, u, message: self.on_message(
            message.topic, message.payload, message.retain
        )
        self._client.on_subscribe = self._on_subscribe
        self._client.connect(HOST, port)
        self._client.loop_start()
        for count, topic in enumerate(topics, 1):
            self._client.subscribe(topic, qos=1)
            assert until(lambda n=count: self._granted >= n)

    def _on_subscribe(self, *_):
        self._granted += 1

    def on_message(self, topic, payload, retain):
        self.received.append((topic, payload, retain))

    def publish(self, topic, payload, retain=False):
        """Returns once the broker has it, or at once from a callback."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if threading.current_thread().name.startswith("paho"):
            return
        info.wait_for_publish(5)

    def publish_bare(self, topic, payload):
        """At QoS 0, for what a broker may refuse."""
        self._client.publish(topic, payload)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()


class Proxy:
    """TCP between a client and a port: `freeze()` stops moving bytes with all left open."""

    def __init__(self, port):
        self._target = port
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._pairs = {}
        self._frozen = False
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def freeze(self):
        self._frozen = True
        time.sleep(0.05)  # until the turn that may have begun is over

    def thaw(self):
        self._frozen = False

    def cut(self):
        """Drop all connections, as a power cut at either end does."""
        for sock in list(self._pairs):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _run(self):
        while self._open:
            watched = [self._listener] if self._frozen else [self._listener, *self._pairs]
            ready, _, _ = select.select(watched, [], [], 0.02)
            for sock in ready:
                if sock is self._listener:
                    self._accept()
                elif sock in self._pairs and not self._frozen:
                    self._move(sock)

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection((HOST, self._target))
        except OSError:
            near.close()
            return
        self._pairs[near], self._pairs[far] = far, near

    def _move(self, sock):
        other = self._pairs[sock]
        try:
            data = sock.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        for end in (sock, other):
            self._pairs.pop(end, None)
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open = False
        self._thread.join()
        for sock in [self._listener, *self._pairs]:
            sock.close()


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Signer:
    """HMAC keys and compact JWS of one meter, written out from protocol.md."""

    def __init__(self, meter, device_key):
        self.meter = meter
        self._device_key = device_key

    def sign(self, kid, payload):
        key = hmac.digest(self._device_key, b"wattledger/1/" + kid.encode(), "sha256")
        signed = "%s.%s" % (
            base64url(('{"alg":"HS256","kid":"%s"}' % kid).encode()),
            base64url(json.dumps(payload).encode()),
        )
        mac = hmac.digest(key, signed.encode(), "sha256")
        return ("%s.%s" % (signed, base64url(mac))).encode()

    def open(self, kid, token):
        """The payload of a token that must be signed by `kid` exactly as `sign` does it."""
        body = token.decode().split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        header, _, mac = token.decode().split(".")
        key = hmac.digest(self._device_key, b"wattledger/1/" + kid.encode(), "sha256")
        assert header == base64url(('{"alg":"HS256","kid":"%s"}' % kid).encode())
        expected = hmac.digest(key, ("%s.%s" % (header, body)).encode(), "sha256")
        assert mac == base64url(expected)
        return payload


class Book:
    """A journal of raw records, laid out field by field as the layout's table has it."""

    def __init__(self, meter):
        self.meter = meter
        self.blocks = []
        self.hashes = [hashlib.sha256(meter.encode()).digest()[:8]]
        self.balance = 0

    def add(self, amount, kind=15, payload=b"", balance=None):
        self.balance += amount
        stated = self.balance if balance is None else balance
        body = b"\xa7" + bytes([kind]) + struct.pack("<H", 30 + len(payload) + 12)
        body += struct.pack("<I", len(self.blocks) + 1) + (1799704800).to_bytes(5, "little")
        body += b"\x02" + struct.pack("<qq", amount, stated) + payload
        body += struct.pack("<I", binascii.crc32(body))
        self.hashes.append(hashlib.sha256(self.hashes[-1] + body).digest()[:8])
        self.blocks.append(body + self.hashes[-1])
        return self

    def head(self, sequence=None):
        count = len(self.blocks) if sequence is None else sequence
        return {"sequence": count, "hash": self.hashes[count].hex()}

    def message(self, first, last):
        """The journal message of entries `first` to `last`, counted from 1."""
        entries = [base64url(block) for block in self.blocks[first - 1 : last]]
        document = {"m": self.meter, "from": first, "prev": self.hashes[first - 1].hex()}
        return json.dumps({**document, "e": entries}).encode()


class SoftMeter(Peer):
    """A meter's side of commands: `answers` maps a command (its payload) to an ack's fields."""

    def __init__(self, port, signer, answer):
        self.commands = []  # (raw, payload) of each command received
        self.answer = answer  # (raw, payload) -> fields of the ack, or None for silence
        self.signer = signer
        self._base = "wl/1/demo/m/%s/" % signer.meter
        super().__init__(port, self._base + "cmd")

    def on_message(self, topic, payload, retain):
        kid = json.loads(base64.urlsafe_b64decode(payload.split(b".")[0] + b"=="))["kid"]
        command = self.signer.open(kid, payload)
        self.commands.append((payload, command))
        fields = self.answer(payload, command)
        if fields is not None:
            self.ack(payload, fields)

    def ack(self, command, fields, kid="up.1"):
        of = hashlib.sha256(command).hexdigest()[:16]
        ack = {"m": self.signer.meter, "of": of, "detail": "", "head": None, **fields}
        self.publish(self._base + "ack", self.signer.sign(kid, ack))

    def hello(self, challenge, **fields):
        hello = {"m": self.signer.meter, "challenge": challenge, **fields}
        self.publish(self._base + "hello", self.signer.sign("up.1", hello), retain=True)
