"""Cuts what a broker sends into packets of MQTT 3.1.1, however the bytes are split.

Source: OASIS MQTT Version 3.1.1. A message that is too long for us is passed over byte by byte:
nothing of it is kept but its packet identifier, which is acknowledged like any other.
"""

from wattledger.hal.network.mqtt.packet import (
    CONNACK,
    DUP,
    PINGRESP,
    PUBACK,
    PUBLISH,
    SUBACK,
    MqttError,
)

PAYLOAD_LIMIT = 9216  # the hard cap of the protocol: 9 kB
TOPIC_LIMIT = 256  # none of ours has more than 100
# Remaining length of the packets a client of QoS 1 may be sent, beside PUBLISH.
LENGTHS = {CONNACK: 2, PUBACK: 2, SUBACK: 3, PINGRESP: 0}

FIRST, LENGTH, SMALL, TOPIC_LENGTH, BODY, SKIPPED = range(6)


class Parser:
    """`take` bytes; when `done` the fields hold a packet, until the next call.

    `kind`, `small` (the body of any but PUBLISH, 4 bytes), and of a PUBLISH `qos`, `retain`,
    `packet_id`, `body` (topic, identifier and payload) with `topic_bytes` and `payload_at`.
    `body` is None for one that was passed over: `starved` when the heap was too short for it,
    else it was over-long.
    """

    def __init__(self):
        self.small = bytearray(4)
        self.restart()

    def restart(self):
        """Begin with a new connection."""
        self.done = False
        self.kind = 0
        self.qos = 0
        self.retain = False
        self.packet_id = 0
        self.topic_bytes = 0
        self.payload_at = 0
        self.body = None
        self.starved = False
        self._state = FIRST
        self._remaining = 0
        self._shift = 0
        self._got = 0

    def take(self, data, at, end):
        """Consume data[at:end] up to the end of a packet; the index behind what was consumed.

        `data` is a memoryview. MqttError on what no broker may send.
        """
        self.done = False
        while at < end and not self.done:
            state = self._state
            if state == FIRST:
                self._first(data[at])
                at += 1
            elif state == LENGTH:
                self._length(data[at])
                at += 1
            elif state in (SMALL, TOPIC_LENGTH):
                self.small[self._got] = data[at]
                self._got += 1
                at += 1
                if state == TOPIC_LENGTH:
                    if self._got == 2:
                        self._topic_length()
                else:
                    self._end_at(self._remaining)
            else:
                at = self._many(data, at, end)
        return at

    def _first(self, byte):
        self.kind = kind = byte >> 4
        flags = byte & 0x0F
        self.body = None
        self.starved = False
        self._remaining = self._shift = self._got = 0
        self._state = LENGTH
        if kind == PUBLISH:
            self.retain = bool(flags & 1)
            self.qos = flags >> 1 & 3
            # We subscribe at QoS 1; at QoS 0 there are no duplicates [MQTT-3.3.1-2].
            if self.qos > 1 or (flags & DUP and not self.qos):
                raise MqttError("a message with flags %d" % flags)
        elif kind not in LENGTHS or flags:
            raise MqttError("a packet that begins with 0x%02x" % byte)

    def _length(self, byte):
        if self._shift == 21 and byte & 0x80:
            raise MqttError("a length of more than four bytes")
        self._remaining |= (byte & 0x7F) << self._shift
        self._shift += 7
        if byte & 0x80:
            return
        if self.kind == PUBLISH:
            if self._remaining < 2:
                raise MqttError("a message of %d bytes" % self._remaining)
            self._state = TOPIC_LENGTH
        elif self._remaining != LENGTHS[self.kind]:
            raise MqttError("a packet %d of %d bytes" % (self.kind, self._remaining))
        else:
            self._state = SMALL
            self._end_at(self._remaining)

    def _topic_length(self):
        self.topic_bytes = self.small[0] << 8 | self.small[1]
        self.payload_at = self.topic_bytes + (2 if self.qos else 0)
        self._remaining -= 2
        self._got = 0
        payload = self._remaining - self.payload_at
        if payload < 0 or not self.topic_bytes:
            raise MqttError("a message with a topic of %d bytes" % self.topic_bytes)
        self._state = SKIPPED
        if payload <= PAYLOAD_LIMIT and self.topic_bytes <= TOPIC_LIMIT:
            try:
                self.body = bytearray(self._remaining)
                self._state = BODY
            except MemoryError:
                self.starved = True

    def _many(self, data, at, end):
        """Bytes of a PUBLISH behind the length of its topic."""
        count = min(end - at, self._remaining - self._got)
        if self._state == BODY:
            self.body[self._got : self._got + count] = data[at : at + count]
        else:
            for place in (0, 1):  # the packet identifier
                offset = self.topic_bytes + place - self._got
                if 0 <= offset < count:
                    self.small[place] = data[at + offset]
        self._got += count
        self._end_at(self._remaining)
        return at + count

    def _end_at(self, remaining):
        if self._got < remaining:
            return
        self._state = FIRST
        self.done = True
        if self.kind == PUBLISH and not self.qos:
            self.packet_id = 0
            return
        at, source = 0, self.small
        if self.body is not None:
            at, source = self.topic_bytes, self.body
        self.packet_id = source[at] << 8 | source[at + 1]
        if self.kind == PUBLISH and not self.packet_id:  # [MQTT-2.3.1-1]
            raise MqttError("a message with packet identifier 0")
