"""The client on a network that obeys the test: nothing waits, whatever fails is a link down."""

import time
import unittest
from errno import EAGAIN, ECONNREFUSED, EINPROGRESS

from wattledger.hal.errors import HalError
from wattledger.hal.network.mqtt.client import MqttLink
from wattledger.hal.network.resolver import Resolver
from wattledger.tests.both.fixtures_mqtt import CONNACK, puback, publish

CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x1e\x00\x02m1"
POLLOUT, POLLERR, POLLHUP = 4, 8, 16
MASK = (1 << 30) - 1


class Clock:
    def __init__(self, now=0):
        self.now = now

    def ticks_ms(self):
        return self.now & MASK

    def elapsed_ms(self, since):
        return (self.now - since) & MASK


class Socket:
    """One connection. `heard` is what the client sent, `coming` what recv gives in turn."""

    def __init__(self, network, family):
        self.network = network
        self.family = family
        self.address = None
        self.blocks = True
        self.closed = 0
        self.heard = b""
        self.coming = []
        self.room = 1 << 20  # bytes that send takes before it would block
        self.fault = None

    def setblocking(self, flag):
        self.blocks = flag

    def connect(self, address):
        assert not self.blocks
        self.address = address
        self.network.raise_if("connect")
        raise OSError(EINPROGRESS, "in progress")

    def send(self, view):
        assert not self.blocks
        if self.fault:
            raise self.fault
        if not self.room:
            raise OSError(EAGAIN, "again")
        taken = bytes(view[: self.room])
        self.room -= len(taken)
        self.heard += taken
        return len(taken)

    def recv_into(self, buffer):
        assert not self.blocks
        if self.fault:
            raise self.fault
        if not self.coming:
            raise OSError(EAGAIN, "again")
        data = self.coming.pop(0)
        buffer[: len(data)] = data
        return len(data)

    def close(self):
        self.closed += 1


class Network:
    """The modules socket and select in one."""

    SOCK_STREAM = 1
    POLLOUT, POLLERR, POLLHUP = POLLOUT, POLLERR, POLLHUP

    def __init__(self):
        self.asked = []
        self.sockets = []
        self.addresses = [(2, 2, 17, "", "udp"), (2, 1, 6, "", "first"), (10, 1, 6, "", "second")]
        self.events = POLLOUT
        self.faults = {}  # by the name of the call

    def raise_if(self, what):
        if what in self.faults:
            raise self.faults[what]

    def getaddrinfo(self, host, port, family=0, kind=0):
        self.asked.append((host, port))
        self.raise_if("getaddrinfo")
        return self.addresses

    def socket(self, family, kind):
        self.raise_if("socket")
        self.sockets.append(Socket(self, family))
        return self.sockets[-1]

    def poll(self):
        return Poll(self)


class Poll:
    def __init__(self, network):
        self._network = network

    def register(self, socket, events):
        self._socket = socket

    def poll(self, timeout_ms=-1):
        assert 0 <= timeout_ms <= 20
        return [(self._socket, self._network.events)] if self._network.events else []


class Bench:
    """A link to "broker":1883 that asks names in place."""

    def __init__(self, **options):
        self.clock = Clock(MASK - 5000)  # over the wrap of the ticks
        self.network = network = Network()
        options.setdefault("resolver", Resolver(network, None))
        self.link = MqttLink(
            "broker",
            1883,
            "m1",
            clock=self.clock,
            socket=network,
            select=network,
            **options,
        )

    @property
    def socket(self):
        return self.network.sockets[-1]

    def turn(self, ms=0):
        self.clock.now += ms
        self.link.turn()

    def come(self, *data):
        self.socket.coming += data
        self.turn()

    def up(self):
        self.turn()
        self.come(CONNACK)
        assert self.link.is_up(), self.link.fault
        return self


class TestClient(unittest.TestCase):
    def test_it_connects_and_carries_messages_both_ways(self):
        bench = Bench()
        bench.link.subscribe("c")
        bench.turn()
        self.assertEqual(bench.network.asked, [("broker", 1883)])
        self.assertEqual((bench.socket.family, bench.socket.address), (2, "first"))
        self.assertEqual(bench.socket.heard, CONNECT)
        self.assertEqual((bench.link.is_up(), bench.link.session()), (False, 0))
        bench.come(CONNACK)
        self.assertEqual((bench.link.is_up(), bench.link.session()), (True, 1))
        self.assertEqual(bench.socket.heard[16:], b"\x82\x06\x00\x01\x00\x01c\x01")
        # A message leaves with send, at once and in one piece.
        self.assertEqual(bench.link.send("a", b"!", False), 1)
        self.assertEqual(bench.socket.heard[24:], b"\x32\x06\x00\x01a\x00\x02!")
        bench.socket.coming = [puback(2) + publish(b"c", b"now", 3)]
        self.assertEqual(bench.link.receive(), ("c", b"now", False))
        self.assertTrue(bench.link.sent(1))
        self.assertEqual(bench.socket.heard[32:], puback(3))

    def test_a_name_is_asked_again_at_each_attempt_and_every_address_is_tried(self):
        bench = Bench(backoff_s=(1, 1))
        bench.network.faults["connect"] = OSError(ECONNREFUSED, "refused")
        for _ in range(3):
            bench.turn(1000)
        self.assertEqual(len(bench.network.asked), 3)
        tried = [(one.family, one.address) for one in bench.network.sockets]
        self.assertEqual(tried, [(2, "first"), (10, "second"), (2, "first")])
        self.assertEqual([one.closed for one in bench.network.sockets], [1, 1, 1])

    def test_attempts_grow_rarer_up_to_a_quarter_of_an_hour(self):
        bench = Bench()
        bench.network.faults["getaddrinfo"] = OSError(-2, "no name")
        last = 0
        waited = []
        for second in range(40_000):
            asked = len(bench.network.asked)
            bench.turn(1000)
            if len(bench.network.asked) > asked:
                waited.append(second - last)
                last = second
        self.assertTrue(all(wait <= 901 for wait in waited))
        self.assertTrue(max(waited) > 450)
        self.assertTrue(40 < len(waited) < 400)

    def test_nothing_is_tried_before_there_is_a_network_and_no_pause_grows(self):
        there = []
        bench = Bench(ready=lambda: bool(there))
        for _ in range(3600):
            bench.turn(1000)
        self.assertEqual((bench.network.asked, bench.link.fault), ([], ""))
        there.append(True)
        bench.up()
        self.assertEqual(len(bench.network.asked), 1)
        there.clear()  # a connection that stands is given up by its own rules
        bench.turn(1000)
        self.assertTrue(bench.link.is_up())

    def test_whatever_is_raised_is_a_link_that_is_down_and_tries_again(self):
        for error in (
            OSError(5, "broken"),
            ValueError("certificate"),
            MemoryError(),
            KeyError("x"),
        ):
            for call in ("getaddrinfo", "socket", "connect", "receive", "write"):
                with self.subTest(error=error, call=call):
                    bench = Bench(backoff_s=(1, 1))
                    bench.link.subscribe("c")
                    if call in ("receive", "write"):
                        bench.up()
                        if call == "write":
                            bench.socket.room = 0
                            bench.link.send("a", b"!", False)
                            bench.socket.coming = []
                        bench.socket.fault = error
                    else:
                        bench.network.faults[call] = error
                    sessions = bench.link.session()
                    bench.turn()
                    self.assertFalse(bench.link.is_up())
                    self.assertTrue(bench.link.fault.startswith("broker:1883: "))
                    self.assertTrue(len(bench.link.fault) > 13)
                    self.assertEqual(bench.link.send("a", b"!", False), 0)
                    bench.network.faults = {}
                    bench.turn(1000)
                    bench.come(CONNACK)
                    self.assertEqual(bench.link.session(), sessions + 1)
                    self.assertTrue(bench.socket.heard.endswith(b"\x00\x01c\x01"))

    def test_a_fault_in_send_is_contained_too(self):
        bench = Bench().up()
        bench.socket.fault = ValueError("torn")
        token = bench.link.send("a", b"!", False)
        self.assertEqual((bench.link.is_up(), bench.link.sent(token)), (False, False))
        self.assertEqual(bench.link.fault, "broker:1883: torn")

    def test_a_refused_connection_is_told(self):
        bench = Bench()
        bench.network.events = POLLOUT | POLLERR | POLLHUP
        made = bench.network.socket

        def refused(family, kind):
            socket = made(family, kind)
            socket.fault = OSError(ECONNREFUSED, "Connection refused")
            return socket

        bench.network.socket = refused
        bench.turn()
        self.assertIn(str(ECONNREFUSED), bench.link.fault)
        self.assertEqual(bench.socket.heard, b"")

    def test_a_connection_that_does_not_come_is_given_up_after_ten_seconds(self):
        bench = Bench()
        bench.network.events = 0
        bench.turn()
        bench.turn(9_999)
        self.assertEqual((bench.link.fault, bench.socket.closed), ("", 0))
        bench.turn(1)
        self.assertIn("does not answer", bench.link.fault)
        self.assertEqual(bench.socket.closed, 1)

    def test_a_name_is_waited_for_without_waiting(self):
        class Slow:
            found = None

            def ask(self, host, port):
                self.asked = True

            def answer(self):
                return self.found

        slow = Slow()
        bench = Bench(resolver=slow)
        bench.turn()
        bench.turn(9_999)
        self.assertEqual((bench.link.fault, bench.network.sockets), ("", []))
        slow.found = [(2, "late")]
        bench.turn()
        self.assertEqual(bench.socket.address, "late")
        slow.found = None
        bench = Bench(resolver=slow)
        bench.turn()
        bench.turn(10_000)
        self.assertIn("its name is not resolved in 10 s", bench.link.fault)

    def test_a_full_line_keeps_order_and_the_buffer(self):
        bench = Bench().up()
        bench.socket.room = 4
        first = bench.link.send("a", b"one", False)
        second = bench.link.send("a", b"x" * 3000, False)
        self.assertTrue(first and second)
        for _ in range(400):
            bench.socket.room = 10
            bench.turn()
        heard = bench.socket.heard[16:]
        self.assertEqual(heard[:10], b"\x32\x08\x00\x01a\x00\x01one")
        self.assertEqual(
            heard[10:18], b"\x32\xbd\x17\x00\x01a\x00\x02"
        )  # 5 + 3000 = 0x17 * 128 + 61
        self.assertTrue(heard[18:] == b"x" * 3000)

    def test_a_flood_does_not_hold_the_tick_up(self):
        bench = Bench().up()
        bench.socket.coming = [publish(b"d", b"")] * 1000
        bench.turn()
        self.assertEqual(len(bench.socket.coming), 1000 - 8)

    def test_a_peer_that_hangs_up_and_a_broker_that_talks_nonsense(self):
        bench = Bench().up()
        bench.come(b"")
        self.assertEqual(bench.link.fault, "broker:1883: the broker hung up")
        bench = Bench().up()
        bench.come(b"HTTP/1.1 400\r\n")
        self.assertIn("begins with 0x48", bench.link.fault)
        self.assertEqual((bench.link.is_up(), bench.socket.closed), (False, 1))

    def test_a_context_that_does_not_verify_is_not_taken(self):
        class Tls:
            pass

        for mode, names in ((0, True), (1, True), (2, False)):
            tls = Tls()
            tls.verify_mode, tls.check_hostname = mode, names
            self.assertRaises(HalError, Bench, tls=tls)

    def test_close_says_goodbye_and_ends_it(self):
        bench = Bench().up()
        bench.link.close()
        self.assertEqual(bench.socket.heard[-2:], b"\xe0\x00")
        self.assertEqual((bench.socket.closed, bench.link.is_up()), (1, False))
        bench.turn(100_000)
        self.assertEqual(len(bench.network.sockets), 1)
        Bench().link.close()

    def test_close_gives_up_a_line_that_takes_nothing(self):
        bench = Bench().up()
        bench.socket.room = 0
        clock = bench.clock

        class Slow(Poll):
            def poll(self, timeout_ms=-1):
                clock.now += timeout_ms
                return []

        bench.network.poll = lambda: Slow(bench.network)
        began = clock.now
        bench.link.close(0.5)
        self.assertEqual(clock.now - began, 500)
        self.assertEqual(bench.socket.closed, 1)


class TestResolver(unittest.TestCase):
    class Thread:
        """A _thread whose threads run when the test says so."""

        def __init__(self, fault=None):
            self.waiting = []
            self.fault = fault

        def start_new_thread(self, function, arguments):
            if self.fault:
                raise self.fault
            self.waiting.append((function, arguments))

        def run(self):
            function, arguments = self.waiting.pop()
            function(*arguments)

    def test_a_name_is_asked_in_a_thread_one_at_a_time(self):
        network, thread = Network(), self.Thread()
        resolver = Resolver(network, thread)
        resolver.ask("broker", 1)
        self.assertEqual((resolver.answer(), network.asked), (None, []))
        self.assertRaises(OSError, resolver.ask, "broker", 1)
        thread.run()
        self.assertEqual(resolver.answer(), [(2, "first"), (10, "second")])
        resolver.ask("broker", 2)
        self.assertIsNone(resolver.answer())

    def test_a_name_server_that_is_slow_holds_nobody_up(self):
        network = Network()
        answers = network.getaddrinfo
        held = [True]

        def slow(*arguments):
            tries = 2000
            while held[0] and tries:
                tries -= 1
                time.sleep(0.001)
            return answers(*arguments)

        network.getaddrinfo = slow
        resolver = Resolver(network)  # the interpreter's own threads
        resolver.ask("broker", 1)
        self.assertIsNone(resolver.answer())
        held[0] = False
        tries = 5000
        while resolver.answer() is None and tries:
            tries -= 1
            time.sleep(0.001)
        self.assertEqual(resolver.answer()[0], (2, "first"))

    def test_an_address_needs_no_thread_and_a_port_without_threads_asks_in_place(self):
        thread = self.Thread()
        for threads, host in ((thread, "192.0.2.7"), (None, "broker")):
            resolver = Resolver(Network(), threads)
            resolver.ask(host, 1)
            self.assertEqual(resolver.answer()[0], (2, "first"))
        self.assertEqual(thread.waiting, [])

    def test_without_room_for_a_thread_nothing_is_asked_and_the_next_try_can_be(self):
        for fault in (OSError(11), RuntimeError("can't start new thread"), MemoryError()):
            network, thread = Network(), self.Thread(fault)
            resolver = Resolver(network, thread)
            self.assertRaises(OSError, resolver.ask, "broker", 1)
            self.assertEqual(network.asked, [])
            thread.fault = None
            resolver.ask("broker", 1)
            thread.run()
            self.assertEqual(resolver.answer()[0], (2, "first"))

    def test_what_asking_raises_comes_out_of_the_answer(self):
        network = Network()
        network.faults["getaddrinfo"] = UnicodeError("label too long")
        resolver = Resolver(network, None)
        resolver.ask("x" * 300, 1)
        self.assertRaises(UnicodeError, resolver.answer)
        network.faults = {}
        network.addresses = network.addresses[:1]
        resolver.ask("broker", 1)
        self.assertRaises(OSError, resolver.answer)
