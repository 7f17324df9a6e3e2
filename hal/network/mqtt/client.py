"""The MQTT link of a small device, and of any other: one connection, no thread, no wait.

Implements Link of hal/contract.py on CPython and MicroPython. `receive()` turns it, so an agent
that takes its messages drives it; a root that steps seldom calls `turn()` as well. Whatever goes
wrong, of whatever kind, is a link that is down, with `fault` for people and a next attempt later.

What blocks all the same on an ESP32 is the arithmetic of a TLS handshake, about a second; a name
is looked up in a thread (hal/network/resolver.py).
"""

import select as port_select
import socket as port_socket
from errno import EAGAIN, EINPROGRESS

from wattledger.hal.network.backoff import next_delay
from wattledger.hal.network.mqtt.packet import MqttError
from wattledger.hal.network.mqtt.session import Session
from wattledger.hal.network.mqtt.stream import Stream
from wattledger.hal.network.resolver import Resolver
from wattledger.hal.network.tls import HINT, require_verification, secure, why

CONNECT_MS = 10_000  # for the name, and again for the connection
STABLE_MS = 30_000  # a session that lived this long ends the growth of the backoff
BUFFER_BYTES = 512
MOST_READS = 8  # in one turn: a flood must not hold the tick up
TCP, NODELAY = 6, 1  # small packets otherwise wait 40 ms for the peer's delayed ACK (Nagle)

DOWN, NAMING, CONNECTING, OPEN, CLOSED = range(5)


class MqttLink:
    """MQTT link to `host`:`port`; connects at its next turn and never gives up.

    The will is retained, QoS 1; none when `will_topic` is None. `tls` is an ssl.SSLContext that
    verifies (hal/network/tls.py, else HalError); without it the connection is plain. `clock` is a
    Clock of wall time; while `ready()` is false nothing is tried, and no pause grows by it; the
    other arguments are the port's modules. Of received messages `receive_limit` wait, and 36 kB;
    what is beyond is dropped and counted, the newest first.

    Readable at any time: `dropped_full` (also: no heap for it), `dropped_long` (payload over 9216
    bytes), `dropped_bad` (topic not UTF-8), `fault` (why it was last down; "" if never).
    """

    def __init__(
        self,
        host,
        port,
        client_id,
        will_topic=None,
        will_payload=b"",
        username=None,
        password=None,
        tls=None,
        keepalive_s=30,
        send_limit=32,
        receive_limit=64,
        backoff_s=(75, 900),
        clock=None,
        ready=None,
        socket=port_socket,
        select=port_select,
        resolver=None,
    ):
        if tls is not None:
            require_verification(tls)
        self._host = host
        self._port = port
        self._tls = tls
        self._lowest_s, self._highest_s = backoff_s
        self._clock = clock
        self._ready = ready
        self._module = socket
        self._select = select
        self._resolver = resolver or Resolver(socket)
        self._session = Session(
            client_id,
            (will_topic, will_payload),
            (username, password),
            keepalive_s,
            send_limit,
            receive_limit,
            self._tell,
        )
        self.fault = ""
        self._state = DOWN
        self._began = clock.ticks_ms()  # the attempt, or the wait for it
        self._wait_ms = 0
        self._delay_s = 0
        self._attempts = 0
        self._socket = None  # with TLS around it
        self._under = None  # the same without, once it has TLS
        self._stream = None
        self._poll = None
        self._into = memoryview(bytearray(BUFFER_BYTES))
        self._from = memoryview(bytearray(BUFFER_BYTES))
        self._from_at = self._from_end = 0

    @property
    def dropped_full(self):
        return self._session.dropped_full

    @property
    def dropped_long(self):
        return self._session.dropped_long

    @property
    def dropped_bad(self):
        return self._session.dropped_bad

    # The methods of Link.

    def subscribe(self, topic):
        """Subscribe at QoS 1, kept over reconnects."""
        self._session.subscribe(topic)

    def send(self, topic, data, retain):
        """Queue a QoS 1 message; a token > 0, or 0 when the queue is full or the link is down."""
        token = self._session.send(topic, data, retain, self._clock.ticks_ms())
        if token:
            self._try(self._write)
        return token

    def sent(self, token):
        """True once the broker has acknowledged it; forgotten when the session changes."""
        return self._session.sent(token)

    def receive(self):
        """Turn, then the oldest waiting message, (topic, data, retain), or None."""
        self.turn()
        return self._session.receive()

    def is_up(self):
        """True while connected."""
        return self._session.up

    def session(self):
        """A number that rises at each connect; 0 before the first."""
        return self._session.number

    # The connection.

    def turn(self):
        """Do what can be done now; never waits and never raises."""
        self._try(self._work)

    def close(self, timeout_s=3):
        """Disconnect, so that the broker drops the will; this waits, `timeout_s` at most.

        What was queued before goes out first when the broker takes it.
        """
        began = self._clock.ticks_ms()
        if self._session.up:
            self._session.close()
            poll = self._select.poll()
            poll.register(self._socket, self._select.POLLOUT)
            while self._session.is_waiting() or self._from_at < self._from_end:
                self._try(self._write)
                if self._state != OPEN or self._clock.elapsed_ms(began) >= timeout_s * 1000:
                    break
                poll.poll(20)
        self._shut()
        self._state = CLOSED

    def _try(self, function):
        try:
            function(self._clock.ticks_ms())
        except Exception as error:  # whatever it is, the answer is the same: try again
            self._failed(error)

    def _work(self, now):
        state = self._state
        if state == OPEN:
            self._exchange(now)
        elif state == CONNECTING:
            self._connecting(now)
        elif state == NAMING:
            self._naming(now)
        elif state == DOWN and self._clock.elapsed_ms(self._began) >= self._wait_ms:
            if self._ready is not None and not self._ready():
                return
            self._began = now
            self._state = NAMING
            self._resolver.ask(self._host, self._port)
            self._naming(now)

    def _naming(self, now):
        """Every attempt asks anew, and takes the next of the addresses."""
        found = self._resolver.answer()
        if found is None:
            self._patient("its name is not resolved")
            return
        family, address = found[self._attempts % len(found)]
        self._attempts += 1
        self._began = now
        self._state = CONNECTING
        self._socket = self._module.socket(family, self._module.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(address)
        except OSError as error:
            if error.errno not in (EINPROGRESS, EAGAIN):
                raise
        self._poll = self._select.poll()
        self._poll.register(self._socket, self._select.POLLOUT)
        self._connecting(now)

    def _connecting(self, now):
        events = self._poll.poll(0)
        if not events:
            self._patient("it does not answer")
            return
        if events[0][1] & (self._select.POLLERR | self._select.POLLHUP):
            self._socket.send(b"")  # raises what went wrong
            raise OSError("no connection")
        self._poll = None
        if hasattr(self._module, "TCP_NODELAY"):
            self._socket.setsockopt(TCP, NODELAY, 1)
        if self._tls is None:
            self._stream = Stream(self._socket)
        else:
            self._under = self._socket
            self._socket, busy = secure(self._tls, self._under, self._host)
            self._stream = Stream(self._socket, busy)
        self._state = OPEN
        self._session.open(now)
        self._exchange(now)

    def _patient(self, what):
        if self._clock.elapsed_ms(self._began) >= CONNECT_MS:
            raise MqttError("%s in %d s" % (what, CONNECT_MS // 1000))

    def _exchange(self, now):
        self._write(now)
        session = self._session
        reads = 0
        while reads < MOST_READS and not session.is_full():
            count = self._stream.read_into(self._into)
            if not count:
                break
            reads += 1
            session.heard(self._into[:count], now)
        session.check(now)
        self._write(now)

    def _write(self, now):
        """Hand over what waits; the rest of a buffer again, as TLS demands it."""
        while self._state == OPEN:
            if self._from_at == self._from_end:
                self._from_at = 0
                self._from_end = self._session.take(self._from, now)
                if not self._from_end:
                    return
            count = self._stream.write(self._from[self._from_at : self._from_end])
            if not count:
                return
            self._from_at += count

    def _tell(self, what):
        self.fault = "%s:%s: %s" % (self._host, self._port, what)

    def _failed(self, error):
        what = why(error)
        session = self._session
        if (
            self._state == OPEN
            and not session.up
            and self._tls
            and not isinstance(error, (MqttError, ValueError))
        ):
            what += HINT
        lived = session.up and self._clock.elapsed_ms(self._began) >= STABLE_MS
        self._shut()
        self._tell(what)
        self._delay_s = next_delay(0 if lived else self._delay_s, self._lowest_s, self._highest_s)
        self._wait_ms = int(self._delay_s * 1000)
        self._began = self._clock.ticks_ms()
        self._state = DOWN

    def _shut(self):
        """Let go of the connection; without a goodbye the broker sends the will."""
        self._session.lost()
        self._poll = None
        self._from_at = self._from_end = 0
        # Both: MicroPython's TLS lets go of its socket when it refuses a peer, and leaves it open.
        for each in (self._socket, self._under):
            if each is not None:
                try:
                    each.close()
                except Exception:  # one that is broken already
                    pass
        self._socket = self._under = self._stream = None
