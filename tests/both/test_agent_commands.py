"""Commands over the topic: what is done, what is refused, and that each refusal is told."""

import json
import unittest

from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import DISCONNECTED, READY
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "512K"
NO_SPACE = 28


class TestCredit(Linked):
    def test_it_is_added_durable_and_answered_with_the_head(self):
        message = jws.credit(1, 10 * UNIT)
        self.house.link.take()
        self.send(message)
        answer = self.answers()[0]
        self.assertEqual((answer["result"], answer["detail"]), ("ok", ""))
        self.assertEqual(self.balance(), 20 * 10**9)
        credits = self.house.entries(records.CREDIT)
        self.assertEqual([entry.amount for entry in credits], [10 * 10**9])
        self.assertGreaterEqual(answer["head"]["sequence"], credits[0].sequence)
        self.assertEqual(self.written(), [(jws.reference(message), 1, "ok")])

    def test_the_same_number_again_is_a_duplicate_even_with_another_amount(self):
        self.assertEqual(self.result(jws.credit(1, 10 * UNIT)), "ok")
        self.assertEqual(self.result(jws.credit(1, 11 * UNIT)), "duplicate")
        self.assertEqual(self.balance(), 20 * 10**9)

    def test_the_identical_message_has_its_stored_answer_and_adds_nothing(self):
        message = jws.credit(1, 10 * UNIT)
        for _ in range(3):
            self.assertEqual(self.result(message), "ok")
        self.assertEqual(self.balance(), 20 * 10**9)

    def test_numbers_may_come_out_of_order_within_sixty_four(self):
        for n, expected in (
            (100, "ok"),
            (99, "ok"),
            (37, "ok"),  # 100 - 63
            (36, "range"),  # 100 - 64
            (99, "duplicate"),
            (101, "ok"),
            (37, "range"),  # 101 - 64
            (38, "ok"),
            (100, "duplicate"),
        ):
            self.assertEqual((n, self.result(jws.credit(n, UNIT + n))), (n, expected))
        # 100, 99, 37, 101 and 38 with their odd micro-units
        self.assertEqual(self.balance(), (15 * UNIT + 100 + 99 + 37 + 101 + 38) * 1000)

    def test_the_memory_of_numbers_outlives_a_reboot(self):
        self.assertEqual(self.result(jws.credit(5, UNIT)), "ok")
        self.house.boot()
        self.house.talk()
        self.assertEqual(self.result(jws.credit(5, UNIT)), "duplicate")
        self.assertEqual(self.result(jws.credit(4, UNIT)), "ok")

    def test_arguments_out_of_range_are_refused(self):
        for arguments in (
            "{}",
            '{"n":1}',
            '{"amount":1}',
            '{"n":0,"amount":1000000}',
            '{"n":-1,"amount":1000000}',
            '{"n":1,"amount":0}',
            '{"n":1,"amount":-1}',
            '{"n":true,"amount":1000000}',
            '{"n":1,"amount":true}',
            '{"n":1.0,"amount":1000000}',
            '{"n":1,"amount":1e6}',
            '{"n":"1","amount":1000000}',
            '{"n":[1],"amount":1000000}',
            '{"n":null,"amount":1000000}',
            '{"n":9007199254740992,"amount":1000000}',  # 2**53
            '{"n":1,"amount":1000000000000001}',
            '{"n":1,"amount":%s}' % ("9" * 300),
            '{"n":%s,"amount":1000000}' % ("9" * 300),
            '{"n":1,"amount":1e999}',
            "[]",
            "null",
            "1",
            '"n"',
        ):
            with self.subTest(arguments=arguments[:40]):
                message = jws.sign(body("credit.add", arguments), "credit.1")
                self.assertEqual(self.result(message), "range")
        self.assertEqual(self.balance(), 10 * 10**9)
        self.assertEqual(self.house.entries(records.CREDIT), [])

    def test_more_than_the_balance_may_be_is_refused_and_the_number_stays_free(self):
        self.assertEqual(self.result(jws.credit(1, 991 * UNIT)), "range")
        self.assertEqual(self.result(jws.credit(1, 990 * UNIT)), "ok")

    def test_a_store_that_takes_nothing_says_no_space_and_takes_it_later(self):
        self.house.agent.keeper.now()
        message = jws.credit(1, 5 * UNIT)
        self.house.storage.fail = NO_SPACE
        self.assertEqual(self.result(message), "no space")
        self.house.run(2)
        self.assertEqual(self.result(message), "no space")
        self.house.storage.fail = None
        self.house.run(12)
        self.assertIn(self.result(message), ("ok", "duplicate"))
        self.assertEqual([e.amount for e in self.house.entries(records.CREDIT)], [5 * 10**9])

    def test_what_said_no_space_is_not_lost_when_power_goes_then(self):
        self.house.agent.keeper.now()
        message = jws.credit(1, 5 * UNIT)
        self.house.storage.fail = NO_SPACE
        self.assertEqual(self.result(message), "no space")
        self.house.storage.fail = None
        self.house.boot()
        self.house.talk()
        self.assertEqual(self.result(message), "ok")
        self.assertEqual(self.balance(), 15 * 10**9)


class TestArm(Linked):
    def setUp(self):
        Linked.setUp(self)
        self.house.use(10)
        self.assertFalse(self.house.relay.contact())

    def test_it_tells_what_keeps_the_supply_off(self):
        answer = self.ask(jws.arm(self.challenge, 1))[0]
        self.assertEqual((answer["result"], answer["detail"]), ("denied locally", "no credit"))

    def test_it_only_arms(self):
        self.send(jws.credit(1, 5 * UNIT))
        self.assertEqual(self.result(jws.arm(self.challenge, 1)), "ok")
        self.house.run(120)
        self.assertEqual(self.house.agent.supply.state, READY)
        self.assertFalse(self.house.relay.contact())

    def open_remotely(self):
        """As after a relay.open that was carried out; the slot has it."""
        self.house.agent.supply.hold_open(rules.REMOTE, True)
        self.house.agent.supply.settle()
        self.house.run(11)

    def test_what_was_answered_outlives_a_power_cut_at_once(self):
        for credit, result, state, reasons in (
            (5 * UNIT, "ok", READY, 0),
            (None, "denied locally", DISCONNECTED, rules.NO_CREDIT),
        ):
            self.setUp()
            if credit:
                self.send(jws.credit(1, credit))
            self.open_remotely()
            supply = self.house.agent.supply
            self.assertEqual(
                (supply.state, supply.reasons), (DISCONNECTED, reasons | rules.REMOTE)
            )
            self.assertEqual(self.result(jws.arm(self.challenge, 1)), result)
            self.house.boot()
            supply = self.house.agent.supply
            self.assertEqual((supply.state, supply.reasons), (state, reasons))

    def test_what_could_not_be_stored_is_not_answered_as_done(self):
        self.send(jws.credit(1, 5 * UNIT))
        self.open_remotely()
        self.house.storage.fail = NO_SPACE
        self.assertEqual(self.result(jws.arm(self.challenge, 1)), "no space")
        self.assertEqual(self.result(jws.arm(self.challenge, 2)), "no space")
        self.house.storage.fail = None
        self.assertEqual(self.result(jws.arm(self.challenge, 3)), "ok")
        self.house.boot()
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_a_replayed_older_counter_is_stale_and_brings_a_hello(self):
        first = jws.arm(self.challenge, 1)
        self.result(first)
        self.result(jws.arm(self.challenge, 2))
        self.house.pass_ms(5_000)
        self.house.link.take()
        self.send(first)
        sent = self.house.link.take()
        self.assertEqual([leaf for leaf, _, _ in sent if leaf in ("ack", "hello")].count("ack"), 1)
        acks = [json.loads(jws.unsign(data)) for leaf, data, _ in sent if leaf == "ack"]
        self.assertEqual(acks[0]["result"], "stale")
        self.assertEqual(len([leaf for leaf, _, _ in sent if leaf == "hello"]), 1)

    def test_stale_commands_bring_a_hello_once_in_five_seconds(self):
        self.house.pass_ms(5_000)
        self.house.link.take()
        for counter in range(1, 5):
            self.send(jws.arm("00112233aabbccdd", counter))
        self.assertEqual(len(self.house.link.take("hello")), 1)

    def test_a_recorded_command_is_dead_after_a_reboot(self):
        message = jws.arm(self.challenge, 50)
        self.house.boot()
        self.house.talk()
        self.assertEqual(self.result(message), "stale")

    def test_a_recorded_command_is_dead_after_two_renewals(self):
        message = jws.arm(self.challenge, 50)
        for _ in range(2):
            self.house.pass_ms(600_000)
            self.house.talk()
        self.assertEqual(self.result(message), "stale")

    def test_the_challenge_before_is_good_across_one_renewal(self):
        self.result(jws.arm(self.challenge, 9))
        self.house.pass_ms(600_000)
        self.house.talk()
        self.assertEqual(self.result(jws.arm(self.challenge, 8)), "stale")
        self.assertEqual(self.result(jws.arm(self.challenge, 10)), "denied locally")

    def test_freshness_that_is_no_freshness(self):
        for more, expected in (
            ("", "range"),
            ('"ch":"%s",' % self.challenge, "range"),
            ('"ctr":1,', "stale"),
            ('"ch":"","ctr":1,', "stale"),
            ('"ch":null,"ctr":1,', "stale"),
            ('"ch":["%s"],"ctr":1,' % self.challenge, "range"),
            ('"ch":"%s","ctr":0,' % self.challenge, "range"),
            ('"ch":"%s","ctr":-1,' % self.challenge, "range"),
            ('"ch":"%s","ctr":true,' % self.challenge, "range"),
            ('"ch":"%s","ctr":1.5,' % self.challenge, "range"),
            ('"ch":"%s","ctr":"1",' % self.challenge, "range"),
            ('"ch":"%s","ctr":9007199254740992,' % self.challenge, "range"),
        ):
            with self.subTest(more=more):
                message = jws.sign(body("relay.arm", more=more), "relay.1")
                self.assertEqual(self.result(message), expected)


if __name__ == "__main__":
    unittest.main()
