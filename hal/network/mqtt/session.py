"""The state of an MQTT 3.1.1 client, without a socket: bytes and times in, bytes and messages out.

Source: OASIS MQTT Version 3.1.1, chapters in brackets. A session ends with its connection: the
journal's cursor and the latest values start afresh with each, so nothing unacknowledged is kept.
Times are ticks of a Clock (hal/contract.py): milliseconds that wrap at 2**30.
"""

from wattledger.hal.network.mqtt import packet
from wattledger.hal.network.mqtt.packet import MqttError
from wattledger.hal.network.mqtt.parser import PAYLOAD_LIMIT, Parser

TICKS_MASK = (1 << 30) - 1
ANSWER_MS = 30_000  # for TLS and the CONNACK: three round trips, of 5 s on a bad radio
LAST_ID = 65_535
# Acknowledgements that wait to be sent: a broker that takes none of them gets no more read.
MOST_WAITING = 64
RECEIVE_BYTES = 4 * PAYLOAD_LIMIT


class Session:
    """`heard` bytes, `take` bytes to send, `check` the time; Link's methods without a network.

    `tell` is called with a line for people about what does not end the connection.
    Readable at any time: `up`, `number` (rises at each connect), and `dropped_full`,
    `dropped_long`, `dropped_bad`, messages that were not taken.
    """

    def __init__(
        self,
        client_id,
        will=(None, b""),
        login=(None, None),
        keepalive_s=30,
        send_limit=32,
        receive_limit=64,
        tell=print,
    ):
        self._connect = packet.connect(client_id, keepalive_s, will, login)
        self._keepalive_ms = keepalive_s * 1000
        self._send_limit = send_limit
        self._receive_limit = receive_limit
        self._tell = tell
        self._parser = Parser()
        self._topics = []
        self._received = []
        self._received_bytes = 0
        self._last_token = 0
        self._last_id = 0
        self.up = False
        self.number = 0
        self.dropped_full = 0
        self.dropped_long = 0
        self.dropped_bad = 0
        self.lost()

    # The connection.

    def open(self, now):
        """A connection is there: CONNECT is due."""
        self.lost()
        self._parser.restart()
        self._queue(self._connect)
        self._opened = self._heard = self._spoke = now

    def lost(self):
        """The connection is gone, and with it all that was on its way."""
        self.up = False
        self._out = []  # parts of packets, oldest first
        self._out_at = 0  # bytes of the first that are sent
        self._flying = []  # [token, packet identifier, ticks of the send], oldest first
        self._asked = []  # packet identifiers of subscriptions not answered yet
        self._first_token = self._last_token + 1
        self._opened = self._heard = self._spoke = 0
        self._pinged = None  # ticks of a ping that nothing answered yet

    def close(self):
        """DISCONNECT is due behind what waits, so that the broker drops the will [3.14]."""
        if self.up:
            self._queue(packet.DISCONNECT)

    def is_waiting(self):
        """True while there are bytes to take."""
        return bool(self._out)

    def is_full(self):
        """True while so much waits to be sent that nothing more should be read."""
        return len(self._out) > MOST_WAITING + 2 * self._send_limit

    def take(self, into, now):
        """Copy what is to be sent next into a buffer (memoryview); how many bytes."""
        count = 0
        room = len(into)
        while self._out and count < room:
            part = self._out[0]
            size = min(len(part) - self._out_at, room - count)
            into[count : count + size] = memoryview(part)[self._out_at : self._out_at + size]
            count += size
            self._out_at += size
            if self._out_at == len(part):
                self._out.pop(0)
                self._out_at = 0
        if count:
            self._spoke = now
        return count

    def heard(self, data, now):
        """Bytes (memoryview) have come. MqttError ends the connection."""
        self._heard = now
        self._pinged = None
        at, end = 0, len(data)
        while at < end:
            at = self._parser.take(data, at, end)
            if self._parser.done:
                self._packet(now)

    def check(self, now):
        """Ping after half the keepalive time of quiet [3.12].

        MqttError when that brings no byte for the other half, when a message is unacknowledged
        for all of it, or when CONNECT is not answered.
        """
        if not self.up:
            if (now - self._opened & TICKS_MASK) >= ANSWER_MS:
                raise MqttError("accepts connections but does not answer as an MQTT broker")
            return
        if self._flying and (now - self._flying[0][2] & TICKS_MASK) >= self._keepalive_ms:
            raise MqttError("the broker stopped acknowledging messages")
        half_ms = self._keepalive_ms // 2
        silent_ms = now - self._heard & TICKS_MASK
        if self._pinged is not None:
            # By the ping, not by the silence: nobody may have turned us for a while.
            if (now - self._pinged & TICKS_MASK) >= half_ms:
                raise MqttError("lost: nothing came for %d s" % (silent_ms // 1000))
        # The broker counts what it hears of us, we what we hear of it: either asks for a ping.
        elif max(silent_ms, now - self._spoke & TICKS_MASK) >= half_ms:
            self._queue(packet.PINGREQ)
            self._pinged = now

    # What Link promises.

    def subscribe(self, topic):
        """Subscribe at QoS 1 now and at each connect."""
        if topic not in self._topics:
            self._topics.append(topic)
            if self.up:
                self._ask(topic)

    def send(self, topic, data, retain, now):
        """Queue a QoS 1 message; a token > 0, or 0 when the queue is full or nothing is up."""
        if not self.up or len(self._flying) >= self._send_limit:
            return 0
        packet_id = self._next_id()
        parts = data if isinstance(data, list) else [data]
        size = sum([len(part) for part in parts])
        self._queue(packet.publish_head(topic, size, packet_id, retain))
        for part in parts:
            if part:
                self._queue(part if isinstance(part, bytes) else bytes(part))
        self._last_token += 1
        self._flying.append((self._last_token, packet_id, now))
        return self._last_token

    def sent(self, token):
        """True once the broker has acknowledged it; forgotten with the connection."""
        if not self._first_token <= token <= self._last_token:
            return False
        return not any(flying[0] == token for flying in self._flying)

    def receive(self):
        """The oldest message that waits, (topic, data, retain), or None."""
        if not self._received:
            return None
        message = self._received.pop(0)
        self._received_bytes -= len(message[1])
        return message

    # What comes from the broker.

    def _packet(self, now):
        parser = self._parser
        kind = parser.kind
        if not self.up:
            if kind != packet.CONNACK:  # [MQTT-3.2.0-1]
                raise MqttError("a packet %d before the broker accepts us" % kind)
            self._accepted(parser.small[0], parser.small[1])
        elif kind == packet.PUBLISH:
            self._message(parser)
        elif kind == packet.PUBACK:
            self._acknowledged(parser.packet_id)
        elif kind == packet.SUBACK:
            self._subscribed(parser.packet_id, parser.small[2])
        elif kind == packet.CONNACK:
            raise MqttError("a second answer to one CONNECT")

    def _accepted(self, flags, code):
        # Bit 0, a session that is present, a broker may not set here; it does no harm either.
        if flags & 0xFE or code > len(packet.REASONS):
            raise MqttError("an answer 0x%02x%02x to CONNECT" % (flags, code))
        if code:
            raise MqttError("the broker refuses this client: %s" % packet.REASONS[code])
        # Ahead of all that can be sent, so that an answer to our first message arrives.
        for topic in self._topics:
            self._ask(topic)
        self.up = True
        self.number += 1

    def _message(self, parser):
        """Take a message or drop it; either way the broker must not send it again."""
        if parser.body is None:
            if parser.starved:
                self.dropped_full += 1
            else:
                self.dropped_long += 1
        else:
            self._keep(parser)
        if parser.qos:
            self._queue(packet.puback(parser.packet_id))

    def _keep(self, parser):
        size = len(parser.body) - parser.payload_at
        # The newest goes: a flood must not push out a command that came before it.
        if len(self._received) >= self._receive_limit or (
            self._received and self._received_bytes + size > RECEIVE_BYTES
        ):
            self.dropped_full += 1
            return
        view = memoryview(parser.body)
        try:
            topic = bytes(view[: parser.topic_bytes]).decode()
        except UnicodeError:
            self.dropped_bad += 1
            return
        if "\x00" in topic:  # [MQTT-1.5.3-2]
            self.dropped_bad += 1
            return
        self._received.append((topic, bytes(view[parser.payload_at :]), parser.retain))
        self._received_bytes += size

    def _acknowledged(self, packet_id):
        for at, flying in enumerate(self._flying):
            if flying[1] == packet_id:
                self._flying.pop(at)
                return
        # One that is none of ours: a duplicate of a path that repeats. Nothing hangs on it.

    def _subscribed(self, packet_id, code):
        if packet_id not in self._asked:
            raise MqttError("an answer to no subscription of ours")
        self._asked.remove(packet_id)
        if code == packet.REFUSED:
            self._tell("subscription refused")
        elif code > 2:
            raise MqttError("an answer 0x%02x to a subscription" % code)

    # What goes to it.

    def _ask(self, topic):
        packet_id = self._next_id()
        self._asked.append(packet_id)
        self._queue(packet.subscribe(packet_id, topic))

    def _next_id(self):
        """A packet identifier that is not in use [MQTT-2.3.1-2]."""
        while True:
            self._last_id = self._last_id % LAST_ID + 1
            if self._last_id not in self._asked and not any(
                flying[1] == self._last_id for flying in self._flying
            ):
                return self._last_id

    def _queue(self, part):
        self._out.append(part)
