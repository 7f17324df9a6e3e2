"""Parts of an application are asked for one at a time, and matched to the question."""

import json
import struct
import unittest

from wattledger.firmware.fetch import Fetcher
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.fixtures_agent import ScriptedLink

HEAP = "512K"


class TestFetcher(unittest.TestCase):
    def setUp(self):
        self.link = ScriptedLink()
        self.clock = VirtualClock(0)
        self.fetcher = Fetcher(self.link, self.clock, "demo", "demo-0001")

    def asked(self):
        """Questions since the last call: (seq, file, at)."""
        found = []
        for leaf, data, retain in self.link.take():
            document = json.loads(data)
            self.assertEqual((leaf, retain, len(document)), ("fetch", False, 3))
            found.append((document["seq"], document["file"], document["at"]))
        return found

    def answer(self, sequence, file, at, data):
        # RFC 1700 order: the most significant byte first.
        head = bytes([0, 0, 0, sequence, 0, file]) + struct.pack(">I", at)
        self.fetcher.hear(head + data)

    def test_it_asks_and_takes_the_answer(self):
        self.assertEqual(self.link.topics, ["wl/1/demo/m/demo-0001/part"])
        self.assertEqual(self.fetcher.ask(8, 2, 4096), None)
        self.assertEqual(self.asked(), [(8, 2, 4096)])
        self.answer(8, 2, 4096, b"data")
        self.assertEqual(self.fetcher.ask(8, 2, 4096), b"data")
        self.assertEqual(self.asked(), [])

    def test_one_question_a_second(self):
        self.fetcher.ask(8, 0, 0)
        self.answer(8, 0, 0, b"x")
        self.assertEqual(self.fetcher.ask(8, 0, 0), b"x")
        self.fetcher.ask(8, 1, 0)
        self.clock.advance(999)
        self.fetcher.ask(8, 1, 0)
        self.assertEqual(self.asked(), [(8, 0, 0)])
        self.clock.advance(1)
        self.fetcher.ask(8, 1, 0)
        self.assertEqual(self.asked(), [(8, 1, 0)])

    def test_a_silence_is_followed_by_the_same_question_ever_later(self):
        self.fetcher.ask(8, 0, 0)
        self.asked()
        at = []
        for second in range(1, 3001):
            self.clock.advance(1000)
            self.fetcher.ask(8, 0, 0)
            if self.asked():
                at.append(second)
        # After 30, 60, 120, 240, 480 seconds, then each 900.
        self.assertEqual(at, [30, 90, 210, 450, 930, 1830, 2730])

    def test_a_new_connection_is_asked_at_once(self):
        self.fetcher.ask(8, 0, 0)
        self.asked()
        self.link.up = False
        self.clock.advance(10_000)
        self.fetcher.ask(8, 0, 0)
        self.link.up = True
        self.link.number = 2
        self.fetcher.ask(8, 0, 0)
        self.assertEqual(self.asked(), [(8, 0, 0)])

    def test_only_what_was_asked_for_is_taken(self):
        self.answer(8, 0, 0, b"unasked")
        self.fetcher.ask(8, 1, 4096)
        for sequence, file, at in ((7, 1, 4096), (8, 2, 4096), (8, 1, 0)):
            self.answer(sequence, file, at, b"other")
        for data in (b"", b"123456789", bytes(10 + 4097)):
            self.fetcher.hear(data)
        self.assertEqual(self.fetcher.ask(8, 1, 4096), None)
        self.answer(8, 1, 4096, bytes(4096))
        self.assertEqual(self.fetcher.ask(8, 1, 4096), bytes(4096))


if __name__ == "__main__":
    unittest.main()
