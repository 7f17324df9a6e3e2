"""The bridge as a whole port: what waits for the meter, time offers, messages, random bytes."""

import unittest

from wattledger.hal.bus.bridge import Bridge
from wattledger.hal.errors import BusError


class Pipe:
    """Both ends of the bridge: remembers what was written, hands out `replies` padded to 16."""

    def __init__(self, *replies):
        self.written = []
        self.piece = 9999
        self.left = b"".join([reply + b"\0" * (16 - len(reply)) for reply in replies])

    def write(self, data):
        self.written.append(bytes(data))
        return len(data)

    def readinto(self, view):
        count = min(self.piece, len(view), len(self.left))
        view[:count] = self.left[:count]
        self.left = self.left[count:]
        return count


def bridge_of(*replies):
    pipe = Pipe(*replies)
    return pipe, Bridge(pipe, pipe)


def told(bridge):
    return (
        bridge.offer_waits,
        bridge.message_waits,
        bridge.link_up,
        bridge.stopping,
        bridge.button,
        bridge.watches_writes,
        bridge.asks,
        bridge.visitor_waits,
        bridge.link_session,
    )


TIME = b"\x00\xeb\xc3\x06\xa3\x01\0\0"  # 1 799 704 800 000


class TestTime(unittest.TestCase):
    def test_nothing_waits_before_the_world_was_greeted(self):
        _, bridge = bridge_of()
        self.assertEqual(told(bridge), (False,) * 8 + (0,))

    def test_the_greeting_tells_what_waits(self):
        _, bridge = bridge_of(b"\0\x01" + TIME + b"\x05\x02\x01\0\0")
        self.assertEqual(bridge.start(), 1_799_704_800_000)
        self.assertEqual(told(bridge), (True, False, True) + (False,) * 5 + (258,))

    def test_each_advance_tells_it_anew(self):
        _, bridge = bridge_of(b"\0" + TIME + b"\xff\x07\0\0\0", b"\0" + TIME)
        bridge.advance(1_000)
        self.assertEqual(told(bridge), (True,) * 8 + (7,))
        bridge.advance(1_000)
        self.assertEqual(told(bridge), (False,) * 8 + (0,))

    def test_a_wait_in_the_middle_of_a_turn_is_marked(self):
        pipe, bridge = bridge_of(b"\0", b"\0", b"\0")
        bridge.advance(1_000)
        bridge.advance(20, True)
        bridge.advance(1_000)
        self.assertEqual(
            [request[:6] for request in pipe.written],
            [b"\x02\xe8\x03\0\0\0", b"\x02\x14\0\0\0\x01", b"\x02\xe8\x03\0\0\0"],
        )

    def test_an_offered_time_is_taken_once(self):
        pipe, bridge = bridge_of(b"\0" + TIME + b"\x01", b"\0\xe0\x29\x45\x6b")
        bridge.advance(1)
        self.assertEqual(bridge.take_offer(), 1_799_694_816)  # 0x6B4529E0
        self.assertEqual(pipe.written[1][0], 6)
        self.assertEqual(bridge.offer_waits, False)


class TestMessages(unittest.TestCase):
    def test_a_message_follows_its_frame_in_whole_frames(self):
        # 1 + 4 + 22 = 27 bytes (0x1B) of message fill two frames with five zeros.
        pipe, bridge = bridge_of(b"\0\x2a\x01\0\0")
        self.assertEqual(bridge.send("wl/x", b"abcdefghijklmnopqrstuv", False), 298)
        self.assertEqual(
            b"".join(pipe.written),
            b"\x07\x00\x1b\0\0\0" + b"\0" * 10 + b"\x04wl/xabcdefghijklmnopqrstuv" + b"\0" * 5,
        )

    def test_a_message_that_fills_its_frame_and_is_retained(self):
        pipe, bridge = bridge_of(b"\0\x01")
        self.assertEqual(bridge.send("s", b"12345678901234", True), 1)
        self.assertEqual(
            b"".join(pipe.written),
            b"\x07\x04\x10\0\0\0" + b"\0" * 10 + b"\x01s12345678901234",
        )

    def test_a_message_nobody_takes_has_the_token_0(self):
        _, bridge = bridge_of(b"")
        self.assertEqual(bridge.send("s", b"", False), 0)

    def test_a_refused_message_is_told_and_the_next_request_is_answered(self):
        _, bridge = bridge_of(b"\x01", b"\0\x01")
        with self.assertRaises(BusError):
            bridge.send("wl/x", b"abc", False)
        self.assertEqual(bridge.sent(3), True)

    def test_sent_names_its_token(self):
        pipe, bridge = bridge_of(b"\0\x01", b"\0\x00")
        self.assertEqual(bridge.sent(0x01020304), True)
        self.assertEqual(bridge.sent(9), False)
        self.assertEqual(pipe.written[0][:5], b"\x08\x04\x03\x02\x01")

    def test_a_message_comes_behind_its_frame(self):
        for piece in (16, 7, 1):
            message = b"\x03cmd0123456789\xffabcde"  # 20 bytes
            pipe, bridge = bridge_of(b"\0\x05\x14", message[:16], message[16:], b"\0\x01")
            pipe.piece = piece
            self.assertEqual(bridge.receive(), ("cmd", b"0123456789\xffabcde", True))
            self.assertEqual(bridge.contact(), True)  # nothing of it is left in the pipe

    def test_a_message_without_data(self):
        _, bridge = bridge_of(b"\0\x01\x04", b"\x03cmd")
        self.assertEqual(bridge.receive(), ("cmd", b"", False))

    def test_no_message_stops_the_asking(self):
        pipe, bridge = bridge_of(b"\0" + TIME + b"\x02", b"\0\x00")
        bridge.advance(1)
        self.assertEqual(bridge.message_waits, True)
        self.assertIsNone(bridge.receive())
        self.assertEqual(bridge.message_waits, False)
        self.assertEqual(pipe.written[1][0], 9)

    def test_a_world_that_ends_within_a_message_is_the_end(self):
        pipe, bridge = bridge_of(b"\0\x01\x14", b"\x03cmd0123456789")
        with self.assertRaises(EOFError):
            bridge.receive()


class TestVisitors(unittest.TestCase):
    def test_a_wish_comes_behind_its_frame(self):
        pipe, bridge = bridge_of(b"\0\x01\x0c", b"\x06accept12345")
        self.assertEqual(bridge.visit(), ("accept", b"12345", False))
        self.assertEqual(pipe.written[0][0], 14)

    def test_nobody_stops_the_asking(self):
        _, bridge = bridge_of(b"\0" + TIME + b"\x80", b"\0\x00")
        bridge.advance(1)
        self.assertEqual(bridge.visitor_waits, True)
        self.assertIsNone(bridge.visit())
        self.assertEqual(bridge.visitor_waits, False)


class TestEntropy(unittest.TestCase):
    def test_random_bytes_come_fifteen_at_a_time(self):
        pipe, bridge = bridge_of(b"\0ABCDEFGHIJKLMNO", b"\0PQRST")
        buffer = bytearray(18)
        bridge.fill(buffer)
        self.assertEqual(bytes(buffer), b"ABCDEFGHIJKLMNOPQR")
        self.assertEqual([request[:2] for request in pipe.written], [b"\x0a\x0f", b"\x0a\x03"])


class TestSupply(unittest.TestCase):
    def test_what_it_tells_fills_one_frame(self):
        pipe, bridge = bridge_of(b"\0" + TIME + b"\x40", b"\0")
        bridge.advance(1)
        bridge.tell(-2, 0x0168000001, 5)
        self.assertEqual(
            pipe.written[1], b"\x0d\xfe" + b"\xff" * 7 + b"\x01\0\0\x68\x01" + b"\x05\0"
        )
        self.assertEqual(bridge.asks, False)


class TestWrites(unittest.TestCase):
    def test_a_write_names_its_length_and_hears_what_arrives(self):
        pipe, bridge = bridge_of(b"\0\xff\xff\xff\xff", b"\0\x07\0\0\0")
        self.assertEqual([bridge.writing(258), bridge.writing(9)], [-1, 7])
        self.assertEqual([w[:5] for w in pipe.written], [b"\x0b\x02\x01\0\0", b"\x0b\x09\0\0\0"])

    def test_lost_power_is_never_answered(self):
        pipe, bridge = bridge_of()
        with self.assertRaises(EOFError):
            bridge.lose_power()
        self.assertEqual(pipe.written[0][0], 12)


if __name__ == "__main__":
    unittest.main()
