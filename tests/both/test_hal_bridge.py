"""The bridge to a simulated world: its frames byte by byte, and worlds that misbehave."""

import unittest

from wattledger.hal.bus.bridge import Bridge, BridgeRelay
from wattledger.hal.errors import BusError


class Pipe:
    """Both ends of the bridge: remembers requests, hands out replies in `pieces`."""

    def __init__(self, *replies):
        self.asked = []
        self.left = b"".join([reply + b"\0" * (16 - len(reply)) for reply in replies])
        self.piece = 16

    def write(self, data):
        self.asked.append(bytes(data))
        return len(data)

    def readinto(self, view):
        count = min(self.piece, len(view), len(self.left))
        view[:count] = self.left[:count]
        self.left = self.left[count:]
        return count


def bridge_of(*replies):
    pipe = Pipe(*replies)
    return pipe, Bridge(pipe, pipe)


class TestFrames(unittest.TestCase):
    def test_hello_names_the_version_and_brings_the_time(self):
        # 1 799 704 800 000 = 0x01A306C3EB00
        pipe, bridge = bridge_of(b"\0\x01\x00\xeb\xc3\x06\xa3\x01\0\0")
        self.assertEqual(bridge.start(), 1_799_704_800_000)
        self.assertEqual(pipe.asked[0][:2], b"\0\x01")
        self.assertEqual(len(pipe.asked[0]), 16)

    def test_another_version_is_refused_naming_both(self):
        _, bridge = bridge_of(b"\0\x02")
        with self.assertRaises(BusError) as caught:
            bridge.start()
        self.assertIn("2", str(caught.exception))
        self.assertIn("1", str(caught.exception))

    def test_a_transfer_is_its_length_and_its_bytes(self):
        pipe, bridge = bridge_of(b"\0\xaa\xbb\xcc\xdd\xee")
        into = bytearray(4)
        bridge.transfer(b"\x80\x81\x12\x34", into)
        self.assertEqual(pipe.asked[0][:6], b"\x01\x04\x80\x81\x12\x34")
        self.assertEqual(bytes(into), b"\xaa\xbb\xcc\xdd")

    def test_fourteen_bytes_fit_and_fifteen_are_refused_unsent(self):
        pipe, bridge = bridge_of(b"\0" + bytes(range(14)))
        into = bytearray(14)
        bridge.transfer(bytes(14), into)
        self.assertEqual(bytes(into), bytes(range(14)))
        with self.assertRaises(BusError):
            bridge.transfer(bytes(15), bytearray(15))
        self.assertEqual(len(pipe.asked), 1)

    def test_time_passes_in_milliseconds(self):
        pipe, bridge = bridge_of(b"\0\x01\x00\x00\x00\x01\0\0\0")
        self.assertEqual(bridge.advance(1_000), (1 << 32) + 1)
        self.assertEqual(pipe.asked[0][:5], b"\x02\xe8\x03\0\0")

    def test_truth_is_two_numbers_of_seven_bytes(self):
        _, bridge = bridge_of(b"\0\x01\0\0\0\0\0\x01\x02\0\0\0\0\0\0")
        self.assertEqual(bridge.truth(), ((1 << 48) + 1, 2))

    def test_the_relay_moves_and_its_contact_is_read(self):
        pipe, bridge = bridge_of(b"", b"", b"\0\x00", b"\0\x01", b"\0\x02")
        relay = BridgeRelay(bridge)
        self.assertEqual(pipe.asked, [])  # construction moves nothing
        relay.open()
        relay.close()
        self.assertEqual([request[:2] for request in pipe.asked], [b"\x03\x00", b"\x03\x01"])
        self.assertEqual([relay.contact() for _ in range(3)], [False, True, None])

    def test_a_reply_in_pieces_is_put_together(self):
        for piece in (1, 3, 15):
            pipe, bridge = bridge_of(b"\0\xaa\xbb\xcc\xdd")
            pipe.piece = piece
            into = bytearray(4)
            bridge.transfer(bytes(4), into)
            self.assertEqual(bytes(into), b"\xaa\xbb\xcc\xdd")

    def test_a_refusal_is_a_bus_error_and_the_next_request_is_answered(self):
        pipe, bridge = bridge_of(b"\x01", b"\0\x01")
        with self.assertRaises(BusError):
            bridge.transfer(bytes(4), bytearray(4))
        self.assertEqual(bridge.contact(), True)

    def test_a_world_that_ends_is_the_end(self):
        for replies in ((), (b"\0\x01",)):
            pipe, bridge = bridge_of(*replies)
            pipe.left = pipe.left[:7]
            with self.assertRaises(EOFError):
                bridge.contact()


if __name__ == "__main__":
    unittest.main()
