"""The MQTT link of a computer with an operating system (Raspberry Pi, demo, tools): paho-mqtt 2.

Implements Link of hal/contract.py: MQTT 3.1.1, QoS 1, clean session. Three decisions carry it:

- One paho client per connection. paho keeps unacknowledged QoS 1 messages and sends them again
  after a reconnect, clean session or not. Ours must not: the journal's cursor and the
  latest-value topics start afresh with each session. A client that lost its connection is thrown
  away with its queue.
- One thread of our own turns paho's loop, so that any fault (DNS, TLS, a malformed packet) ends
  in one `except` and a new attempt, never in a dead thread or in the caller.
- A broker that takes our bytes but acknowledges none is down: besides the keepalive, a message
  unacknowledged for the keepalive time ends the session.

paho holds a whole packet before it hands it over, so an over-long one costs memory once; it is
then dropped and counted, never queued.
"""

import threading
import time
from collections import deque

from paho.mqtt import client as mqtt

from wattledger.hal.network.backoff import next_delay
from wattledger.hal.network.paho_client_linux import new_client, shut
from wattledger.hal.network.tls import HINT, require_verification

PAYLOAD_LIMIT = 9216  # the hard cap of the protocol: 9 kB
CONNECT_TIMEOUT_S = 10  # for TCP and TLS, and again for the broker's CONNACK
STABLE_S = 30  # a session that lived this long ends the growth of the backoff


class _Session:
    """One connection: its paho client and the sends the broker has not acknowledged yet."""

    def __init__(self, client, first_token):
        self.client = client
        self.first_token = first_token
        self.outstanding = {}  # token -> (paho's info, monotonic s of the send), oldest first

    def settle(self):
        """Forget the sends that have been acknowledged."""
        for token in [t for t, (info, _) in self.outstanding.items() if info.is_published()]:
            del self.outstanding[token]

    def waited_s(self, now):
        """Seconds the oldest unacknowledged send has waited; 0 when there is none."""
        self.settle()
        for _, since in self.outstanding.values():
            return now - since
        return 0


class PahoLink:
    """MQTT link to `host`:`port`; starts connecting in the background at once, never gives up.

    The will is retained, QoS 1; none when `will_topic` is None. `tls` is an ssl.SSLContext that
    verifies (else HalError); without it the connection is plain. Received messages wait in a
    queue of `receive_limit`. When it is full the newest is dropped and counted: a flood then
    cannot push out a command that came before it, and only the meter's signed ack counts as
    delivery anyway.

    Readable at any time: `dropped_full`, `dropped_long` (payload over 9216 bytes), `dropped_bad`
    (topic not UTF-8), `fault` (why it was last down, for a person; "" if never).
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
    ):
        if tls is not None:
            require_verification(tls)
        self._host = host
        self._port = port
        self._client_id = client_id
        self._will = (will_topic, will_payload)
        self._login = (username, password)
        self._tls = tls
        self._keepalive_s = keepalive_s
        self._send_limit = send_limit
        self._receive_limit = receive_limit
        self._lowest_s, self._highest_s = backoff_s

        self.dropped_full = 0
        self.dropped_long = 0
        self.dropped_bad = 0
        self.fault = ""

        self._topics = []
        self._received = deque()
        self._session = None  # the live _Session, None while down
        self._sessions = 0
        self._last_token = 0
        # Held around sends and subscriptions, and by _on_connect. Never taken by _on_disconnect:
        # paho may call that holding its message lock, which a send takes under ours.
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._closing = threading.Event()
        self._close_by = 0  # monotonic seconds; read once _closing is set
        self._thread = threading.Thread(target=self._run, name="link " + client_id, daemon=True)
        self._thread.start()

    # Called by the owner, from one thread.

    def subscribe(self, topic):
        """Subscribe at QoS 1, kept over reconnects."""
        with self._lock:
            if topic not in self._topics:
                self._topics.append(topic)
                session = self._session
                if session is not None:
                    session.client.subscribe(topic, qos=1)

    def send(self, topic, data, retain):
        """Queue a QoS 1 message; a token > 0, or 0 when the queue is full or the link is down."""
        data = b"".join(data) if isinstance(data, list) else bytes(data)
        with self._lock:
            session = self._session
            if session is None:
                return 0
            session.settle()
            if len(session.outstanding) >= self._send_limit:
                return 0
            info = session.client.publish(topic, data, qos=1, retain=retain)
            if info.rc != mqtt.MQTT_ERR_SUCCESS:
                return 0  # lost between the test above and here; this client is never used again
            self._last_token += 1
            session.outstanding[self._last_token] = (info, time.monotonic())
            return self._last_token

    def sent(self, token):
        """True once the broker has acknowledged it; forgotten when the session changes."""
        with self._lock:
            session = self._session
            if session is None or not session.first_token <= token <= self._last_token:
                return False
            session.settle()
            return token not in session.outstanding

    def receive(self):
        """The oldest waiting message, (topic str, data bytes, retain bool), or None."""
        try:
            return self._received.popleft()
        except IndexError:
            return None

    def is_up(self):
        """True while connected."""
        return self._session is not None

    def session(self):
        """A number that rises at each connect; 0 before the first."""
        return self._sessions

    def wait(self, seconds):
        """Sleep until a message waits or the link went up or down, at most `seconds`.

        For tools, which have nothing else to do; an agent polls from step() and never waits.
        """
        if not self._received:
            self._news.wait(seconds)
        self._news.clear()

    def close(self, timeout_s=3):
        """Disconnect cleanly, so that the broker drops the will. Publishes nothing.

        What was queued before goes out first, unless the broker takes longer than `timeout_s`.
        """
        self._close_by = time.monotonic() + timeout_s
        self._closing.set()
        with self._lock:
            session = self._session
            if session is not None:
                session.client.disconnect()
        self._thread.join(timeout_s)

    # The link's own thread.

    def _run(self):
        delay = 0
        while not self._closing.is_set():
            began = time.monotonic()
            client = None
            try:
                client = self._new_client()
                client.connect(self._host, self._port, self._keepalive_s)
                if not self._closing.is_set():
                    self._serve(client, began)
            except Exception as error:  # whatever it is, the answer is the same: try again
                self._failed(str(error) or type(error).__name__)
            finally:
                self._session = None
                self._news.set()
                shut(client)
            if time.monotonic() - began >= STABLE_S:
                delay = 0
            delay = next_delay(delay, self._lowest_s, self._highest_s)
            self._closing.wait(delay)

    def _new_client(self):
        client = new_client(self._client_id, self._will, self._login, self._tls)
        # Messages are bounded by send_limit alone, so paho has no reason to hold one back.
        client.max_inflight_messages_set(self._send_limit)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.connect_timeout = CONNECT_TIMEOUT_S
        return client

    def _serve(self, client, began):
        """Turn the loop of a client that is connecting or connected until it ends."""
        while client.loop(1.0) == mqtt.MQTT_ERR_SUCCESS:
            now = time.monotonic()
            session = self._session
            if self._closing.is_set():
                if session is None or now > self._close_by:
                    return
            elif session is None:
                if now - began > CONNECT_TIMEOUT_S * 2:
                    raise TimeoutError("accepts connections but does not answer as an MQTT broker")
            else:
                with self._lock:
                    waited_s = session.waited_s(now)
                if waited_s > self._keepalive_s:
                    raise TimeoutError("the broker stopped acknowledging messages")

    def _on_connect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            raise ConnectionError("the broker refuses this client: %s" % reason)
        with self._lock:
            # Ahead of anything the owner can send, so that an answer to its first message arrives.
            for topic in self._topics:
                client.subscribe(topic, qos=1)
            self._session = _Session(client, self._last_token + 1)
            self._sessions += 1
        self._news.set()

    def _on_disconnect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            hint = HINT if self._tls and self._session is None else ""
            self._failed("connection lost (%s)%s" % (reason, hint))
        self._session = None
        self._news.set()

    def _on_subscribe(self, client, userdata, mid, reasons, properties):
        for reason in reasons:
            if reason.is_failure:
                self._failed("subscription refused: %s" % reason)

    def _on_message(self, client, userdata, message):
        # paho acknowledges a dropped message too: the broker must not send again what we will
        # never take.
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.dropped_bad += 1
            return
        if len(message.payload) > PAYLOAD_LIMIT:
            self.dropped_long += 1
        elif len(self._received) >= self._receive_limit:
            self.dropped_full += 1
        else:
            self._received.append((topic, bytes(message.payload), bool(message.retain)))
            self._news.set()

    def _failed(self, why):
        self.fault = "%s:%s: %s" % (self._host, self._port, why)
