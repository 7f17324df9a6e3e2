"""The parser: any split of the bytes gives the same packets; no nonsense is taken."""

import unittest

from wattledger.hal.network.mqtt import parser as parsers
from wattledger.hal.network.mqtt.packet import MqttError
from wattledger.hal.network.mqtt.parser import Parser
from wattledger.tests.both.fixtures_mqtt import PINGRESP, puback, publish, suback


def parsed(data, piece=None):
    """What is in the bytes, fed `piece` at a time, as tuples."""
    parser = Parser()
    found = []
    piece = piece or len(data)
    for begin in range(0, len(data), piece):
        view = memoryview(data[begin : begin + piece])
        at = 0
        while at < len(view):
            at = parser.take(view, at, len(view))
            if parser.done:
                found.append(shown(parser))
    return found


def shown(parser):
    if parser.kind != 3:
        return (parser.kind, bytes(parser.small[: parsers.LENGTHS[parser.kind]]))
    if parser.body is None:
        return (3, parser.qos, parser.packet_id, "starved" if parser.starved else "long")
    topic = bytes(parser.body[: parser.topic_bytes])
    payload = bytes(parser.body[parser.payload_at :])
    return (3, parser.qos, parser.packet_id, parser.retain, topic, payload)


# [3.2], [3.3], [3.4], [3.9], [3.13]
STREAM = (
    b"\x20\x02\x00\x00"
    b"\x32\x0b\x00\x03a/b\x00\x0axyz!"
    b"\x31\x05\x00\x03a/b"
    b"\x3a\x07\x00\x03a/b\x00\x0b"
    b"\x40\x02\x00\x0c"
    b"\x90\x03\x00\x0d\x01"
    b"\xd0\x00"
)
PACKETS = [
    (2, b"\x00\x00"),
    (3, 1, 10, False, b"a/b", b"xyz!"),
    (3, 0, 0, True, b"a/b", b""),
    (3, 1, 11, False, b"a/b", b""),
    (4, b"\x00\x0c"),
    (9, b"\x00\x0d\x01"),
    (13, b""),
]


class TestParser(unittest.TestCase):
    def test_packets_at_once_and_in_pieces_of_every_size(self):
        for piece in range(1, len(STREAM) + 1):
            self.assertEqual(parsed(STREAM, piece), PACKETS)

    def test_a_length_of_two_and_three_bytes(self):
        for size in (118, 119, 9216):  # 119 makes 128 bytes with the 9 before it
            data = publish(b"down/cmd"[:5], bytes(size), 7)
            for piece in (1, 100, len(data)):
                found = parsed(data, piece)
                self.assertTrue(found[0][5] == bytes(size))
                self.assertEqual(len(found), 1)

    def test_an_over_long_message_is_passed_over_and_keeps_its_identifier(self):
        for topic, size in ((b"a/b", 9217), (b"a/b", 20_000), (b"t" * 257, 1)):
            data = publish(topic, bytes(size), 0x0102) + PINGRESP
            for piece in (1, 3, 512, len(data)):
                self.assertEqual(parsed(data, piece), [(3, 1, 0x0102, "long"), (13, b"")])
        self.assertEqual(parsed(publish(b"a/b", bytes(9217))), [(3, 0, 0, "long")])

    def test_the_longest_message_is_not_held_in_memory(self):
        # 268 435 455 bytes, of which one comes: nothing of that size is asked of the heap.
        parser = Parser()
        data = memoryview(b"\x32\xff\xff\xff\x7f\x00\x03a/b\x00\x07!")
        self.assertEqual(parser.take(data, 0, len(data)), len(data))
        self.assertEqual((parser.done, parser.body), (False, None))

    def test_no_heap_for_a_message_loses_the_message_alone(self):
        def none(size):
            raise MemoryError

        parser = Parser()
        parsers.bytearray = none
        try:
            view = memoryview(publish(b"a/b", b"!", 9) + puback(3))
            at = parser.take(view, 0, len(view))
            self.assertEqual((parser.done, shown(parser)), (True, (3, 1, 9, "starved")))
            parser.take(view, at, len(view))
            self.assertEqual(shown(parser), (4, b"\x00\x03"))
        finally:
            del parsers.bytearray

    def test_what_no_broker_may_send(self):
        for data in (
            b"\x00\x00",  # reserved [2.2.1]
            b"\xf0\x00",
            b"\x10\x00",  # CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT are a client's
            b"\x82\x00",
            b"\xa2\x00",
            b"\xc0\x00",
            b"\xe0\x00",
            b"\x50\x02\x00\x01",  # PUBREC, PUBREL, PUBCOMP: we send and ask for nothing at QoS 2
            b"\x62\x02\x00\x01",
            b"\x70\x02\x00\x01",
            b"\xb0\x02\x00\x01",  # UNSUBACK
            b"\x21\x02\x00\x00",  # reserved flags [2.2.2]
            b"\x42\x02\x00\x01",
            b"\xd1\x00",
            b"\x20\x03\x00\x00\x00",  # wrong lengths
            b"\x20\x01\x00",
            b"\x40\x03\x00\x01\x00",
            b"\x90\x04\x00\x01\x01\x01",
            b"\xd0\x01\x00",
            b"\x36\x06\x00\x01a\x00\x01!",  # QoS 3 [MQTT-3.3.1-4]
            b"\x34\x06\x00\x01a\x00\x01!",  # QoS 2
            b"\x38\x04\x00\x01a!",  # a duplicate at QoS 0 [MQTT-3.3.1-2]
            b"\x30\x00",  # no topic
            b"\x30\x01\x00",
            b"\x30\x02\x00\x00",  # an empty one [MQTT-4.7.3-1]
            b"\x30\x04\x00\x03a/",  # one that is longer than the packet
            b"\x32\x05\x00\x03a/b",  # QoS 1 without an identifier
            b"\x32\x07\x00\x03a/b\x00\x00",  # identifier 0 [MQTT-2.3.1-1]
            b"\x30\xff\xff\xff\xff\x01",  # five bytes of length [2.2.3]
            b"\x30\x80\x80\x80\x80\x01",
        ):
            for piece in (1, len(data)):
                with self.subTest(data=data, piece=piece):
                    with self.assertRaises(MqttError):
                        parsed(data, piece)

    def test_the_parser_begins_anew_with_a_connection(self):
        parser = Parser()
        half = memoryview(publish(b"a/b", b"0123456789", 5)[:9])
        parser.take(half, 0, len(half))
        parser.restart()
        view = memoryview(suback(6))
        self.assertEqual(parser.take(view, 0, len(view)), 5)
        self.assertEqual(shown(parser), (9, b"\x00\x06\x01"))
