"""Packets a client sends, byte by byte as MQTT 3.1.1 lays them out (chapters in brackets)."""

import unittest

from wattledger.hal.network.mqtt import packet
from wattledger.hal.network.mqtt.packet import MqttError


class TestPackets(unittest.TestCase):
    def test_connect_without_will_and_login(self):
        # [3.1]: 10 variable header bytes, flags 0x02 (clean session), keepalive 30 = 0x001E,
        # client id "m1" behind its length: 10 + 4 = 14 bytes.
        self.assertEqual(
            packet.connect("m1", 30),
            b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x1e\x00\x02m1",
        )

    def test_connect_with_will_and_login(self):
        # Flags: user 0x80, password 0x40, will retain 0x20, will QoS 1 0x08, will 0x04, clean
        # session 0x02 = 0xEE; 300 s = 0x012C; 10 + 4 + (2+3) + (2+7) + (2+1) + (2+2) = 35 bytes.
        self.assertEqual(
            packet.connect("m1", 300, ("s/o", b"offline"), ("u", "pw")),
            b"\x10\x23\x00\x04MQTT\x04\xee\x01\x2c\x00\x02m1\x00\x03s/o\x00\x07offline\x00\x01u"
            b"\x00\x02pw",
        )

    def test_connect_has_no_password_without_a_user(self):
        # [MQTT-3.1.2-22]
        self.assertEqual(packet.connect("m1", 30, login=(None, "pw")), packet.connect("m1", 30))
        self.assertEqual(packet.connect("m1", 30, login=("u", None))[9], 0x82)

    def test_an_empty_will_is_a_will(self):
        # [3.1.2.5]; flags 0x2E, 10 + 4 + (2+1) + 2 = 19 bytes
        self.assertEqual(
            packet.connect("m1", 0, ("s", b"")),
            b"\x10\x13\x00\x04MQTT\x04\x2e\x00\x00\x00\x02m1\x00\x01s\x00\x00",
        )

    def test_publish_at_qos_1(self):
        # [3.3]: type 3, QoS 1 = bit 1, retain bit 0; "a/b" is the example of figure 3.11; the
        # identifier 10; 2 + 3 + 2 bytes before a payload of 4.
        self.assertEqual(packet.publish_head("a/b", 4, 10, False), b"\x32\x0b\x00\x03a/b\x00\x0a")
        self.assertEqual(
            packet.publish_head("a/b", 4, 65535, True), b"\x33\x0b\x00\x03a/b\xff\xff"
        )

    def test_lengths(self):
        # Table 2.4
        for number, wanted in (
            (0, b"\x00"),
            (127, b"\x7f"),
            (128, b"\x80\x01"),
            (16_383, b"\xff\x7f"),
            (16_384, b"\x80\x80\x01"),
            (2_097_151, b"\xff\xff\x7f"),
            (2_097_152, b"\x80\x80\x80\x01"),
            (268_435_455, b"\xff\xff\xff\x7f"),
        ):
            self.assertEqual(packet.length(number), wanted)
        self.assertRaises(MqttError, packet.length, 268_435_456)

    def test_subscribe_and_the_small_ones(self):
        # [3.8]: reserved bits 0010; identifier 10, filter "a/b", QoS 1: 2 + 5 + 1 bytes
        self.assertEqual(packet.subscribe(10, "a/b"), b"\x82\x08\x00\x0a\x00\x03a/b\x01")
        self.assertEqual(packet.puback(0x1234), b"\x40\x02\x12\x34")
        self.assertEqual(packet.PINGREQ, b"\xc0\x00")
        self.assertEqual(packet.DISCONNECT, b"\xe0\x00")

    def test_text_is_utf_8_and_bounded(self):
        # "A" U+2A6D4, the example of 1.5.3.1: 00 05 41 F0 AA 9B 94
        self.assertEqual(packet.subscribe(1, "A\U0002a6d4")[4:11], b"\x00\x05A\xf0\xaa\x9b\x94")
        self.assertRaises(MqttError, packet.subscribe, 1, "x" * 65_536)
