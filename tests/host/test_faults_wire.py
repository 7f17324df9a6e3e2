"""N2, N3 and the killed broker: whole meters on real brokers, on lines that misbehave.

All trials run side by side, since they mostly wait: together they take half a minute.
"""

import concurrent.futures
import random
import time
import types

import pytest

from wattledger.host_sim.chaos.proxy import ChaosProxy
from wattledger.tests.host.mqtt_bench import Peer, until
from wattledger.tests.host.wire_bench import DEVICE, Broker, Trial, connect, end

KINDS = ("paho", "own", "micropython")
HOST_KINDS = ("paho", "own")
METERS = ("paho", "own", DEVICE)
KILLS = 20
HOLE_S = 25
KEEPALIVE_S = 1
NOTICED_S = 1.5 * KEEPALIVE_S + 5
PERIOD_S = 1  # of the ticks
SPOILT = ("pieces that vanish", "bits that flip")  # after such a time the line is good again
HALF_OPEN = ("idle", "sending", "receiving", "connecting", "again")
LINES = {
    "a thousand bytes a second": lambda proxy: proxy.rate(1_000),
    "five seconds there and back": lambda proxy: proxy.latency(2_500),
    "three pieces in ten stall": lambda proxy: proxy.stall(0.3, 400),
    "split at every byte": lambda proxy: proxy.split(1),
    "split and stalled": lambda proxy: (proxy.split(40), proxy.stall(0.05, 200)),
    "slow and late": lambda proxy: (proxy.rate(3_000), proxy.latency(500)),
    "pieces that vanish": lambda proxy: proxy.drop(0.05),
    "bits that flip": lambda proxy: proxy.flip(0.001),
}


def judged(trial, timeout_s=20):
    """What a trial has shown, once nothing new is written."""
    missing = trial.missing(timeout_s)
    return types.SimpleNamespace(
        written=trial.meter.written,
        missing=missing,
        proves=trial.proves(),
        worst_gap_s=trial.meter.worst_gap_s(),
        sessions=trial.meter.sessions(),
        problems=trial.meter.problems,
        lines=trial.lines,
    )


def killed(kind, folder):
    """The broker is killed and started again twenty times under twenty entries a second."""
    draw = random.Random(kind)
    with Trial(kind, folder, lined=False) as trial:
        assert until(trial.is_up)
        trial.meter.busy = True
        for _ in range(KILLS):
            time.sleep(draw.uniform(0.1, 0.4))
            trial.broker.kill()
            time.sleep(draw.uniform(0, 0.2))
            trial.broker.start()
            assert until(trial.is_up, 10)
        return judged(trial)


def swallowed(kind, folder):
    """The line is a black hole for 25 s: it stays open, and nothing passes."""
    with Trial(kind, folder) as trial:
        assert until(trial.is_up)
        trial.meter.busy = True
        time.sleep(0.5)
        trial.proxy.freeze()
        time.sleep(HOLE_S)
        trial.proxy.thaw()
        return judged(trial)


def endured(kind, folder, line):
    """Six seconds on a bad line, an entry each second, then until it is through."""
    with Trial(kind, folder, rate=1) as trial:
        LINES[line](trial.proxy)
        trial.meter.busy = True
        trial.proxy.reset()  # the connection begins on the bad line too
        time.sleep(6)
        if line in SPOILT:
            trial.proxy.heal()
        return judged(trial, 40)


def half_open(kind, broker, case):
    """Seconds until the link says that it is down, once the line is dead; then it comes back."""
    found = []
    with ChaosProxy(broker.port) as proxy:
        if case == "connecting":
            proxy.freeze()
        link = connect(kind, proxy.port, "%s-%s" % (kind, case), keepalive_s=KEEPALIVE_S)
        try:
            topic = "%s/%s" % (kind, case)
            link.subscribe(topic)
            if case == "connecting":
                time.sleep(1)
                assert not link.is_up()
                proxy.thaw()
            assert until(link.is_up, 10)
            for _ in range(3 if case == "again" else 1):
                proxy.freeze()
                began = time.monotonic()
                if case == "receiving":
                    with Peer(broker.port) as peer:
                        peer.publish(topic, b"lost with the session")
                assert until(lambda: is_down(link, case, topic), 15)
                found.append(time.monotonic() - began)
                proxy.thaw()
                assert until(link.is_up, 10)
            with Peer(broker.port) as peer:
                assert until(lambda: [peer.publish(topic, b"now"), link.receive()][1], 5)
        finally:
            end(link)
    return max(found)


def is_down(link, case, topic):
    if case == "sending":
        link.send(topic + "/up", b"busy", False)
    return not link.is_up()


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """{name: its result, or what it raised}."""
    folder = tmp_path_factory.mktemp("trials")
    broker = Broker(folder)
    assert until(broker.answers)
    with concurrent.futures.ThreadPoolExecutor(max_workers=64) as pool:
        jobs = {}
        for kind in METERS:
            place = folder / kind
            jobs["killed", kind] = pool.submit(killed, kind, place / "killed")
            jobs["swallowed", kind] = pool.submit(swallowed, kind, place / "swallowed")
        for kind in KINDS:
            for case in HALF_OPEN:
                jobs[case, kind] = pool.submit(half_open, kind, broker, case)
        for kind in HOST_KINDS:
            for line in LINES:
                place = folder / kind / line.replace(" ", "-")
                jobs[line, kind] = pool.submit(endured, kind, place, line)
        done = {name: job.exception() or job.result() for name, job in jobs.items()}
    broker.kill()
    return done


def result(trials, name, kind):
    found = trials[name, kind]
    if isinstance(found, BaseException):
        raise found
    return found


def assert_whole(found):
    """All that was written is there, in order, and the chain ends where the meter's does."""
    assert found.missing == 0, found
    assert found.proves
    assert found.problems == []


@pytest.mark.parametrize("kind", METERS)
def test_a_broker_killed_twenty_times_loses_no_entry_and_no_order(trials, kind):
    found = result(trials, "killed", kind)
    assert_whole(found)
    assert found.written > 100
    assert found.sessions > KILLS  # each kill was felt
    assert found.worst_gap_s < 1.5 * PERIOD_S
    print(found)


@pytest.mark.parametrize("kind", METERS)
def test_a_black_hole_of_25_seconds_loses_no_entry(trials, kind):
    found = result(trials, "swallowed", kind)
    assert_whole(found)
    assert found.written > 400
    assert found.worst_gap_s < 1.5 * PERIOD_S
    print(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", HALF_OPEN)
def test_a_dead_line_is_noticed_in_time_and_the_link_comes_back(trials, kind, case):
    took = result(trials, case, kind)
    print("%.1f s" % took)
    assert took <= NOTICED_S


@pytest.mark.parametrize("kind", HOST_KINDS)
@pytest.mark.parametrize("line", LINES)
def test_a_bad_line_delays_messages_and_never_the_tick(trials, kind, line):
    found = result(trials, line, kind)
    print(found)
    assert_whole(found)
    assert found.written >= 5
    assert found.worst_gap_s < 1.5 * PERIOD_S
