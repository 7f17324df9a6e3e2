"""Two ports, one contract: the world in the same process and the world behind the bridge."""

import os
import threading

import pytest

from wattledger.hal.bus.bridge import Bridge
from wattledger.hal.errors import BusError
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.errors import PowerLost
from wattledger.host_sim.load import Household
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.network import Network
from wattledger.host_sim.port import LocalPort
from wattledger.host_sim.port_server import PortServer
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.times import TimeSource
from wattledger.host_sim.world import World

START = 1_799_704_800
METER_EN = 0x00  # of the ATM90E32: 0 after a reset


class Wire:
    """Source and sink of a bridge whose server answers on the spot."""

    def __init__(self, server):
        self._server = server
        self._left = b""

    def write(self, data):
        self._left += bytes(self._server.answer(bytes(data)))

    def readinto(self, buffer):
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


class Surroundings:
    def __init__(self):
        self.chip = Atm90e32()
        self.relay = LatchingRelay()
        self.world = World(START * 1000, self.chip, Household(1), Mains(1), self.relay)
        self.network = Network()
        self.times = TimeSource()
        self.local = LocalPort(self.world, self.network, self.times, SeededEntropy(1))


@pytest.fixture
def around():
    return Surroundings()


@pytest.fixture(params=["local", "bridge"])
def port(request, around):
    return around.local if request.param == "local" else bridge_to(around.local)


def bridge_to(local):
    wire = Wire(PortServer(local))
    return Bridge(wire, wire)


def test_time_is_the_worlds(port, around):
    assert port.start() == START * 1000
    assert port.advance(1000) == START * 1000 + 1000
    assert port.advance(20, True) == around.world.time_ms == START * 1000 + 1020


def test_a_boot_asks_for_the_time_and_takes_it_once(port, around):
    port.start()
    assert port.offer_waits
    assert port.take_offer() == START
    assert not port.offer_waits
    port.advance(1000)
    assert not port.offer_waits
    port.start()  # another boot
    assert port.offer_waits and port.take_offer() == START + 1


def test_a_silent_source_offers_nothing(port, around):
    around.times.online = False
    port.start()
    assert not port.offer_waits
    assert port.take_offer() == 0


def test_a_source_before_1970_offers_nothing(port, around):
    around.times.offset_s = -2 * START
    port.start()
    assert port.take_offer() == 0


def test_a_boot_is_a_new_session_without_old_messages(port, around):
    around.network.connect()
    around.network.deliver("cmd", b"old")
    session = around.network.session
    port.start()
    assert port.link_up and port.link_session == session + 1
    assert not port.message_waits


def test_a_boot_without_a_network_stays_without(port, around):
    port.start()
    assert (port.link_up, port.link_session) == (False, 0)
    assert port.send("state", b"1", True) == 0


def test_what_waits_is_known_after_each_advance(port, around):
    port.start()
    around.network.connect()
    around.network.deliver("cmd", b"1")
    around.world.button = True
    assert (port.link_up, port.message_waits, port.button) == (False, False, False)
    port.advance(1)
    assert (port.link_up, port.message_waits, port.button) == (True, True, True)
    around.network.disconnect()
    around.world.button = False
    port.advance(1)
    assert (port.link_up, port.message_waits, port.button) == (False, False, False)


@pytest.mark.parametrize("length", [0, 1, 12, 13, 14, 300, 9000])
def test_messages_go_both_ways_unchanged(port, around, length):
    around.network.connect()
    data = bytes(index * 7 % 256 for index in range(length))
    topic = "wl/1/demo/m/demo-0001/cmd"
    token = port.send(topic, data, True)
    assert token == 1 and around.network.log == [(topic, data, True)]
    assert port.send("b", b"", False) == 2
    assert port.sent(1) and port.sent(2) and not port.sent(3)
    around.network.deliver(topic, data, True)
    around.network.deliver("s", b"second")
    port.advance(1)
    assert port.receive() == (topic, data, True)
    assert port.receive() == ("s", b"second", False)
    assert port.message_waits
    assert port.receive() is None
    assert not port.message_waits


def test_a_session_that_ends_forgets_what_was_sent(port, around):
    around.network.connect()
    token = port.send("a", b"1", False)
    around.network.connect()
    assert not port.sent(token)


def test_random_bytes_are_drawn_from_one_sequence(around):
    """What is drawn over the bridge goes on where the local port stopped, and the reverse."""
    first, second, third = bytearray(8), bytearray(40), bytearray(8)
    around.local.fill(first)
    bridge_to(around.local).fill(second)
    around.local.fill(third)
    expected = bytearray(56)
    SeededEntropy(1).fill(expected)
    assert first + second + third == expected


def test_the_relay_and_its_contact(port, around):
    assert port.contact() is True
    port.move(False)
    assert (port.contact(), around.relay.operations) == (False, 1)
    port.move(True)
    assert (port.contact(), around.relay.operations) == (True, 2)
    around.relay.contact = lambda: None
    assert port.contact() is None


def test_a_transfer_reaches_the_chip(port, around):
    into = bytearray(4)
    port.transfer(bytes([0x80, METER_EN, 0, 0]), into)
    assert into == bytes(4)
    around.chip.silent = True
    port.transfer(bytes([0x80, METER_EN, 0, 0]), into)
    assert into == b"\xff" * 4


def test_truth_is_the_worlds_energy(port, around):
    assert port.truth() == (0, 0)
    port.advance(3_600_000)
    imported, exported = port.truth()
    assert imported == around.world.import_mws > 40 * 3_600_000  # standby alone is over 40 W
    assert exported == 0


def test_the_meter_tells_when_it_is_asked_and_the_time_has_come(port, around):
    port.start()
    around.local.ask_at(START * 1000 + 2000)
    port.advance(1000)
    assert not port.asks
    port.advance(1000)
    assert port.asks
    port.tell(-(1 << 40), 1 << 33, 5)
    assert around.local.told == (-(1 << 40), 1 << 33, 5)
    port.advance(1000)
    assert not port.asks
    around.local.ask_at(0)
    port.advance(1000)
    assert not port.asks and around.local.told is None


def test_visitors_are_heard_one_after_the_other(port, around):
    port.start()
    assert not port.visitor_waits and port.visit() is None
    around.local.send_visitor("document", bytes(range(256)) * 15)
    around.local.send_visitor("accept")
    port.advance(1000)
    assert port.visitor_waits
    assert port.visit() == ("document", bytes(range(256)) * 15, False)
    assert port.visit() == ("accept", b"", False)
    assert port.visitor_waits  # until nobody answers
    assert port.visit() is None and not port.visitor_waits
    port.advance(1000)
    assert not port.visitor_waits


@pytest.mark.parametrize(
    ("permille", "arrive"), [(-300, 0), (0, 0), (500, 50), (999, 100), (1000, 101), (1300, 101)]
)
def test_the_power_goes_within_the_write_that_was_named(port, around, permille, arrive):
    port.start()
    assert not port.watches_writes
    around.local.cut_at_write(3, permille)
    port.advance(1000)
    assert port.watches_writes
    assert [port.writing(101) for _ in range(3)] == [-1, -1, arrive]
    with pytest.raises(PowerLost):
        port.lose_power()
    port.start()
    assert not port.watches_writes


def test_a_cut_within_a_write_can_be_called_off(port, around):
    port.start()
    around.local.cut_at_write(1)
    around.local.cut_at_write(0)
    port.advance(1000)
    assert not port.watches_writes


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x63",  # no such operation
        b"\x01\x0f",  # fifteen bytes of SPI
        b"\x03\x02",  # neither open nor close
        b"\x07\x00\x00",  # a message of nothing
        b"\x07\x00\x02\0\0\0" + b"\0" * 10 + b"\x05a",  # a topic longer than its message
        b"\x0a\x10",  # sixteen random bytes
    ],
)
def test_what_makes_no_sense_is_refused(around, request_bytes):
    padded = request_bytes + b"\0" * (-len(request_bytes) % 16)
    before = around.world.state()
    reply = PortServer(around.local).answer(padded)
    assert reply[0] == 1 and len(reply) == 16
    assert around.world.state() == before and not around.network.log


def test_a_refusal_is_a_bus_error_at_the_meter(around):
    bridge = bridge_to(around.local)
    with pytest.raises(BusError):
        bridge._ask(99)
    assert bridge.contact() is True


class Pipes:
    """A meter in a thread, at the other end of two pipes."""

    def __init__(self, local, meter):
        theirs, self._mine = os.pipe()
        mine, self._theirs = os.pipe()
        self.server = PortServer(local, mine, self._mine)
        self._source = os.fdopen(theirs, "rb", 0)
        self._sink = os.fdopen(self._theirs, "wb", 0)
        self.done = []
        self._thread = threading.Thread(target=self._run, args=(meter,))
        self._thread.start()
        self._mine_in = mine

    def _run(self, meter):
        meter(Bridge(self._source, self._sink), self.done)
        self._sink.close()

    def close(self):
        os.close(self._mine)
        self._thread.join(10)
        self._source.close()
        os.close(self._mine_in)
        assert not self._thread.is_alive()


def turns(bridge, done):
    """A meter that makes turns of a second, with a wait in each, until it is told to stop."""
    bridge.start()
    while True:
        bridge.advance(1000)
        if bridge.stopping:
            bridge.send("status", b"offline" * 1000, True)
            return
        done.append(bridge.advance(20, True))


def test_the_world_stands_still_between_two_turns_only(around):
    pipes = Pipes(around.local, turns)
    pipes.server.serve(0)
    assert (pipes.done, around.world.time_ms) == ([], START * 1000)
    pipes.server.serve(START * 1000 + 1500)
    # Two turns of 1020 ms; the wait within the second lies after 1500 ms and was not held.
    assert pipes.done == [START * 1000 + 1020, START * 1000 + 2040]
    pipes.server.serve(START * 1000 + 2040)
    assert len(pipes.done) == 2
    around.network.connect()
    pipes.server.end()
    assert around.network.log == [("status", b"offline" * 1000, True)]
    assert around.world.time_ms == START * 1000 + 2040
    pipes.close()


def test_a_meter_that_ends_by_itself_is_told(around):
    pipes = Pipes(around.local, lambda bridge, done: bridge.start())
    with pytest.raises(EOFError):
        pipes.server.serve(START * 1000 + 1000)
    pipes.close()
