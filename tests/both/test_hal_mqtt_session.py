"""The session, given bytes and times: byte-exact answers, tokens, keepalive, what ends it."""

import unittest

from wattledger.hal.network.mqtt.packet import MqttError
from wattledger.hal.network.mqtt.session import Session
from wattledger.tests.both.fixtures_mqtt import CONNACK, PINGRESP, puback, publish, suback

CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x1e\x00\x02m1"
WRAP = 1 << 30


class Wire:
    """A Session and the broker's side of it."""

    def __init__(self, now=0, **options):
        self.said = []
        self.session = Session("m1", tell=self.said.append, **options)
        self.now = now

    def open(self):
        self.session.open(self.now)
        return self

    def accept(self):
        self.open()
        self.hear(CONNACK)
        self.sent()
        return self

    def hear(self, data):
        self.session.heard(memoryview(data), self.now)

    def sent(self, room=4096):
        """All that waits to be sent."""
        into = bytearray(room)
        out = b""
        while True:
            count = self.session.take(memoryview(into), self.now)
            if not count:
                return out
            out += bytes(into[:count])

    def send(self, data=b"!", topic="a/b", retain=False):
        return self.session.send(topic, data, retain, self.now)

    def after(self, ms):
        self.now = (self.now + ms) % WRAP
        self.session.check(self.now)
        return self.sent()


class TestSession(unittest.TestCase):
    def test_connect_then_subscriptions_then_up(self):
        wire = Wire()
        wire.session.subscribe("a/b")
        wire.session.subscribe("c")
        wire.session.subscribe("a/b")
        self.assertEqual(wire.open().sent(), CONNECT)
        self.assertEqual((wire.session.up, wire.session.number, wire.send()), (False, 0, 0))
        wire.hear(CONNACK)
        self.assertEqual((wire.session.up, wire.session.number), (True, 1))
        self.assertEqual(
            wire.sent(), b"\x82\x08\x00\x01\x00\x03a/b\x01" + b"\x82\x06\x00\x02\x00\x01c\x01"
        )
        wire.hear(suback(1) + suback(2, 0))
        wire.session.subscribe("d")
        self.assertEqual(wire.sent(), b"\x82\x06\x00\x03\x00\x01d\x01")
        # and all of them at the next connect
        wire.session.lost()
        wire.open()
        wire.hear(CONNACK)
        self.assertEqual(wire.sent().count(b"\x82"), 3)
        self.assertEqual(wire.session.number, 2)

    def test_messages_are_numbered_and_sent_once_acknowledged_in_any_order(self):
        wire = Wire().accept()
        first, second = wire.send(b"one"), wire.send(b"", "c", True)
        self.assertEqual((first, second), (1, 2))
        self.assertEqual(
            wire.sent(), b"\x32\x0a\x00\x03a/b\x00\x01one" + b"\x33\x05\x00\x01c\x00\x02"
        )
        self.assertFalse(wire.session.sent(first) or wire.session.sent(second))
        wire.hear(puback(2))
        self.assertEqual((wire.session.sent(first), wire.session.sent(second)), (False, True))
        wire.hear(puback(2) + puback(77))  # again, and one nobody waits for: nothing happens
        wire.hear(puback(1))
        self.assertTrue(wire.session.sent(first))
        self.assertFalse(wire.session.sent(3) or wire.session.sent(0))

    def test_bytes_are_taken_in_pieces_of_any_size(self):
        whole = None
        for room in (1, 2, 5, 7, 64):
            wire = Wire().accept()
            wire.send(b"0123456789")
            wire.send(b"x")
            out = wire.sent(room)
            whole = whole or out
            self.assertEqual(out, whole)
        self.assertEqual(len(whole), 19 + 10)

    def test_the_send_window(self):
        wire = Wire(send_limit=3).accept()
        self.assertEqual([wire.send() for _ in range(5)], [1, 2, 3, 0, 0])
        wire.hear(puback(2))
        self.assertEqual([wire.send() for _ in range(2)], [4, 0])

    def test_a_lost_connection_forgets_what_was_on_its_way(self):
        wire = Wire(send_limit=1).accept()
        wire.send(b"old")
        wire.session.lost()
        self.assertEqual((wire.session.up, wire.session.sent(1), wire.send()), (False, False, 0))
        wire.now += 29_000
        self.assertEqual(wire.open().sent(), CONNECT)
        wire.hear(CONNACK)
        self.assertEqual(wire.sent(), b"")
        # What was on its way fills no window and waits for no acknowledgement; one of the session
        # before is none of this one's, nor is its token.
        self.assertEqual(wire.send(b"new"), 2)
        wire.after(2_000)
        wire.hear(puback(1))
        self.assertFalse(wire.session.sent(1) or wire.session.sent(2))
        wire.hear(puback(2))
        self.assertEqual((wire.session.sent(1), wire.session.sent(2)), (False, True))

    def test_identifiers_wrap_and_leave_out_those_in_use(self):
        wire = Wire().accept()
        wire.send()  # identifier 1 stays unacknowledged
        for _ in range(2, 65_536):
            wire.send()
            wire.session._flying.pop()
            wire.session._out = []
        self.assertEqual(wire.session._last_id, 65_535)
        wire.send()
        self.assertEqual(wire.sent()[-3:], b"\x00\x02!")

    def test_messages_come_with_their_flag_and_are_acknowledged(self):
        wire = Wire().accept()
        wire.hear(publish(b"d/c", b"\x00\xff", 9, 1) + publish(b"d/c", b"zero"))
        self.assertEqual(wire.sent(), puback(9))
        self.assertEqual(wire.session.receive(), ("d/c", b"\x00\xff", True))
        self.assertEqual(wire.session.receive(), ("d/c", b"zero", False))
        self.assertIsNone(wire.session.receive())

    def test_a_full_queue_keeps_the_oldest_and_acknowledges_all(self):
        wire = Wire(receive_limit=2).accept()
        for n in range(5):
            wire.hear(publish(b"d", b"%d" % n, n + 1))
        self.assertEqual(wire.sent(), b"".join(puback(n + 1) for n in range(5)))
        self.assertEqual(wire.session.dropped_full, 3)
        self.assertEqual([wire.session.receive()[1] for _ in range(2)], [b"0", b"1"])

    def test_what_waits_is_bounded_in_bytes_too(self):
        wire = Wire().accept()
        for n in range(6):
            wire.hear(publish(b"d", bytes(9000), n + 1))
        # 4 x 9216 = 36 864 bytes hold four of 9000
        self.assertEqual(wire.session.dropped_full, 2)
        while wire.session.receive():
            pass
        wire.hear(publish(b"d", bytes(9216), 9))
        self.assertEqual(len(wire.session.receive()[1]), 9216)

    def test_over_long_and_nameless_messages_are_counted_and_acknowledged(self):
        wire = Wire().accept()
        wire.hear(publish(b"d", bytes(9217), 5) + publish(b"\xff", b"", 6))
        wire.hear(publish(b"a\x00b", b"", 7) + publish(b"d", b"!", 8))
        self.assertEqual(wire.sent(), puback(5) + puback(6) + puback(7) + puback(8))
        self.assertEqual((wire.session.dropped_long, wire.session.dropped_bad), (1, 2))
        self.assertEqual(wire.session.receive(), ("d", b"!", False))
        self.assertIsNone(wire.session.receive())

    def test_a_refusal_says_why(self):
        for code, words in (
            (1, "Unacceptable protocol version"),
            (2, "Client identifier not accepted"),
            (3, "Server unavailable"),
            (4, "Bad user name or password"),
            (5, "Not authorized"),
        ):
            wire = Wire().open()
            with self.assertRaises(MqttError) as raised:
                wire.hear(b"\x20\x02\x00" + bytes((code,)))
            self.assertEqual(str(raised.exception), "the broker refuses this client: " + words)
            self.assertFalse(wire.session.up)

    def test_a_session_that_is_present_changes_nothing(self):
        wire = Wire().open()
        wire.hear(b"\x20\x02\x01\x00")
        self.assertTrue(wire.session.up)

    def test_answers_that_make_no_sense_end_the_connection(self):
        for data in (b"\x20\x02\x02\x00", b"\x20\x02\x00\x06", PINGRESP, puback(1)):
            wire = Wire().open()
            self.assertRaises(MqttError, wire.hear, data)
        for data in (CONNACK, suback(1), b"\x30\xff\xff\xff\xff\xff"):
            wire = Wire().accept()
            self.assertRaises(MqttError, wire.hear, data)
        wire = Wire()
        wire.session.subscribe("a")
        wire.accept()
        self.assertRaises(MqttError, wire.hear, suback(1, 3))

    def test_no_bytes_raise_anything_but_their_own_error(self):
        stream = CONNACK + publish(b"a/b", b"!", 9) + puback(1) + suback(1) + PINGRESP
        seed = 1
        ended = 0
        for _ in range(400):
            wire = Wire()
            wire.session.subscribe("a")
            wire.open()
            data = bytearray(stream)
            for _ in range(3):
                seed = (seed * 1103 + 12345) % 65_536
                data[seed % len(data)] ^= 1 << seed // 256 % 8
            try:
                wire.hear(bytes(data))
            except MqttError:
                ended += 1
            wire.session.lost()
            wire.open()
            wire.hear(CONNACK)
            self.assertTrue(wire.session.up)
        self.assertTrue(200 < ended < 400)

    def test_a_refused_subscription_is_told_and_the_link_stays(self):
        wire = Wire()
        wire.session.subscribe("a")
        wire.accept()
        wire.hear(suback(1, 0x80))
        self.assertEqual((wire.session.up, wire.said), (True, ["subscription refused"]))

    def test_silence_is_pinged_at_half_the_keepalive_and_ends_at_the_whole(self):
        for start in (0, WRAP - 20_000):  # and over the wrap of the ticks
            wire = Wire(start).accept()
            self.assertEqual(wire.after(14_999), b"")
            self.assertEqual(wire.after(1), b"\xc0\x00")
            self.assertEqual(wire.after(10_000), b"")
            wire.hear(PINGRESP)  # at 25 s; the next is due 15 s after the last was sent
            self.assertEqual(wire.after(4_999), b"")
            self.assertEqual(wire.after(1), b"\xc0\x00")
            self.assertEqual(wire.after(14_999), b"")
            with self.assertRaises(MqttError) as raised:
                wire.after(1)  # at 45 s
            self.assertEqual(str(raised.exception), "lost: nothing came for 20 s")

    def test_a_listener_pings_too(self):
        # The broker counts what it hears of us: messages to us at QoS 0 are none of that.
        wire = Wire().accept()
        for _ in range(2):
            wire.after(7_000)
            wire.hear(publish(b"d", b""))
        self.assertEqual(wire.after(1_000), b"\xc0\x00")

    def test_a_talker_that_hears_nothing_pings_too(self):
        wire = Wire().accept()
        for _ in range(2):
            wire.after(7_000)
            wire.send()
            self.assertEqual(wire.sent()[:1], b"\x32")
        self.assertEqual(wire.after(1_000), b"\xc0\x00")

    def test_time_in_which_nobody_turned_us_is_not_the_brokers_silence(self):
        wire = Wire().accept()
        self.assertEqual(wire.after(100_000), b"\xc0\x00")
        wire.hear(PINGRESP)
        self.assertEqual(wire.after(14_000), b"")

    def test_a_message_unacknowledged_for_the_keepalive_ends_it(self):
        wire = Wire().accept()
        wire.send()
        wire.after(10_000)
        wire.send()
        wire.after(10_000)
        wire.hear(puback(1))  # at 20 s; the second waits since 10 s
        for _ in range(2):
            wire.after(9_000)
            wire.hear(PINGRESP)
        wire.after(1_999)
        with self.assertRaises(MqttError) as raised:
            wire.after(1)
        self.assertEqual(str(raised.exception), "the broker stopped acknowledging messages")

    def test_a_connect_unanswered_for_half_a_minute_ends_it(self):
        wire = Wire(WRAP - 1).open()
        self.assertEqual(wire.after(29_999), CONNECT)
        with self.assertRaises(MqttError) as raised:
            wire.after(1)
        self.assertIn("does not answer as an MQTT broker", str(raised.exception))

    def test_a_goodbye_goes_behind_what_waits(self):
        wire = Wire().accept()
        wire.send()
        wire.session.close()
        self.assertEqual(wire.sent()[-3:], b"!\xe0\x00")
        wire = Wire().open()
        wire.session.close()  # nobody to say it to
        self.assertEqual(wire.sent(), CONNECT)

    def test_a_broker_that_takes_no_acknowledgement_gets_no_more_read(self):
        wire = Wire(receive_limit=1, send_limit=4).accept()
        for n in range(1, 200):
            wire.hear(publish(b"d", b"", n))
            if wire.session.is_full():
                break
        self.assertEqual(n, 73)  # 64 and two for each message of ours, and one
        wire.sent()
        self.assertFalse(wire.session.is_full())
