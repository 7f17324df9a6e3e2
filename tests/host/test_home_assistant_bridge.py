"""The bridge and the permissions of docs/home-assistant.md, in mosquitto: what crosses."""

import contextlib
import getpass
import json
import re
import subprocess
import time

import pytest

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.host.mqtt_bench import HOST, Peer, until
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import broker as brokers
from wattledger.tools.errors import BrokerError

PAGE = (ROOT / "docs" / "home-assistant.md").read_text(encoding="utf-8")
BRIDGE, PERMISSIONS = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)
METER = "wl-000123"
BASE = f"wl/1/demo/m/{METER}/"
DISCOVERY = f"homeassistant/device/{METER}/config"


@contextlib.contextmanager
def mosquitto(folder, name, text):
    """A mosquitto with that configuration below its listener; its port."""
    try:
        program = brokers.mosquitto_program()
    except BrokerError:
        pytest.skip("no mosquitto on this machine")
    port = brokers.free_port()
    path = folder / f"{name}.conf"
    path.write_text(f"user {getpass.getuser()}\nlistener {port} {HOST}\nlog_type none\n{text}")
    server = subprocess.Popen([program, "-c", str(path)], stderr=subprocess.DEVNULL)
    try:
        assert until(lambda: brokers.answers(port), 10)
        yield port
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def pair(tmp_path):
    """Ports of the meter's broker, and of the household's with the bridge of the page."""
    with mosquitto(tmp_path, "meter", "allow_anonymous true\n") as meters:
        # This one is without TLS; everything else stands as on the page.
        lines = [line for line in BRIDGE.splitlines() if not line.startswith("bridge_")]
        text = "\n".join(lines).replace("broker.utility.example:8883", f"{HOST}:{meters}")
        with mosquitto(tmp_path, "home", f"allow_anonymous true\n{text}\n") as home:
            yield meters, home


def topics(peer):
    return [topic for topic, _, _ in peer.received]


def test_a_household_sees_its_meter_and_its_button_arrives(pair):
    meters, home = pair
    with Peer(home, "homeassistant/device/#", "wl/#") as assistant, Peer(meters, "#") as utility:
        house = MeterHouse(meters)
        try:
            until(lambda: house.talk(2) or {DISCOVERY, BASE + "state"} <= set(topics(assistant)))
            assert sorted(set(topics(assistant))) == [
                DISCOVERY,
                BASE + "state",
                BASE + "status",
            ]
            found = {topic: data for topic, data, _ in assistant.received}
            command = json.loads(found[DISCOVERY])["cmps"]["reconnect"]["cmd_t"]
            assistant.publish(command, "PRESS")
            assert until(lambda: command in topics(utility))
            # Neither a command nor a state of its own making gets out of the household.
            assistant.publish(BASE + "cmd", "x")
            assistant.publish(BASE + "state", "x")
            assistant.publish("homeassistant/status", "online")
            assert until(lambda: "homeassistant/status" in topics(utility))
            assert BASE + "cmd" not in topics(utility)
            assert (BASE + "state", b"x", 0) not in utility.received
        finally:
            house.link.close()


class MeterHouse(House):
    """A house whose meter has a name of its own and speaks to a real broker."""

    def __init__(self, port, username=None):
        self._broker = (port, username)
        super().__init__(linked=True, home_assistant=True, meter=METER, credit=None)

    def boot(self, tariff=None, cold=True):
        port, username = self._broker
        self.link = PahoLink(HOST, port, METER, username=username)
        super().boot(tariff, cold)


def test_a_broker_that_permits_what_the_page_says_serves_a_meter(tmp_path):
    permissions = tmp_path / "acl"
    own = "pattern write wl/1/demo/m/%u/#\n"  # what it needs without a household
    others = "user household\ntopic readwrite #\n"
    permissions.write_text(PERMISSIONS + own + others)
    permissions.chmod(0o700)
    text = f"allow_anonymous true\nacl_file {permissions}\n"
    with mosquitto(tmp_path, "meter", text) as port:
        house = MeterHouse(port, username=METER)
        try:
            with Peer(port, DISCOVERY, username="household") as household:
                assert until(lambda: house.talk(2) or topics(household))
                before = len(household.received)
                # It hears the birth and the button; another meter's button is not its.
                household.publish("homeassistant/status", "online")
                assert until(lambda: house.talk(2) or len(household.received) > before)
                house.agent.supply.state = 0
                household.publish("wl/1/demo/m/another/home/reconnect", "PRESS")
                time.sleep(0.1)
                house.talk(5)
                assert house.agent.talk.home.asked_at is None
                household.publish(BASE + "home/reconnect", "PRESS")
                assert until(lambda: house.talk(2) or house.agent.talk.home.asked_at)
        finally:
            house.link.close()
