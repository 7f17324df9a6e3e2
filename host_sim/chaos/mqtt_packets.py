"""MQTT 3.1.1 packets cut out of a byte stream, as far as faults need them (OASIS, chapter 2)."""

PUBLISH, PUBACK = 3, 4
RETAIN, DUPLICATE = 0x01, 0x08
MAX_LENGTH_BYTES = 4


class Splitter:
    """`take(data)` returns the packets (bytes) that are whole, each with its fixed header.

    A stream that is no MQTT is handed on as it comes, from the byte where that shows.
    """

    def __init__(self):
        self._rest = b""
        self._lost = False

    def take(self, data):
        """Whole packets, oldest first."""
        self._rest += data
        packets = []
        while self._rest:
            size = len(self._rest) if self._lost else self._size()
            if size is None or size > len(self._rest):
                break
            packets.append(self._rest[:size])
            self._rest = self._rest[size:]
        return packets

    def rest(self):
        """The bytes of a packet that never became whole."""
        rest, self._rest = self._rest, b""
        return rest

    def _size(self):
        length = 0
        for place in range(MAX_LENGTH_BYTES):
            if len(self._rest) < place + 2:
                return None
            byte = self._rest[place + 1]
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return place + 2 + length
        self._lost = True  # five length bytes: section 2.2.3 knows four at most
        return len(self._rest)


def kind_of(packet):
    """The control packet type, 1 to 14."""
    return packet[0] >> 4


def encode(first, body):
    """A packet of its first byte and the bytes after the remaining length."""
    length = len(body)
    head = bytearray([first])
    while True:
        head.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(head) + body


def body_of(packet):
    """The bytes after the remaining length."""
    place = 1
    while packet[place] & 0x80:
        place += 1
    return packet[place + 1 :]


def packet_id(packet):
    """Of a PUBLISH above QoS 0 or a PUBACK; None for others."""
    body = body_of(packet)
    if kind_of(packet) == PUBACK:
        return int.from_bytes(body[:2], "big")
    if kind_of(packet) != PUBLISH or not packet[0] & 0x06:
        return None
    at = 2 + int.from_bytes(body[:2], "big")
    return int.from_bytes(body[at : at + 2], "big")


def topic_of(packet):
    """The topic (bytes) of a PUBLISH."""
    body = body_of(packet)
    return body[2 : 2 + int.from_bytes(body[:2], "big")]


def payload_at(packet):
    """Where the payload of a PUBLISH starts in its body."""
    at = 2 + int.from_bytes(body_of(packet)[:2], "big")
    return at + 2 if packet[0] & 0x06 else at


def truncated(packet, keep):
    """A PUBLISH with the first `keep` bytes of its payload, well-formed."""
    return encode(packet[0], body_of(packet)[: payload_at(packet) + keep])


def flagged(packet, flag):
    """A PUBLISH with RETAIN or DUPLICATE set."""
    return bytes([packet[0] | flag]) + packet[1:]
