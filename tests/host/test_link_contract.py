"""What every link promises, on real brokers and on a network and a broker that misbehave."""

import inspect
import os
import time

import pytest

from wattledger.hal.network.link_paho_linux import PahoLink
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.tests.host.link_bench import CONNACK, KINDS, Mosquitto, OneAnswer, new_link
from wattledger.tests.host.mqtt_bench import Peer, Proxy, running_broker, until

__all__ = ["new_link"]


EACH = pytest.mark.parametrize(
    ("new_link", "broker"),
    [("paho", "iotcore"), *((kind, "mosquitto") for kind in KINDS)],
    indirect=True,
)


def running(kind, folder, port=None):
    if kind == "mosquitto":
        return Mosquitto(folder, "allow_anonymous true", port=port)
    return running_broker(kind, port)


@pytest.fixture
def broker(request, tmp_path):
    kind = getattr(request, "param", "mosquitto")
    with running(kind, tmp_path) as process:
        process.again = lambda: running(kind, tmp_path, process.port)
        yield process


def take(link, count):
    """The next `count` messages received."""
    got = []

    def enough():
        message = link.receive()
        if message is not None:
            got.append(message)
        return len(got) >= count

    until(enough)
    return got


@EACH
def test_message_arrives_and_is_sent_once_the_broker_has_it(broker, new_link):
    link = new_link(broker.port)
    assert until(link.is_up)
    assert link.session() == 1
    with Peer(broker.port, "up/#") as peer:
        token = link.send("up/journal", b"\x00\xff entry", False)
        assert token > 0
        assert until(lambda: link.sent(token))
        assert until(lambda: peer.received) == [("up/journal", b"\x00\xff entry", False)]
        assert not link.sent(token + 1)
        assert not link.sent(0)


@EACH
def test_retain_flag_is_visible(broker, new_link):
    link = new_link(broker.port)
    with Peer(broker.port) as peer:
        peer.publish("down/want", b"old", retain=True)
        link.subscribe("down/#")
        assert take(link, 1) == [("down/want", b"old", True)]
        peer.publish("down/cmd", b"new")
        assert take(link, 1) == [("down/cmd", b"new", False)]


@EACH
def test_retained_message_of_ours_stays(broker, new_link):
    link = new_link(broker.port)
    assert until(link.is_up)
    token = link.send("up/state", b"1", True)
    assert until(lambda: link.sent(token))
    with Peer(broker.port, "up/state") as peer:
        assert until(lambda: peer.received) == [("up/state", b"1", True)]


@EACH
def test_broker_restart_brings_subscriptions_back_and_sends_nothing_old(broker, new_link):
    with Proxy(broker.port) as proxy:
        link = new_link(proxy.port)
        link.subscribe("down/cmd")
        assert until(link.is_up)
        proxy.freeze()
        old = [link.send("up/%d" % n, b"old", True) for n in range(5)]
        assert all(old)
        broker.stop()
        proxy.thaw()
        assert until(lambda: not link.is_up())
        assert link.send("up/late", b"old", True) == 0
        assert not any(link.sent(token) for token in old)
        with broker.again():
            assert until(lambda: link.is_up() and link.session() == 2)
            fresh = link.send("up/fresh", b"new", True)
            assert fresh > max(old)
            assert until(lambda: link.sent(fresh))
            assert not any(link.sent(token) for token in old)
            with Peer(broker.port, "up/#") as peer:
                assert until(lambda: peer.received)
                peer.publish("down/cmd", b"command")
                assert take(link, 1) == [("down/cmd", b"command", False)]
                assert peer.received == [("up/fresh", b"new", True)]


@EACH
def test_unacknowledged_message_is_not_sent_again_to_the_same_broker(broker, new_link):
    with Proxy(broker.port) as proxy, Peer(broker.port, "up/#") as peer:
        link = new_link(proxy.port)
        assert until(link.is_up)
        proxy.freeze()
        assert link.send("up/journal", b"old", False) > 0
        proxy.cut()
        assert until(lambda: not link.is_up())
        proxy.thaw()
        assert until(link.is_up)
        assert link.session() == 2
        token = link.send("up/journal", b"new", False)
        assert until(lambda: link.sent(token))
        assert until(lambda: peer.received)
        assert peer.received == [("up/journal", b"new", False)]


def test_silent_peer_is_noticed_by_keepalive(broker, new_link):
    with Proxy(broker.port) as proxy:
        link = new_link(proxy.port, keepalive_s=1)
        assert until(link.is_up)
        proxy.freeze()
        began = time.monotonic()
        assert until(lambda: not link.is_up(), 6)
        assert time.monotonic() - began < 5  # a ping after 1 s, its answer missed 1 s later
        assert "lost" in link.fault


def test_broker_that_answers_pings_but_acknowledges_nothing_is_noticed(new_link):
    with OneAnswer(CONNACK, pings=True) as server:
        link = new_link(server.port, keepalive_s=1)
        assert until(link.is_up)
        link.send("up/state", b"busy", False)
        assert until(lambda: not link.is_up(), 20)
        assert "stopped acknowledging" in link.fault
        assert until(lambda: link.session() == 2)


def subscribed(link, peer):
    """Wait until the broker has the subscription too: it accepts a client before that."""

    def hears():
        peer.publish("down/cmd", b"?")
        return until(link.receive, 1)

    assert until(hears, 20)
    while until(link.receive, 0.5):
        pass


def test_receive_queue_keeps_the_oldest_and_counts_the_rest(broker, new_link):
    link = new_link(broker.port, receive_limit=4)
    link.subscribe("down/cmd")
    assert until(link.is_up)
    with Peer(broker.port) as peer:
        subscribed(link, peer)
        for n in range(10):
            peer.publish("down/cmd", b"%d" % n)
        assert until(lambda: link.dropped_full == 6, 20)
        assert [data for _, data, _ in take(link, 4)] == [b"0", b"1", b"2", b"3"]
        assert link.receive() is None
        peer.publish("down/cmd", b"after")
        assert take(link, 1) == [("down/cmd", b"after", False)]
    assert link.is_up()


def test_over_long_message_is_dropped_and_counted(broker, new_link):
    link = new_link(broker.port)
    link.subscribe("down/cmd")
    assert until(link.is_up)
    with Peer(broker.port) as peer:
        subscribed(link, peer)
        peer.publish("down/cmd", b"x" * 9217)
        peer.publish("down/cmd", b"y" * 9216)
    assert take(link, 1) == [("down/cmd", b"y" * 9216, False)]
    assert link.dropped_long == 1
    assert link.is_up()


def test_send_queue_is_bounded(broker, new_link):
    with Proxy(broker.port) as proxy:
        link = new_link(proxy.port, send_limit=3)
        assert until(link.is_up)
        proxy.freeze()
        tokens = [link.send("up/journal", b"entry", False) for _ in range(5)]
        assert tokens == [1, 2, 3, 0, 0]
        proxy.thaw()
        assert until(lambda: link.sent(3))
        assert [link.sent(token) for token in (1, 2, 3, 4)] == [True, True, True, False]
        assert link.send("up/journal", b"entry", False) == 4


@EACH
def test_will_is_left_by_a_cut_but_not_by_a_close(broker, new_link):
    with Proxy(broker.port) as proxy, Peer(broker.port, "up/status") as peer:
        link = new_link(proxy.port, will_topic="up/status", will_payload=b"offline")
        assert until(link.is_up)
        proxy.cut()
        assert until(lambda: peer.received) == [("up/status", b"offline", False)]
        assert until(lambda: link.session() == 2)
        token = link.send("up/status", b"closing", True)
        link.close()
        assert until(lambda: len(peer.received) == 2)
        assert peer.received[1] == ("up/status", b"closing", False)
        assert not link.is_up()
        assert not link.sent(token)
        assert link.send("up/status", b"gone", True) == 0
        time.sleep(0.1)
        assert len(peer.received) == 2


def test_unreachable_broker_is_tried_until_it_is_there(broker, new_link):
    broker.stop()
    link = new_link(broker.port)
    link.subscribe("down/cmd")
    assert until(lambda: "refused" in link.fault.lower())
    assert (link.is_up(), link.session(), link.receive()) == (False, 0, None)
    assert link.send("up/state", b"", True) == 0
    with broker.again():
        assert until(link.is_up)
        assert link.session() == 1


@pytest.mark.parametrize("host", ["no-such-host.invalid", "..", "x" * 300])
def test_name_that_does_not_resolve_is_a_link_that_is_down(host, new_link):
    link = new_link(1883, host=host)
    assert until(lambda: link.fault)
    assert link.fault.startswith(host)
    assert not link.is_up()
    began = time.monotonic()
    link.close()
    assert time.monotonic() - began < 2


def test_refusal_by_the_broker_is_told(new_link):
    with OneAnswer(b"\x20\x02\x00\x05") as server:
        link = new_link(server.port)
        assert until(lambda: link.fault)
        assert "refuses this client: Not authorized" in link.fault
        assert until(lambda: server.connections >= 2)
        assert link.session() == 0


def test_topic_that_is_no_text_is_dropped_and_the_link_stays(new_link):
    wrong = b"\x30\x04\x00\x01\xff!"
    right = b"\x30\x04\x00\x01t!"
    with OneAnswer(CONNACK + wrong + right) as server:
        link = new_link(server.port)
        assert take(link, 1) == [("t", b"!", False)]
        assert link.dropped_bad == 1
        assert link.is_up()


def test_malformed_packets_end_in_a_new_session(new_link):
    with OneAnswer(CONNACK + b"\x30\xff\xff\xff\xff\xff") as server:
        link = new_link(server.port)
        assert until(lambda: link.session() >= 3)
        assert server.connections >= 3


def test_lost_sessions_leave_no_files_open(new_link):
    with OneAnswer(CONNACK, close=True) as server:
        link = new_link(server.port, backoff_s=(0.001, 0.002))
        assert until(lambda: link.session() >= 5)
        before = len(os.listdir("/proc/%s/fd" % getattr(link, "pid", "self")))
        assert until(lambda: link.session() >= 40)
        assert len(os.listdir("/proc/%s/fd" % getattr(link, "pid", "self"))) <= before + 4


def test_close_does_not_wait_for_a_peer_that_does_not_read(broker, new_link):
    with Proxy(broker.port) as proxy:
        link = new_link(proxy.port)
        assert until(link.is_up)
        proxy.freeze()
        while link.send("up/state", b"z" * 9000, True):
            pass
        began = time.monotonic()
        link.close(0.5)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", [PahoLink, MqttLink])
def test_attempts_may_grow_as_rare_as_a_quarter_of_an_hour(kind):
    # tests/host/test_faults_fleet.py shows what these two do for a fleet.
    assert inspect.signature(kind).parameters["backoff_s"].default == (75, 900)


@pytest.mark.parametrize("new_link", ["micropython"], indirect=True)
def test_the_heap_comes_back_after_a_hundred_lost_sessions(new_link):
    with OneAnswer(CONNACK + b"\x30\x05\x00\x01t!!!", close=True) as server:
        link = new_link(server.port, backoff_s=(0.001, 0.002))
        link.subscribe("t")
        assert until(lambda: link.session() >= 5)
        before = link.heap()
        assert until(lambda: (link.receive(), link.session())[1] >= 105, 15)
        while link.receive() is not None:
            pass
        assert abs(link.heap() - before) < 2048
