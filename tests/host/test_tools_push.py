"""Wants and documents through a real broker to a real meter, and what the utility is told."""

import contextlib
import json
import threading
import time

import pytest

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.tests.both.fixtures_agent import START, House, tariff_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until
from wattledger.tools import push, signing
from wattledger.tools.errors import BrokerError, KeysError

LATER = START + 86_400
WAIT_S = 20


@pytest.fixture
def broker():
    with running_broker("iotcore") as process:
        yield process


@pytest.fixture
def folder(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    secret = {"meter": METER, "note": "test key", "device_key": DEVICE_KEY.hex()}
    (keys / f"{METER}.json").write_text(json.dumps(secret))
    signing.create(keys, signing.TARIFF_KID)
    return keys


class Meter:
    """A house on a broker, its clocks a few hundred times as fast as the wall."""

    def __init__(self, url, house):
        self.house = house
        port = int(url.rsplit(":", 1)[1])
        self.link = self.house.link = PahoLink("127.0.0.1", port, METER, backoff_s=(0.1, 1))
        self.house.boot()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def _live(self):
        while not self._stop.wait(0.001):
            self.house.once(500)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.link.close()


@contextlib.contextmanager
def running_meter(broker, folder):
    class OfUtility(House):
        public_keys = signing.public_keys(folder)

    with Meter(broker.url, OfUtility()) as meter:
        yield meter


def file_of(folder, data):
    path = folder.parent / "document.json"
    path.write_bytes(data)
    return path


def pushed(broker, folder, data, timeout_s=WAIT_S):
    document = push.Document(file_of(folder, data))
    token = document.signed(signing.load(folder, signing.TARIFF_KID))
    return push.push(document, token, "homes", [METER], broker.url, folder, timeout_s)


def wanted(broker, folder, id="plain", n=2):
    signer = signing.load(folder, signing.TARIFF_KID)
    wish = {"id": id, "n": n, "group": "homes"}
    return push.want(METER, wish, signer, broker.url, folder, WAIT_S)


def test_a_tariff_and_prices_reach_the_meter_and_its_hello_says_so(broker, folder):
    with running_meter(broker, folder) as meter:
        assert wanted(broker, folder) == {"version": 1, "held": True}
        found = pushed(broker, folder, tariff_of(n=2, **{"from": LATER}))
        assert found == {"held": [METER], "silent": [], "refused": {}}
        pending = meter.house.agent.account.pending
        assert (pending.id, pending.n, pending.start) == ("plain", 2, LATER)
        prices = {"v": 1, "prices_of": "plain", "n": 1, "start": LATER, "step": 3600}
        found = pushed(broker, folder, json.dumps({**prices, "prices": [1, -2]}).encode())
        assert found["held"] == [METER]


def test_the_meters_own_words_say_why_it_refuses(broker, folder):
    with running_meter(broker, folder):
        wanted(broker, folder, id="farms")
        found = pushed(broker, folder, tariff_of(n=2, **{"from": LATER}))
    assert found["silent"] == [METER]
    assert found["refused"] == {METER: "tariff: is not of farms, which is wanted"}


def test_a_meter_that_was_away_finds_what_it_missed(broker, folder):
    assert wanted_in_vain(broker, folder)["held"] is False
    found = pushed(broker, folder, tariff_of(n=2, **{"from": LATER}), timeout_s=1)
    assert found == {"held": [], "silent": [METER], "refused": {METER: ""}}
    with running_meter(broker, folder) as meter:
        assert until(lambda: meter.house.agent.account.pending, WAIT_S)


def wanted_in_vain(broker, folder):
    signer = signing.load(folder, signing.TARIFF_KID)
    wish = {"id": "plain", "n": 2, "group": "homes"}
    # Above the wants of the tests before, which the broker keeps.
    (folder / f"{METER}.want").write_text("100")
    return push.want(METER, wish, signer, broker.url, folder, 1)


def test_a_want_without_a_meter_is_kept_by_the_broker(broker, folder):
    before = time.monotonic()
    assert wanted_in_vain(broker, folder) == {"version": 101, "held": False}
    assert 0.9 < time.monotonic() - before < 4
    with Peer(broker.port, f"wl/1/demo/m/{METER}/want") as peer:
        assert until(lambda: peer.received)
        assert peer.received[0][2]  # retained


def test_a_correction_is_not_kept_by_the_broker(broker, folder):
    data = tariff_of(n=9, correct={"from": START, "until": LATER}, **{"from": START})
    document = push.Document(file_of(folder, data))
    assert document.is_correction
    token = document.signed(signing.load(folder, signing.TARIFF_KID))
    push.push(document, token, "others", [], broker.url, folder, 5)
    with Peer(broker.port, "wl/1/demo/g/others/tariff") as peer:
        assert not until(lambda: peer.received, 0.5)


def test_a_signed_file_is_pushed_as_it_is(folder):
    data = tariff_of(n=2)
    signer = signing.load(folder, signing.TARIFF_KID)
    path = folder.parent / "t.jws"
    path.write_bytes(signer.sign(data) + b"\n")
    document = push.Document(path)
    assert (document.id, document.n, document.leaf) == ("plain", 2, "tariff")
    assert document.signed(signer) == path.read_bytes().strip()


def test_wrong_files_are_told_with_their_place(folder):
    path = file_of(folder, tariff_of(n=2).replace(b'"flat"', b"5"))
    with pytest.raises(Exception, match=r"document.json:1:\d+: bands\[0\]"):
        push.Document(path)
    with pytest.raises(push.PushError, match="cannot be read"):
        push.Document(folder / "nothing")
    signer = signing.load(folder, signing.TARIFF_KID)
    path.write_bytes(signer.sign(b'{"v":1}'))
    with pytest.raises(push.PushError, match="what is signed is not taken"):
        push.Document(path)


def test_names_that_are_no_topics_are_refused(broker, folder):
    document = push.Document(file_of(folder, tariff_of(n=2)))
    for group in ("", "Homes", "a/b", "#", "a" * 33):
        with pytest.raises(push.PushError, match="must be 1 to 32 of a-z"):
            push.push(document, b"", group, [], broker.url, folder)


def test_versions_of_a_want_only_rise(folder):
    assert [push.next_version(folder, METER) for _ in range(3)] == [1, 2, 3]
    (folder / f"{METER}.want").write_text("many")
    with pytest.raises(KeysError, match="not a number; write the last version used into it"):
        push.next_version(folder, METER)


def test_no_broker_is_told_and_nothing_sent(folder):
    document = push.Document(file_of(folder, tariff_of(n=2)))
    with pytest.raises(BrokerError, match="nothing was sent"):
        push.push(document, b"x", "homes", [], "mqtt://127.0.0.1:9", folder, 0.5)
