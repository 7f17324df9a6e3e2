"""A tenant with meters and a real mosquitto that runs what provisioning made; MQTT clients."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
from paho.mqtt import client as mqtt

from wattledger.tests.host.mqtt_bench import HOST, until
from wattledger.tools import broker as broker_tool
from wattledger.tools.provision import broker, door, meter, tenant

BOARD = "pi_atm90e32"
NAME = "acme"
BASE = f"wl/1/{NAME}/m"


class Site:
    """A tenant in a folder: `meter(id)` makes one, `broker()` and `head_end()` too."""

    def __init__(self, folder):
        self.folder = folder
        tenant.create(NAME, folder / "ca", folder / "keys", folder / "gate")
        self.tenant = tenant.Tenant(folder / "ca", folder / "keys")
        self.keys, self.gate = folder / "keys", folder / "gate"
        self.ports = broker_tool.free_port(), broker_tool.free_port()
        while self.ports[0] == self.ports[1]:
            self.ports = self.ports[0], broker_tool.free_port()
        self.process = None

    def meter(self, name, **wanted):
        out = self.folder / name
        meter.create(self.tenant, self.gate, out, meter.Wanted(BOARD, name, **wanted), 365)
        return out

    def head_end(self, name="head"):
        out = self.folder / name
        door.create(self.tenant, out, HOST, self.ports[1], 365)
        return out

    def broker(self):
        out = self.folder / "broker"
        doors = broker.Doors((HOST, "localhost"), *self.ports, HOST, getpass.getuser())
        broker.create(self.tenant, out, doors, 365)
        return out

    def start(self):
        """mosquitto, as the configuration says; skips the test where this machine has none."""
        place = os.pathsep.join([os.environ.get("PATH", ""), *broker_tool.MOSQUITTO_PLACES])
        program = shutil.which("mosquitto", path=place)
        if program is None:
            pytest.skip("no mosquitto on this machine")
        self.log = open(self.folder / "mosquitto.log", "w")
        command = [program, "-c", str(self.folder / "broker" / "mosquitto.conf")]
        self.process = subprocess.Popen(command, stderr=self.log)
        assert until(lambda: all(is_open(port) for port in self.ports), 10), self.said()

    def said(self):
        return (self.folder / "mosquitto.log").read_text()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.log.close()


def is_open(port):
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 0.5):
        return True
    return False


def context(folder, certificate=True, ca=None):
    """TLS with the files of a folder."""
    made = ssl.create_default_context(cafile=str(ca or folder / "ca.pem"))
    if certificate:
        made.load_cert_chain(folder / "client.pem", folder / "client.key")
    return made


class Client:
    """An MQTT client that keeps what it receives and when it was thrown out."""

    def __init__(self, port, client_id, tls=None, topics=(), will=None):
        self.received = []
        self.connected = None  # the reason code of the CONNACK, once there is one
        self.lost = 0
        self.granted = []
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, reconnect_on_failure=False
        )
        if tls is not None:
            self._client.tls_set_context(tls)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_connect = lambda c, u, f, reason, p: setattr(self, "connected", reason)
        self._client.on_disconnect = lambda *_: setattr(self, "lost", self.lost + 1)
        self._client.on_message = lambda c, u, m: self.received.append((m.topic, m.payload))
        self._client.on_subscribe = lambda c, u, mid, reasons, p: self.granted.extend(reasons)
        self.fault = ""
        try:
            self._client.connect(HOST, port)
        except (OSError, ssl.SSLError) as error:
            self.fault = str(error)
            return
        self._client.loop_start()
        until(lambda: self.connected is not None or self.lost, 5)
        for count, topic in enumerate(topics, 1):
            self._client.subscribe(topic, qos=1)
            assert until(lambda n=count: len(self.granted) >= n)

    def is_in(self):
        """True while the broker has let it in and not thrown it out."""
        return self.connected is not None and not self.connected.is_failure and not self.lost

    def publish(self, topic, payload, retain=False, wait_s=5):
        """At QoS 1; mosquitto acknowledges what it refuses too."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(wait_s)

    def heard(self, topic):
        return [payload for name, payload in self.received if name == topic]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.disconnect()
        self._client.loop_stop()
