"""What the MQTT tests share: a broker's packets as bytes, and a parser fed in pieces."""

CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"


def length(number):
    """The remaining length, by the loop of the standard's 2.2.3 (non-normative example)."""
    out = b""
    while True:
        digit = number % 128
        number //= 128
        if number > 0:
            digit += 128
        out += bytes((digit,))
        if number == 0:
            return out


def number(value):
    return bytes((value // 256, value % 256))


def publish(topic, payload, packet_id=0, flags=0):
    """PUBLISH; at QoS 1 with a packet identifier."""
    body = number(len(topic)) + topic
    if packet_id:
        flags |= 2
        body += number(packet_id)
    body += payload
    return bytes((0x30 | flags,)) + length(len(body)) + body


def puback(packet_id):
    return b"\x40\x02" + number(packet_id)


def suback(packet_id, code=1):
    return b"\x90\x03" + number(packet_id) + bytes((code,))
