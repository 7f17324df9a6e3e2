"""The application of an ESP32 at work, out of its slot in the built image: its trial, its page."""

import gzip
import http.client
import json
import socket

import pytest

from wattledger.tests.host import flash_bench
from wattledger.tests.host.mqtt_bench import until

# They share what takes long to make.
pytestmark = pytest.mark.xdist_group("flash_image")

PROVEN, REVERTED, STARTED = 87, 88, 98  # events
NAME = "wattledger.local"


def test_an_application_proves_itself_by_a_minute_of_good_readings():
    found = flash_bench.run("tried(%(slot)r, False)")
    assert found["proven"] and found["failed"] == 0
    assert found["floor"] == 7  # in the NVS, which a lost file system leaves
    assert found["events"] == [[STARTED, 7], [PROVEN, 7]]
    assert found["operations"] == 0


def test_one_that_does_not_is_left_after_its_ten_minutes():
    found = flash_bench.run("tried(%(slot)r, True)")
    assert (found["sequence"], found["failed"]) == (1, 7)  # the one before
    assert found["floor"] == 1
    assert 600 <= found["took_s"] <= 660
    assert found["events"] == [[STARTED, 7]]  # the next start tells that it failed
    assert found["operations"] == 0


@pytest.fixture(scope="module")
def door():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with flash_bench.running(f"served(%(slot)r, {port})") as process:

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        assert until(lambda: process.poll() is not None or listens(), 60)
        assert process.poll() is None, process.stdout.read()[-3000:]
        yield port


def asked(port, path, host=NAME, method="GET", body=None):
    """(status, body) of a request by a name."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        line.request(method, path, body, {"Host": host})
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def test_its_page_is_served_between_the_ticks(door):
    status, page = asked(door, "/")
    assert status == 200 and b"<html" in gzip.decompress(page)
    status, page = asked(door, "/plain")
    assert status == 200 and b'<p class="big">2.30 kW</p>' in page
    _, first = asked(door, "/view")
    view = json.loads(first)
    assert view["meter"] == "esp-0001"
    assert view["power_mw"] == 2_300_000

    # 2300 W are a watt-hour in 1.6 s: the meter goes on while it is asked.
    assert until(lambda: json.loads(asked(door, "/view")[1])["import_wh"] > view["import_wh"], 20)


def test_it_answers_to_its_name_and_address_alone_and_acts_for_nobody_without_a_pin(door):
    assert asked(door, "/view", "192.0.2.7")[0] == 200  # what the network gave
    assert asked(door, "/view", "evil.example")[0] == 403
    line = http.client.HTTPConnection("127.0.0.1", door, timeout=20)
    origin = {"Host": NAME, "Origin": "http://" + NAME, "X-Wattledger": "1"}
    line.request("POST", "/press", headers=origin)
    assert line.getresponse().status == 401
    line.close()
