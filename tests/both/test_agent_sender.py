"""What the meter says and when: order, limits in flight, and where it starts again."""

import json
import unittest

from wattledger.agent.comms.challenge import Challenge
from wattledger.agent.comms.envelope import Keyring
from wattledger.agent.comms.sender import Sender
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import ScriptedLink, config_of

HEAP = "448K"


class TestSender(unittest.TestCase):
    def setUp(self):
        self.clock = VirtualClock(0)
        self.link = ScriptedLink()
        self.journal = Journal(MemoryStorage(), jws.METER)
        self.said = 0
        self.challenge = Challenge(SeededEntropy(1), self.clock)
        self.sender = Sender(
            config_of(),
            self.link,
            Keyring(jws.DEVICE_KEY, ()),
            self.journal,
            self.challenge,
            self.clock,
        )

    def write(self, count):
        for _ in range(count):
            self.journal.append(records.EVENT, 1, 0, 0, b"\0" * 10)
        self.journal.flush()

    def work(self):
        """One call; (leaf, data, retain) of what it sent, or None."""
        before = len(self.link.out)
        worked = self.sender.work(lambda: {"boots": 3}, lambda: {"v": self.said}, self.said)
        self.assertEqual(len(self.link.out) - before, 1 if worked else 0)
        if not worked:
            return None
        topic, data, retain = self.link.out[-1]
        return topic.split("/")[-1], data, retain

    def work_out(self):
        """All that is due now, in order."""
        found = []
        item = self.work()
        while item:
            found.append(item)
            item = self.work()
        return found

    def leaves(self):
        return [leaf for leaf, _, _ in self.work_out()]

    def settle(self):
        self.work_out()

    def spans(self, found):
        """(first sequence, how many) of the journal messages among `found`."""
        messages = [json.loads(data) for leaf, data, _ in found if leaf == "journal"]
        return [(message["from"], len(message["e"])) for message in messages]

    def answer(self, number):
        return {"m": jws.METER, "of": "%016x" % number, "result": "ok", "detail": "", "op": 1}

    # --- what comes first ---

    def test_a_connection_begins_with_status_hello_acks_state_journal(self):
        self.write(1)
        self.sender.answer(self.answer(1))
        found = self.work_out()
        self.assertEqual(
            [(leaf, retain) for leaf, _, retain in found],
            [
                ("status", True),
                ("hello", True),
                ("ack", False),
                ("state", True),
                ("journal", False),
            ],
        )
        self.assertEqual(found[0][1], b"online")

    def test_topics_carry_tenant_and_meter(self):
        self.work()
        self.assertEqual(self.link.out[0][0], "wl/1/demo/m/demo-0001/status")

    def test_a_hello_is_signed_and_numbered_and_names_the_head(self):
        self.write(2)
        hello = json.loads(jws.unsign(self.work_out()[1][1]))
        head = "".join(["%02x" % byte for byte in self.journal.durable_hash])
        self.assertEqual(hello["m"], jws.METER)
        self.assertEqual(hello["boots"], 3)
        self.assertEqual(hello["message"], 1)
        self.assertEqual(hello["challenge"], self.challenge.now)
        self.assertEqual(hello["head"], {"sequence": 2, "hash": head})

    def test_the_head_is_the_durable_one(self):
        self.write(1)
        self.journal.append(records.EVENT, 1, 0, 0, b"\0" * 10)
        self.sender.answer(self.answer(1))
        found = self.work_out()
        for leaf, data, _ in found:
            if leaf in ("hello", "ack"):
                self.assertEqual(json.loads(jws.unsign(data))["head"]["sequence"], 1)
        self.assertEqual(self.spans(found), [(1, 1)])

    def test_an_ack_has_the_fields_of_the_protocol_and_no_more(self):
        self.sender.answer(self.answer(0x1F))
        ack = [data for leaf, data, _ in self.work_out() if leaf == "ack"][0]
        self.assertEqual(
            sorted(json.loads(jws.unsign(ack))), ["detail", "head", "m", "of", "result"]
        )

    # --- a range once more ---

    def test_a_full_link_takes_a_range_that_was_promised_later(self):
        self.write(20)
        self.sender.start_at(20)
        self.settle()
        self.link.room = len(self.link.out) + 1
        self.sender.send_again(3, 14)
        self.assertEqual(self.spans(self.work_out()), [(3, 8)])
        for _ in range(3):
            self.assertIsNone(self.work())
        self.link.room = 1000
        self.assertEqual(self.spans(self.work_out()), [(11, 4)])
        self.write(1)
        self.assertEqual(self.spans(self.work_out()), [(21, 1)])

    def test_a_range_that_is_gone_is_in_nobodys_way(self):
        self.write(2)
        self.sender.start_at(2)
        self.settle()
        self.sender.send_again(7, 9)
        self.write(1)
        self.assertEqual(self.spans(self.work_out()), [(3, 1)])

    # --- challenge and hello ---

    def test_each_connect_has_a_new_challenge_and_the_one_before_still_counts(self):
        self.settle()
        before = self.challenge.now
        self.link.number += 1
        found = self.work_out()
        self.assertEqual([leaf for leaf, _, _ in found][:2], ["status", "hello"])
        hello = json.loads(jws.unsign(found[1][1]))
        self.assertNotEqual(hello["challenge"], before)
        self.assertEqual(hello["message"], 2)
        self.assertTrue(self.challenge.accepts(before, 1))

    def test_ten_minutes_bring_a_hello_with_a_new_challenge(self):
        self.settle()
        before = self.challenge.now
        self.clock.advance(599_999)
        self.assertNotIn("hello", self.leaves())
        self.clock.advance(1)
        self.assertIn("hello", self.leaves())
        self.assertNotEqual(self.challenge.now, before)

    def test_a_hello_that_is_asked_for_comes_once_in_five_seconds(self):
        self.settle()
        self.clock.advance(4_999)
        self.sender.ask_hello()
        self.assertNotIn("hello", self.leaves())
        self.clock.advance(1)
        before = self.challenge.now
        self.sender.ask_hello()
        self.sender.ask_hello()
        self.assertEqual(self.leaves().count("hello"), 1)
        self.assertEqual(self.challenge.now, before)

    def test_a_hello_that_is_asked_for_too_soon_comes_later(self):
        self.settle()
        self.sender.ask_hello()
        self.clock.advance(4_999)
        self.assertNotIn("hello", self.leaves())
        self.clock.advance(1)
        self.assertEqual(self.leaves().count("hello"), 1)
        self.clock.advance(5_000)
        self.assertNotIn("hello", self.leaves())

    # --- state ---

    def test_a_state_every_ten_seconds(self):
        self.settle()
        times = []
        for second in range(1, 41):
            self.clock.advance(1_000)
            if "state" in self.leaves():
                times.append(second)
        self.assertEqual(times, [10, 20, 30, 40])

    def test_a_change_is_told_at_once_and_at_most_once_a_second(self):
        self.settle()
        told = 0
        for _ in range(50):  # five seconds, a change each tenth
            self.clock.advance(100)
            self.said += 1
            told += self.leaves().count("state")
        self.assertEqual(told, 5)

    def test_the_last_of_many_changes_is_told(self):
        self.settle()
        self.said = 1
        self.assertEqual(self.leaves(), [])
        self.said = 2
        self.clock.advance(1_000)
        found = self.work_out()
        self.assertEqual(json.loads(found[0][1]), {"v": 2})
        self.clock.advance(1_000)
        self.assertEqual(self.leaves(), [])

    # --- journal ---

    def test_at_most_eight_records_a_message_and_four_messages_in_flight(self):
        self.write(50)
        self.link.acked = []
        spans = self.spans(self.work_out())
        self.assertEqual(spans, [(1, 8), (9, 8), (17, 8), (25, 8)])

    def test_messages_carry_the_records_and_the_hash_before(self):
        self.write(9)
        messages = [json.loads(data) for leaf, data, _ in self.work_out() if leaf == "journal"]
        self.assertEqual([message["m"] for message in messages], [jws.METER] * 2)
        # The hash before sequence 1 is that of the meter id: SHA-256("demo-0001")[:8].
        self.assertEqual(messages[0]["prev"], "d1cec731efc2b9cb")
        for message in messages:
            for offset, text in enumerate(message["e"]):
                data = jws.unletters(text)
                self.assertEqual(data, self.journal.read(message["from"] + offset))
        last = jws.unletters(messages[0]["e"][-1])
        self.assertEqual(messages[1]["prev"], "".join(["%02x" % byte for byte in last[-8:]]))

    def test_a_puback_moves_only_the_sending_position(self):
        self.write(50)
        self.link.acked = []
        self.work_out()
        self.link.acked = list(range(1, 100))
        self.assertEqual(self.spans(self.work_out())[0], (33, 8))
        self.assertEqual(self.sender.acknowledged, 0)

    def test_flight_ends_in_the_order_it_began(self):
        self.write(50)
        self.link.acked = []
        found = self.work_out()
        first = len(self.link.out) - 3
        self.assertEqual(len(self.spans(found)), 4)
        self.link.acked = [first + 1]  # the second of the four
        self.assertEqual(self.spans(self.work_out()), [])
        self.link.acked = [first, first + 1]
        self.assertEqual(self.spans(self.work_out()), [(33, 8), (41, 8)])

    def test_a_reconnect_starts_again_at_the_cursor(self):
        self.write(40)
        self.settle()
        self.sender.acknowledge(10)
        self.link.number += 1
        self.assertEqual(self.spans(self.work_out())[0], (11, 8))

    def test_a_boot_starts_after_the_kept_cursor(self):
        self.write(12)
        self.sender.start_at(9)
        self.assertEqual(self.spans(self.work_out()), [(10, 3)])

    def test_what_is_acknowledged_is_not_sent_again(self):
        self.write(8)
        self.settle()
        self.sender.acknowledge(8)
        self.clock.advance(120_000)
        self.assertNotIn("journal", self.leaves())
        self.write(1)
        self.assertEqual(self.spans(self.work_out()), [(9, 1)])

    def test_an_acknowledgement_ahead_of_the_position_skips_to_it(self):
        self.write(30)
        self.sender.acknowledge(20)
        self.sender.start_at(20)
        self.assertEqual(self.spans(self.work_out()), [(21, 8), (29, 2)])

    def test_a_utility_that_misses_something_gets_it_again_a_second_later(self):
        self.write(16)
        self.settle()
        self.sender.acknowledge(8)
        self.clock.advance(5_000)
        self.sender.acknowledge(8)
        self.clock.advance(999)
        self.sender.acknowledge(3)
        self.assertEqual(self.spans(self.work_out()), [])
        self.clock.advance(1)
        self.assertEqual(self.spans(self.work_out()), [(9, 8)])
        self.assertEqual(self.sender.acknowledged, 8)
        self.clock.advance(1_000)  # it said so once
        self.assertEqual(self.spans(self.work_out()), [])

    def test_a_utility_that_had_it_on_its_way_gets_nothing_twice(self):
        self.write(50)
        self.link.acked = []
        self.settle()
        self.clock.advance(5_000)
        self.sender.acknowledge(0)  # said before the four messages were there
        self.clock.advance(999)
        self.sender.acknowledge(8)
        self.clock.advance(1_000)
        self.link.acked = True
        self.assertEqual(self.spans(self.work_out())[0], (33, 8))

    def test_it_misses_something_while_others_are_on_their_way(self):
        self.write(50)
        self.link.acked = []
        self.settle()
        self.sender.acknowledge(0)
        self.clock.advance(1_000)
        self.assertEqual(self.spans(self.work_out()), [])  # four are in flight
        self.link.acked = True
        self.assertEqual(self.spans(self.work_out())[0], (1, 8))

    def test_it_waits_while_four_messages_fly(self):
        self.write(24)
        self.link.acked = []
        self.settle()
        self.assertFalse(self.sender.is_waiting())
        self.write(8)
        self.settle()
        self.assertTrue(self.sender.is_waiting())
        self.link.up = False
        self.assertFalse(self.sender.is_waiting())

    def test_a_utility_that_says_nothing_gets_it_again_ever_more_rarely(self):
        self.write(3)
        self.settle()
        sent = []
        for second in range(5, 5_000, 5):
            self.clock.advance(5_000)
            self.link.out = []
            if self.spans(self.work_out()) == [(1, 3)]:
                sent.append(second)
        # 15 s later, then after 30, 60, 120, 240, 480 and from then on 900 s.
        self.assertEqual(sent, [15, 45, 105, 225, 465, 945, 1845, 2745, 3645, 4545])
        self.sender.acknowledge(1)  # it is back
        self.clock.advance(14_999)
        self.assertEqual(self.spans(self.work_out()), [])
        self.clock.advance(1)
        self.assertEqual(self.spans(self.work_out()), [(2, 2)])

    def test_a_quiet_meter_does_not_wait_the_longer_for_it(self):
        self.write(3)
        self.settle()
        self.sender.acknowledge(3)
        for _ in range(100):  # a quarter of an hour and more with nothing to say
            self.clock.advance(10_000)
            self.link.out = []
            self.assertEqual(self.spans(self.work_out()), [])
        self.write(1)
        self.assertEqual(self.spans(self.work_out()), [(4, 1)])
        self.clock.advance(15_000)
        self.assertEqual(self.spans(self.work_out()), [(4, 1)])

    # --- a link that does not take it ---

    def test_while_it_is_down_nothing_is_sent_and_acks_are_bounded(self):
        self.link.up = False
        for number in range(100):
            self.sender.answer(self.answer(number))
            self.assertIsNone(self.work())
            self.clock.advance(60_000)
        self.link.up = True
        acks = [json.loads(jws.unsign(d))["of"] for leaf, d, _ in self.work_out() if leaf == "ack"]
        self.assertEqual(acks, ["%016x" % number for number in range(92, 100)])

    def test_a_full_queue_loses_nothing(self):
        self.write(20)
        self.sender.answer(self.answer(1))
        everything = []
        for room in range(1, 10):
            self.link.room = room
            found = self.work_out()
            self.assertEqual(len(found), 1)
            everything += found
            if room > 6:
                break
        self.assertEqual(
            [leaf for leaf, _, _ in everything],
            ["status", "hello", "ack", "state", "journal", "journal", "journal"],
        )
        self.assertEqual(self.spans(everything), [(1, 8), (9, 8), (17, 4)])

    def test_an_unreadable_journal_sends_none_and_raises_nothing(self):
        self.write(3)
        self.journal.resume(40, b"\0" * 8, 0)
        self.sender.start_at(20)
        self.assertNotIn("journal", self.leaves())


if __name__ == "__main__":
    unittest.main()
