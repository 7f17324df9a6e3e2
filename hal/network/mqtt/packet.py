"""Packets of MQTT 3.1.1 that a client sends, and what their numbers mean.

Source: OASIS MQTT Version 3.1.1 (29 October 2014); chapters in brackets.
"""

from wattledger.hal.errors import HalError

# Packet types, the upper half of the first byte [2.2.1].
CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

RETAIN = 1
QOS_1 = 2
DUP = 8
CLEAN_SESSION = 0x02
WILL_QOS_1 = 0x0C
WILL_RETAIN = 0x20
PASSWORD = 0x40
USER = 0x80

LONGEST = 268_435_455  # of the remaining length [2.2.3]
REFUSED = 0x80  # a subscription, in SUBACK [3.9.3]
# Return codes of CONNACK [3.2.2.3].
REASONS = {
    1: "Unacceptable protocol version",
    2: "Client identifier not accepted",
    3: "Server unavailable",
    4: "Bad user name or password",
    5: "Not authorized",
}


class MqttError(HalError):
    """The broker broke the protocol, refused us or fell silent: the connection is over."""


def connect(client_id, keepalive_s, will=(None, b""), login=(None, None)):
    """CONNECT with a clean session [3.1].

    `will` is (topic or None, payload), retained at QoS 1; `login` (user or None, password).
    """
    topic, payload = will
    user, password = login
    flags = CLEAN_SESSION
    body = _text(client_id)
    if topic is not None:
        flags |= WILL_QOS_1 | WILL_RETAIN
        body += _text(topic) + _text(payload)
    if user is not None:
        flags |= USER
        body += _text(user)
        if password is not None:  # without a user there may be none [MQTT-3.1.2-22]
            flags |= PASSWORD
            body += _text(password)
    head = b"\x00\x04MQTT\x04" + bytes((flags,)) + _number(keepalive_s)
    return b"\x10" + length(len(head) + len(body)) + head + body


def publish_head(topic, data_bytes, packet_id, retain):
    """PUBLISH at QoS 1 up to its payload of `data_bytes` [3.3]."""
    name = _text(topic)
    first = PUBLISH << 4 | QOS_1 | (RETAIN if retain else 0)
    return bytes((first,)) + length(len(name) + 2 + data_bytes) + name + _number(packet_id)


def puback(packet_id):
    """The acknowledgement of a message [3.4]."""
    return b"\x40\x02" + _number(packet_id)


def subscribe(packet_id, topic):
    """SUBSCRIBE to one topic filter at QoS 1 [3.8]."""
    name = _text(topic)
    return b"\x82" + length(len(name) + 3) + _number(packet_id) + name + b"\x01"


def length(number):
    """The remaining length, 1 to 4 bytes [2.2.3]. MqttError when there is no such."""
    if number > LONGEST:
        raise MqttError("%d bytes are too long for a packet" % number)
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _number(value):
    return bytes((value >> 8, value & 0xFF))


def _text(text):
    """UTF-8 or bytes behind their length [1.5.3]."""
    data = text.encode() if isinstance(text, str) else bytes(text)
    if len(data) > 0xFFFF:
        raise MqttError("a text of %d bytes is too long" % len(data))
    return _number(len(data)) + data
