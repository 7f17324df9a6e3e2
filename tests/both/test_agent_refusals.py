"""Commands that are refused: each told, none done, and a flood silenced."""

import unittest

from wattledger.agent import events
from wattledger.agent.comms.challenge import Challenge
from wattledger.agent.comms.commands import CommandDesk
from wattledger.agent.comms.envelope import Keyring
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "512K"
NO_SPACE = 28


class TestRefusals(Linked):
    def test_each_key_opens_only_its_own_operations(self):
        owners = {"credit.add": "credit", "relay.arm": "relay", "journal.ack": "config"}
        arguments = {
            "credit.add": '{"n":1,"amount":1000000}',
            "relay.arm": "{}",
            "journal.ack": '{"sequence":1,"hash":"0011223344556677"}',
        }
        for op in sorted(owners):
            for purpose in ("credit", "relay", "config"):
                if owners[op] == purpose:
                    continue
                with self.subTest(op=op, purpose=purpose):
                    more = '"ch":"%s","ctr":9,' % self.challenge
                    message = jws.sign(body(op, arguments[op], more=more), purpose + ".1")
                    answer = self.ask(message)[0]
                    self.assertEqual(answer["result"], "denied locally")
                    self.assertIn(purpose, answer["detail"])
        self.assertEqual(self.balance(), 10 * 10**9)
        # A refused relay.arm has not spent the counter.
        self.assertEqual(self.result(jws.arm(self.challenge, 1)), "ok")

    def test_payloads_that_are_no_command(self):
        for payload in (
            "",
            "x",
            "{",
            "[]",
            "null",
            "7",
            '"credit.add"',
            "{}",
            '{"m":"demo-0001"}',
            body("credit.add", meter="demo-0002"),
            body("credit.add", meter=""),
            '{"m":["demo-0001"],"op":"credit.add","a":{}}',
            '{"m":"demo-0001","op":null,"a":{}}',
            '{"m":"demo-0001","op":["credit.add"],"a":{}}',
            '{"m":"demo-0001","op":{"a":1},"a":{}}',
            body("relay.open"),
            body("relay.close"),
            body("Credit.add"),
            body("__class__"),
            body("credit.add", '{"n":1,"amount":1000000}', more='"extra":1,'),
            b"\xff\xfe{}",
            b"\x00" * 40,
            "[" * 600,
            '{"m":' + "[" * 300 + "]" * 300 + "}",
            '{"a":' * 110 + "1" + "}" * 110,
        ):
            with self.subTest(payload=payload[:30]):
                self.assertEqual(self.result(jws.sign(payload, "credit.1")), "range")
                self.assertEqual(self.house.agent.desk.bad_signatures, 0)
        self.assertEqual(self.balance(), 10 * 10**9)

    def test_an_action_of_another_room_is_not_reached(self):
        for op in ("relay.open", "ledger.close", "config.get", "tariff.set", "credit.take"):
            for purpose in ("credit", "relay", "config"):
                message = jws.sign(body(op), purpose + ".1")
                self.assertEqual(self.result(message), "range")

    def test_bad_signatures_have_no_detail(self):
        long = jws.sign("x" * 703, "credit.1")
        for message in (jws.credit(1, UNIT)[:-1] + b"!", b"", b"\xff" * 300, long):
            answer = self.ask(message)[0]
            self.assertEqual((answer["result"], answer["detail"]), ("bad signature", ""))
            self.assertEqual(answer["of"], jws.reference(message))

    def test_each_refusal_is_journalled_and_counted(self):
        expected = []
        for message, op, result in (
            (b"nonsense", 0, "bad signature"),
            (jws.sign(body("relay.open"), "relay.1"), 0, "range"),
            (jws.credit(0, UNIT), 1, "range"),
            (jws.arm("0000000000000000", 1), 2, "stale"),
            (jws.sign(body("relay.arm"), "credit.1"), 2, "denied locally"),
            (jws.journal_ack(9_999, "0011223344556677"), 3, "range"),
        ):
            self.assertEqual(self.result(message), result)
            expected.append((jws.reference(message), op, result))
        self.assertEqual(self.written(), expected)
        self.assertEqual(self.house.agent.desk.refused, 6)

    def test_a_retained_command_is_dropped_and_reported(self):
        self.assertEqual(self.ask(jws.credit(1, 5 * UNIT), retained=True), [])
        self.assertEqual(self.balance(), 10 * 10**9)
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.RETAINED_COMMAND), [0])
        self.assertEqual(self.house.agent.desk.refused, 1)
        # The same, sent as it should be, is good.
        self.assertEqual(self.result(jws.credit(1, 5 * UNIT)), "ok")

    def test_malformed_commands_never_disturb_the_tick(self):
        before = self.house.agent.meter.register.import_wh
        for number in range(60):
            self.house.link.put(b"\x00garbage %d" % number)
            self.house.run(1, 3600 if number < 5 else 0)
        self.assertEqual(self.house.agent.meter.register.import_wh, before + 5)
        self.assertEqual(self.house.agent.meter.quality, 0)


class TestSilence(Linked):
    def flood(self, count, each_ms):
        for number in range(count):
            self.send(b"not signed %d" % number)
            self.house.pass_ms(each_ms)

    def test_ten_in_a_minute_close_the_topic_for_a_minute(self):
        self.flood(10, 0)
        self.house.link.take()
        good = jws.credit(1, UNIT)
        self.assertEqual(self.ask(good), [])
        self.house.pass_ms(59_999)
        self.assertEqual(self.ask(good), [])
        self.house.pass_ms(1)
        self.assertEqual(self.result(good), "ok")
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.COMMANDS_SILENCED), [10])

    def test_nine_do_not(self):
        self.flood(9, 0)
        self.assertEqual(self.result(jws.credit(1, UNIT)), "ok")

    def test_ten_spread_over_more_than_a_minute_do_not(self):
        self.flood(20, 6_700)
        self.assertEqual(self.result(jws.credit(1, UNIT)), "ok")

    def test_metering_and_the_supply_rules_go_on_in_silence(self):
        self.flood(10, 0)
        self.house.run(30, 3600)
        self.assertFalse(self.house.relay.contact())
        # No bill for what is used after the cut: the load is behind the contact.
        self.assertEqual(self.house.agent.meter.register.import_wh, 10)

    def test_it_can_begin_again_after_it_ended(self):
        self.flood(10, 0)
        self.house.pass_ms(60_000)
        self.flood(10, 0)
        self.assertEqual(self.ask(jws.credit(1, UNIT)), [])

    def test_what_comes_in_silence_writes_nothing(self):
        self.flood(10, 0)
        written = len(self.written())
        self.flood(50, 10)
        self.assertEqual(len(self.written()), written)


class TestFlood(Linked):
    def test_sixty_commands_a_minute_and_acknowledgements_besides(self):
        for n in range(1, 61):
            self.assertEqual(self.result(jws.credit(n, 1)), "ok")
        self.assertEqual(self.result(jws.credit(61, 1)), "rate")
        self.assertEqual(self.result(jws.sign("no command", "credit.1")), "rate")
        self.assertEqual(self.balance(), 10 * 10**9 + 60_000)
        self.assertEqual(self.result(jws.journal_ack(99_999, "0011223344556677")), "range")
        self.house.pass_ms(58_999)  # one second was over before the first of them
        self.assertEqual(self.result(jws.credit(61, 1)), "rate")
        self.house.pass_ms(1)
        self.assertEqual(self.result(jws.credit(61, 1)), "ok")

    def test_recorded_commands_cannot_fill_the_journal(self):
        recorded = [jws.credit(1, 1), jws.credit(2, 1), jws.arm(self.challenge, 1)]
        for message in recorded:
            self.assertEqual(self.result(message), "ok")
        before = len(self.written())
        for _ in range(60):  # half an hour
            for message in recorded:
                self.house.pass_ms(10_000)
                self.assertTrue(self.result(message) in ("duplicate", "stale"))
        # Sixteen, and one more for each of two times ten minutes (the third is not over).
        self.assertTrue(len(self.written()) - before <= 16 + 3)

    def test_garbage_cannot_fill_the_journal(self):
        before = len(self.house.entries())
        for number in range(180):  # three hours of a topic that is silenced all the time
            self.send(b"garbage %d" % number)
            if number % 10 == 9:
                self.house.pass_ms(600_000)
                self.house.link.take()
        self.house.agent.keeper.now()
        self.assertTrue(len(self.house.entries()) - before <= 16 + 18)

    def test_an_answer_goes_out_before_it_would_push_out_another(self):
        self.house.link.take()
        for n in range(1, 31):
            self.house.link.put(jws.credit(n, 1))
        self.house.talk(100)
        self.assertEqual([answer["result"] for answer in self.answers()], ["ok"] * 30)


class TestDesk(unittest.TestCase):
    """The desk alone: what actions raise stays what it is, answers are kept as they were."""

    def setUp(self):
        self.clock = VirtualClock(0)
        self.done = []
        self.desk = CommandDesk(
            jws.METER,
            Keyring(jws.DEVICE_KEY, ("credit", "relay", "config")),
            Challenge(SeededEntropy(1), self.clock),
            self.clock,
            {"credit.add": self.act, "relay.arm": self.act},
            lambda code, value: None,
        )

    def act(self, arguments):
        self.done.append(arguments)
        return "ok", ""

    def test_an_identical_command_is_done_once_and_answered_alike(self):
        message = jws.credit(1, UNIT)
        first = dict(self.desk.handle(message, False))
        again = dict(self.desk.handle(message, False))
        self.assertEqual(len(self.done), 1)
        self.assertEqual(first, again)

    def test_a_search_of_many_steps_is_one_command(self):
        self.steps = 100

        def search(arguments):
            self.steps -= 1
            return ("searching" if self.steps > 0 else "range"), ""

        self.desk._actions["credit.add"] = search
        message = jws.credit(1, UNIT)
        for _ in range(99):
            self.assertEqual(self.desk.handle(message, False)["result"], "searching")
            self.assertFalse(self.desk.writes)
        self.assertEqual(self.desk.handle(message, False)["result"], "range")
        self.assertTrue(self.desk.writes)
        self.assertEqual(self.desk.handle(jws.credit(2, UNIT), False)["result"], "range")

    def test_what_was_too_many_is_too_many_when_it_comes_again(self):
        for n in range(60):
            self.desk.handle(jws.credit(n, UNIT), False)
        for _ in range(3):
            self.assertEqual(self.desk.handle(jws.credit(99, UNIT), False)["result"], "rate")

    def test_only_the_last_command_is_remembered(self):
        self.desk.handle(jws.credit(1, UNIT), False)
        self.desk.handle(jws.credit(2, UNIT), False)
        self.desk.handle(jws.credit(1, UNIT), False)
        self.assertEqual([a["n"] for a in self.done], [1, 2, 1])

    def test_a_stale_command_is_judged_anew_each_time(self):
        message = jws.arm("0011223344556677", 1)
        for _ in range(2):
            self.assertEqual(self.desk.handle(message, False)["result"], "stale")


if __name__ == "__main__":
    unittest.main()
