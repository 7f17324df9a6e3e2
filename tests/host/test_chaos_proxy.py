"""Each fault of the chaos proxy does what it says, to bytes and to messages."""

import errno
import socket
import threading
import time

import pytest

from wattledger.host_sim.chaos import mqtt_packets as mqtt
from wattledger.host_sim.chaos.mqtt_faults import DOWN, UP
from wattledger.host_sim.chaos.proxy import ChaosProxy

HOST = "127.0.0.1"
CONNACK = b"\x20\x02\x00\x00"


class Peers:
    """A server behind a proxy: `near` is the client's socket, `far` the server's."""

    def __init__(self, **options):
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(5)
        self.proxy = ChaosProxy(self._listener.getsockname()[1], **options)
        self.near, self.far = self.connect()

    def connect(self):
        near = socket.create_connection((HOST, self.proxy.port), 5)
        far, _ = self._listener.accept()
        far.settimeout(5)
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return near, far

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.close()
        for sock in (self.near, self.far, self._listener):
            sock.close()


@pytest.fixture
def peers():
    with Peers() as made:
        yield made


@pytest.fixture
def broker():
    with Peers(aware=True) as made:
        yield made


def read(sock, count):
    """Exactly `count` bytes."""
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        assert part, "the end after %r" % data
        data += part
    return data


def is_quiet(sock, seconds=0.15):
    sock.settimeout(seconds)
    try:
        data = sock.recv(100)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)
    raise AssertionError("%r came" % data)


def publish(number, payload, topic=b"t", flags=0):
    """A PUBLISH at QoS 1, by hand."""
    body = len(topic).to_bytes(2, "big") + topic + number.to_bytes(2, "big") + payload
    assert len(body) < 128
    return bytes([0x32 | flags, len(body)]) + body


def puback(number):
    return b"\x40\x02" + number.to_bytes(2, "big")


# --- bytes ---


def test_a_good_line_carries_bytes_both_ways_and_the_end(peers):
    peers.near.sendall(b"up" * 50_000)
    assert read(peers.far, 100_000) == b"up" * 50_000
    peers.far.sendall(b"down")
    assert read(peers.near, 4) == b"down"
    peers.near.shutdown(socket.SHUT_WR)
    assert peers.far.recv(1) == b""
    peers.far.sendall(b"last words")
    assert read(peers.near, 10) == b"last words"
    peers.far.close()
    assert peers.near.recv(1) == b""


def test_latency_is_added_each_way_and_costs_no_throughput(peers):
    peers.proxy.latency(60)
    began = time.monotonic()
    peers.near.sendall(b"ping")
    read(peers.far, 4)
    assert time.monotonic() - began >= 0.06
    for _ in range(20):
        peers.far.sendall(b"pong")
        time.sleep(0.005)
    began = time.monotonic()
    read(peers.near, 80)
    assert time.monotonic() - began < 1  # 20 pieces one after another would take 1.2 s


def test_a_rate_limits_bytes_a_second(peers):
    peers.proxy.rate(20_000)
    began = time.monotonic()
    peers.near.sendall(b"x" * 5_000)
    read(peers.far, 5_000)
    assert time.monotonic() - began >= 0.24  # 5000 / 20000 s


def test_stalls_hold_what_follows_and_lose_nothing(peers):
    peers.proxy.stall(1, 100)
    began = time.monotonic()
    peers.near.sendall(b"one")
    assert read(peers.far, 3) == b"one"
    assert time.monotonic() - began >= 0.1


def test_dropped_pieces_vanish_and_the_connection_stays(peers):
    peers.proxy.drop(1)
    peers.near.sendall(b"gone")
    assert is_quiet(peers.far)
    peers.proxy.drop(0)
    peers.near.sendall(b"here")
    assert read(peers.far, 4) == b"here"


def test_every_byte_comes_in_a_piece_of_its_own(peers):
    peers.proxy.split(1)
    peers.proxy.stall(1, 20)
    peers.near.sendall(b"abc")
    found = [peers.far.recv(100) for _ in range(3)]
    assert found == [b"a", b"b", b"c"]


def test_flips_change_one_bit_of_a_byte_and_are_the_same_for_a_seed():
    found = []
    for _ in range(2):
        with Peers(seed=7) as peers:
            peers.proxy.flip(0.25)
            peers.near.sendall(bytes(1_000))
            found.append(read(peers.far, 1_000))
    assert found[0] == found[1]
    assert {byte.bit_count() for byte in found[0]} == {0, 1}
    assert 150 < sum(byte.bit_count() for byte in found[0]) < 350


def test_a_frozen_line_moves_nothing_tells_nobody_and_goes_on_when_thawed(peers):
    peers.proxy.freeze()
    peers.near.sendall(b"held")
    peers.far.sendall(b"back")
    assert is_quiet(peers.far)
    assert is_quiet(peers.near)
    assert peers.proxy.count() == 1
    peers.proxy.thaw()
    assert read(peers.far, 4) == b"held"
    assert read(peers.near, 4) == b"back"


def test_a_frozen_line_stops_reading(peers):
    peers.proxy.freeze()
    peers.near.settimeout(0.2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 50_000_000:
            sent += peers.near.send(bytes(100_000))
    assert is_quiet(peers.far)


def test_a_connection_to_a_frozen_line_hangs(peers):
    peers.proxy.freeze()
    with socket.create_connection((HOST, peers.proxy.port), 5) as second:
        second.sendall(b"hello")
        assert is_quiet(second)


def test_a_reset_ends_both_ends_at_once_with_rst(peers):
    peers.proxy.reset()
    for sock in (peers.near, peers.far):
        with pytest.raises(ConnectionResetError) as found:
            sock.recv(1)
        assert found.value.errno == errno.ECONNRESET
    assert peers.proxy.count() == 0


def test_a_finish_ends_both_ends_with_fin(peers):
    peers.proxy.finish()
    assert peers.near.recv(1) == peers.far.recv(1) == b""
    assert peers.proxy.count() == 0


def test_refused_connections_get_an_answer_that_is_none_and_the_end(peers):
    peers.proxy.refuse(b"HTTP/1.1 302 Found\r\n\r\n")
    with socket.create_connection((HOST, peers.proxy.port), 5) as sock:
        assert read(sock, 22).endswith(b"\r\n\r\n")
        assert sock.recv(1) == b""
    peers.proxy.refuse(None)
    near, far = peers.connect()
    near.sendall(b"x")
    assert read(far, 1) == b"x"
    near.close()
    far.close()


def test_a_server_that_is_away_ends_the_connection_and_comes_back():
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    with ChaosProxy(port) as proxy:
        with socket.create_connection((HOST, proxy.port), 5) as near:
            assert near.recv(1) == b""
        with socket.create_server((HOST, port)) as listener:
            with socket.create_connection((HOST, proxy.port), 5) as near:
                far, _ = listener.accept()
                near.sendall(b"x")
                assert read(far, 1) == b"x"
                far.close()


def test_healing_ends_every_fault_of_a_connection_that_is_there(peers):
    peers.proxy.latency(50_000)
    peers.proxy.drop(1)
    peers.proxy.split(1)
    peers.proxy.freeze()
    peers.proxy.heal()
    peers.near.sendall(b"well")
    assert read(peers.far, 4) == b"well"


# --- messages ---


def test_packets_are_found_however_the_stream_is_cut():
    packets = [CONNACK, publish(1, b"one"), mqtt.encode(0x30, bytes(300)), puback(1)]
    stream = b"".join(packets)
    assert packets[2][:3] == b"\x30\xac\x02"  # 300 = 0x2c + 2 x 128, low seven bits first
    for size in (1, 2, 3, 7, len(stream)):
        splitter = mqtt.Splitter()
        found = []
        for at in range(0, len(stream), size):
            found += splitter.take(stream[at : at + size])
        assert found == packets
        assert splitter.rest() == b""


def test_a_stream_that_is_no_mqtt_passes_as_it_is(broker):
    broker.near.sendall(b"\x30\xff\xff\xff\xff\xffrest")
    assert read(broker.far, 10) == b"\x30\xff\xff\xff\xff\xffrest"
    broker.near.sendall(b"more")
    assert read(broker.far, 4) == b"more"


def test_half_a_packet_before_the_end_arrives(broker):
    broker.near.sendall(publish(1, b"whole")[:6])
    broker.near.shutdown(socket.SHUT_WR)
    assert read(broker.far, 6) == publish(1, b"whole")[:6]


def test_a_message_comes_again_with_dup_and_its_surplus_acknowledgement_is_swallowed(broker):
    broker.proxy.duplicate(DOWN, copies=2)
    broker.far.sendall(publish(5, b"cmd"))
    again = publish(5, b"cmd", flags=0x08)
    assert read(broker.near, 3 * len(again)) == publish(5, b"cmd") + again + again
    for _ in range(3):
        broker.near.sendall(puback(5))
    broker.near.sendall(puback(6))
    assert read(broker.far, 8) == puback(5) + puback(6)
    assert broker.proxy.done == {"duplicate": 1}


def test_a_window_of_messages_comes_in_another_order_and_whole(broker):
    broker.proxy.reorder(UP, 8)
    sent = [publish(number, b"%d" % number) for number in range(8)]
    broker.near.sendall(b"".join(sent))
    stream = read(broker.far, len(b"".join(sent)))
    found = mqtt.Splitter().take(stream)
    assert found != sent
    assert sorted(found) == sorted(sent)


def test_a_window_that_does_not_fill_is_let_go(broker):
    broker.proxy.reorder(UP, 8)
    broker.near.sendall(publish(1, b"alone"))
    assert read(broker.far, len(publish(1, b"alone"))) == publish(1, b"alone")


def test_a_delayed_message_lets_others_pass(broker):
    broker.proxy.delay(DOWN, 80, topic="late")
    late, soon = publish(1, b"1", b"x/late"), publish(2, b"2", b"x/soon")
    began = time.monotonic()
    broker.far.sendall(late + soon)
    assert read(broker.near, len(soon)) == soon
    assert read(broker.near, len(late)) == late
    assert time.monotonic() - began >= 0.08


def test_a_truncated_message_is_a_well_formed_packet(broker):
    broker.proxy.truncate(DOWN, 3)
    broker.far.sendall(publish(9, b"payload"))
    assert read(broker.near, len(publish(9, b"pay"))) == publish(9, b"pay")


def test_the_retain_flag_is_set(broker):
    broker.proxy.retain(DOWN, topic="cmd")
    broker.far.sendall(publish(1, b"1", b"m/cmd") + publish(2, b"2", b"m/want"))
    expected = publish(1, b"1", b"m/cmd", flags=1) + publish(2, b"2", b"m/want")
    assert read(broker.near, len(expected)) == expected


def test_a_lost_message_and_a_lost_puback_are_gone(broker):
    broker.proxy.lose(DOWN, topic="cmd")
    broker.proxy.drop_pubacks(DOWN)
    broker.far.sendall(publish(1, b"1", b"m/cmd") + puback(3) + publish(2, b"2", b"m/want"))
    expected = publish(2, b"2", b"m/want")
    assert read(broker.near, len(expected)) == expected
    assert broker.proxy.done == {"lose": 1, "puback": 1}


def test_a_share_is_drawn_from_the_seed():
    found = []
    for _ in range(2):
        with Peers(aware=True, seed=3) as peers:
            peers.proxy.lose(UP, share=0.5)
            for number in range(100):
                peers.near.sendall(publish(number, b""))
            peers.near.shutdown(socket.SHUT_WR)
            stream = b""
            while part := peers.far.recv(4096):
                stream += part
            found.append([mqtt.packet_id(p) for p in mqtt.Splitter().take(stream)])
    assert found[0] == found[1]
    assert 30 < len(found[0]) < 70


def test_what_is_not_asked_for_passes_both_ways(broker):
    stream = b"\x10\x00" + publish(1, b"x") + publish(2, b"") + puback(1) + b"\xc0\x00"
    broker.near.sendall(stream)
    broker.far.sendall(stream)
    assert read(broker.far, len(stream)) == stream
    assert read(broker.near, len(stream)) == stream
    assert broker.proxy.done == {}


def test_a_closed_proxy_leaves_no_thread():
    with Peers() as peers:
        assert any(thread.name == "chaos" for thread in threading.enumerate())
        peers.proxy.freeze()
    assert not any(thread.name == "chaos" for thread in threading.enumerate())
