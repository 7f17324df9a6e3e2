"""N4, N5, M2, M3: brokers that refuse, are none, are in a thief's hands, or send a megabyte."""

import concurrent.futures
import json
import socket

import pytest

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.host_sim.chaos.mqtt_faults import DOWN
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import House
from wattledger.tests.host.link_bench import OneAnswer
from wattledger.tests.host.mqtt_bench import Peer, running_broker, until
from wattledger.tests.host.wire_bench import Trial, connect, end

KINDS = ("paho", "own", "micropython")
CMD = "wl/1/demo/m/%s/" % jws.METER
CENT = 10_000  # micro-units
MEGABYTE = 1_000_000
REFUSALS = {"code %d" % code: b"\x20\x02\x00" + bytes([code]) for code in (1, 2, 3, 4, 5)}
ANSWERS = {
    **REFUSALS,
    "the end at once": b"",
    "a captive portal": b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
    "somebody who is no broker": b"SSH-2.0-OpenSSH_9.2\r\n",
}


def turned_away(kind, answer):
    """(attempts, up ever, its fault) of a link that gets this in answer to CONNECT."""
    with OneAnswer(answer, close=True) as server:
        link = connect(kind, server.port)
        try:
            until(lambda: server.connections >= 3)
            return server.connections, link.is_up() or link.session() > 0, link.fault
        finally:
            end(link)


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_that_refuses_or_is_none_is_tried_again_and_never_believed(kind):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = {name: pool.submit(turned_away, kind, text) for name, text in ANSWERS.items()}
        for name, job in jobs.items():
            attempts, was_up, fault = job.result()
            assert attempts >= 3, name
            assert not was_up, name
            assert fault, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_and_an_address_that_lead_nowhere(kind):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    link = connect(kind, closed)
    try:
        assert until(lambda: link.fault)
        assert not link.is_up()
    finally:
        end(link)


@pytest.mark.parametrize("kind", KINDS)
def test_a_megabyte_through_the_broker_is_dropped_and_costs_nothing(kind):
    with running_broker("mosquitto") as broker, Peer(broker.port) as peer:
        link = connect(kind, broker.port)
        try:
            link.subscribe("down/cmd")
            assert until(link.is_up)
            peer.publish("down/cmd", b"warm")
            assert until(link.receive)
            heap = getattr(link, "heap", None)
            before = heap() if kind == "micropython" else 0
            for count in (1, 2):
                peer.publish("down/cmd", b"[" * MEGABYTE)
                assert until(lambda count=count: link.dropped_long == count, 10)
            if kind == "micropython":
                assert heap() - before < 2_048
            peer.publish("down/cmd", b"after")
            assert until(link.receive) == ("down/cmd", b"after", False)
            assert link.session() == 1
        finally:
            end(link)


class Gated(House):
    gate_key = jws.GATE_SECRET


class Thief:
    """Has the broker: sees all, and delivers what it likes."""

    def __init__(self, trial):
        self.trial = trial
        self.agent = trial.meter.agent
        self.results = {}
        self._peer = Peer(trial.broker.port, CMD + "ack")
        self._peer.on_message = self._hear

    def _hear(self, topic, payload, retain):
        answer = json.loads(jws.unsign(payload))
        self.results.setdefault(answer["of"], []).append(answer["result"])

    def deliver(self, message, topic=CMD + "cmd", retain=False):
        self._peer.publish(topic, message, retain)

    def told(self, message):
        """The result of a command, once it is told."""
        of = jws.reference(message)
        assert until(lambda: of in self.results, 10), (message, self.trial.meter.link.fault)
        return self.results[of][-1]

    def renew(self):
        """A new connection of the meter's, and so a new challenge."""
        link = self.trial.meter.link
        before, challenge = link.session(), self.challenge()
        self.trial.proxy.finish()
        assert until(lambda: link.session() > before and link.is_up(), 10)
        assert until(lambda: self.challenge() != challenge, 10)

    def challenge(self):
        return self.agent.desk._challenge.now

    def balance(self):
        """Hundredths of the currency."""
        return self.agent.journal.balance // (CENT * 1000)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._peer.__exit__()


@pytest.fixture(params=("paho", "own"))
def thief(request, tmp_path):
    with (
        Trial(request.param, tmp_path, aware=True, house=Gated, keepalive_s=3) as trial,
        Thief(trial) as made,
    ):
        assert until(trial.is_up)
        yield made
        assert trial.missing(10) == 0
        assert trial.proves()
        assert trial.meter.problems == []


def test_a_stolen_broker_gets_nothing_out_of_a_meter(thief):
    trial, proxy, agent = thief.trial, thief.trial.proxy, thief.agent
    assert thief.balance() == 1_000
    # Everything twice to five times, and in another order: each purchase counts once.
    proxy.duplicate(DOWN, 4, "/cmd", 0.7)
    proxy.reorder(DOWN, 8, "/cmd", 0.7)
    sold = [jws.credit(n, CENT) for n in range(1, 13)]
    for message in sold:
        thief.deliver(message)
    for message in sold:
        thief.told(message)
    assert until(lambda: thief.balance() == 1_012)
    proxy.heal()
    # Cut short, or late in another connection.
    proxy.truncate(DOWN, 150, "/cmd")
    cut = jws.credit(13, 500 * CENT)
    thief.deliver(cut)
    assert thief.told(cut[:150]) == "bad signature"
    proxy.heal()
    # With the retain flag a command is dropped and reported, at each connect.
    opening, arming = jws.open_(thief.challenge(), 1), jws.arm(thief.challenge(), 2)
    thief.deliver(opening, retain=True)
    assert thief.told(opening) == "scheduled"  # the utility's own, to a meter that is there
    thief.deliver(arming)
    assert thief.told(arming) == "ok"
    for _ in range(3):
        refused = agent.desk.refused
        thief.renew()
        assert until(lambda refused=refused: agent.desk.refused > refused, 10)
    thief.deliver(b"", retain=True)
    # What was good once and is delivered now is not done again.
    thief.deliver(opening)
    assert until(lambda: thief.told(opening) == "stale", 10)
    for message in sold:
        thief.deliver(message)
    assert until(lambda: thief.told(sold[-1]) == "duplicate", 10)
    # On other topics nothing is a command.
    for topic in (CMD + "cmd/x", CMD + "CMD", CMD + "want", "wl/1/demo/m/demo-0002/cmd"):
        thief.deliver(jws.credit(14, 500 * CENT), topic)
    thief.deliver(jws.credit(15, CENT, meter="demo-0002"))
    assert thief.told(jws.credit(15, CENT, meter="demo-0002")) == "range"
    assert thief.balance() == 1_012
    assert trial.meter.house.relay.contact()
    credits = [entry.amount for entry in trial.meter.house.entries(records.CREDIT)]
    assert credits == [CENT * 1000] * 12
    trial.meter.agent.keeper.now()
    assert trial.meter.house.told(events.RETAINED_COMMAND)
    assert trial.meter.house.told(events.REMOTE_OPENED) == []


def test_commands_for_a_meter_that_is_away_are_not_kept_for_it(thief):
    trial = thief.trial
    trial.proxy.refuse()
    trial.proxy.finish()
    assert until(lambda: not trial.is_up())
    away = []
    for counter in (1, 3):
        away.append(jws.open_(thief.challenge(), counter))
        away.append(jws.arm(thief.challenge(), counter + 1))
    for message in away:
        thief.deliver(message)
    trial.proxy.heal()
    assert until(trial.is_up, 10)
    good = jws.credit(1, CENT)
    thief.deliver(good)
    assert thief.told(good) == "ok"
    assert list(thief.results) == [jws.reference(good)]
    assert thief.agent.control.remote is None


def test_a_broker_whose_acknowledgements_are_lost_is_left_and_nothing_is_lost(thief):
    trial = thief.trial
    trial.proxy.drop_pubacks(DOWN)
    sessions = trial.meter.link.session()
    assert until(lambda: trial.meter.link.session() > sessions, 12)  # after the keepalive of 3 s
    trial.proxy.heal()
    assert until(lambda: trial.meter.link.is_up(), 5)
