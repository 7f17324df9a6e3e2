"""Openings by the utility: two signatures, a warning, a random delay, limits, and an end."""

import json
import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "640K"
DAY = 86_400


class Gated(House):
    gate_key = jws.GATE_SECRET


class Remote(Linked):
    def build(self):
        return Gated(credit=10, linked=True)

    def setUp(self):
        super().setUp()
        self.counter = 0

    def order(self, arguments='{"reason":"request"}'):
        """(result, detail) of a relay.open with both signatures."""
        self.counter += 1
        answer = self.ask(jws.open_(self.challenge, self.counter, arguments))[0]
        return answer["result"], answer["detail"]

    def arm(self):
        self.counter += 1
        answer = self.ask(jws.arm(self.challenge, self.counter))[0]
        return answer["result"], answer["detail"]

    def keep(self, hours):
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
        message = jws.sign(body("supply.keep", '{"hours":%d}' % hours, more=more), "relay.1")
        return self.result(message)

    def delay(self):
        """Seconds to the opening, as the answer says."""
        result, detail = self.order()
        self.assertEqual(result, "scheduled")
        words = detail.split()
        self.assertEqual((words[:2], words[3]), (["opens", "in"], "s"))
        return int(words[2])

    def coast(self, seconds):
        """Powered time in 20 s ticks; what is said meanwhile is nobody's."""
        while seconds > 0:
            self.house.coast(min(seconds, 600))
            self.house.link.take()
            seconds -= 600

    def jump(self, seconds):
        """Powered time at once, then a second of it lived through."""
        agent = self.house.agent
        agent.time.powered_s += seconds - 1
        agent.control.credit.aged_at = agent.time.powered_s
        self.house.run(1)

    def skip(self, seconds):
        """The same, with the challenge that is good at its end."""
        self.coast(seconds)
        self.house.link.number += 1  # a new connection: a hello
        self.house.talk()
        self.greet()
        self.counter = 0

    def open_now(self):
        self.skip(self.delay() + 20)
        self.assertFalse(self.house.relay.contact())

    def told(self, code):
        self.house.agent.keeper.now()
        return self.house.told(code)


class TestSignatures(Remote):
    def refused(self, message, result):
        self.assertEqual(self.result(message), result)
        self.coast(1_300)  # more than the longest warning and delay
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.told(events.REMOTE_SCHEDULED), [])

    def test_one_signature_opens_nothing(self):
        self.refused(jws.bare_open(self.challenge, 1), "denied locally")

    def test_the_gate_alone_opens_nothing(self):
        more = '"ch":"%s","ctr":1,' % self.challenge
        payload = body("relay.open", '{"reason":"request"}', more=more)
        self.refused(jws.wrap(payload), "bad signature")

    def test_the_gate_twice_opens_nothing(self):
        self.refused(jws.wrap(jws.open_(self.challenge, 1)), "range")

    def test_another_op_does_not_pass_the_gate(self):
        self.refused(jws.wrap(jws.credit(1, UNIT)), "denied locally")
        self.refused(jws.wrap(jws.arm(self.challenge, 1)), "denied locally")
        self.assertEqual(self.balance(), 10 * 10**9)

    def test_the_relay_key_in_place_of_the_gates(self):
        inner = jws.bare_open(self.challenge, 1)
        self.refused(jws.wrap(inner, key=jws.key_of("relay.1")), "bad signature")
        # Nor one that the device key gives under the gate's name: its secret is another.
        self.refused(jws.wrap(inner, key=jws.key_of("gate.1")), "bad signature")
        self.refused(jws.wrap(inner, kid="relay.1"), "bad signature")
        self.refused(jws.wrap(inner, key=jws.key_of("relay.1"), kid="relay.1"), "range")

    def test_another_purpose_inside_the_gate(self):
        more = '"ch":"%s","ctr":1,' % self.challenge
        payload = body("relay.open", '{"reason":"request"}', more=more)
        for kid in ("credit.1", "config.1"):
            self.refused(jws.wrap(jws.sign(payload, kid)), "denied locally")
        self.refused(jws.wrap(jws.sign(payload, "up.1")), "bad signature")

    def test_another_meters_and_a_stale_one(self):
        self.refused(jws.wrap(jws.bare_open(self.challenge, 1, meter="demo-0002")), "range")
        self.refused(jws.open_("0000000000000000", 1), "stale")

    def test_a_meter_without_a_gate_secret_knows_no_opening(self):
        self.house.gate_key = b""
        self.house.boot()
        self.house.talk()
        self.greet()
        self.assertEqual(self.result(jws.open_(self.challenge, 1)), "bad signature")
        self.assertEqual(self.result(jws.bare_open(self.challenge, 1)), "range")

    def test_arguments_that_are_none(self):
        for arguments in (
            "{}",
            '{"reason":"because"}',
            '{"reason":1}',
            '{"reason":["debt"]}',
            '{"reason":"request","until":1}',
            '{"reason":"request","until":%d}' % (START + 1_200),  # it might not be open by then
            '{"reason":"request","until":"soon"}',
            '{"reason":"request","until":true}',
            '{"reason":"request","now":1}',
        ):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.order(arguments)[0], "range")


class TestSchedule(Remote):
    def test_it_opens_after_the_warning_and_the_delay_that_the_answer_says(self):
        delay = self.delay()
        self.assertTrue(300 <= delay <= 1_200)
        self.house.run(1)
        state = json.loads(self.house.link.take("state")[-1][1])
        self.assertEqual(state["supply"]["remote_in_s"], delay - 1)
        self.assertEqual(self.told(events.REMOTE_SCHEDULED), [delay])
        self.coast(delay - 2)
        self.assertTrue(self.house.relay.contact())
        self.house.run(1)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(self.told(events.REMOTE_OPENED), [1])
        move = self.house.moves()[-1]
        self.assertEqual(move[:3], (DISCONNECTED, rules.REMOTE, rules.BY_REMOTE))
        supply = self.house.page.view["supply"]
        self.assertEqual((supply["reasons"], supply["remote_in_s"]), (["remote"], None))

    def test_delays_are_spread_over_fifteen_minutes(self):
        delays = []
        for _ in range(60):
            delays.append(self.delay() - 300)
        self.assertTrue(0 <= min(delays) < 100)
        self.assertTrue(800 < max(delays) <= 900)
        self.assertTrue(len(set(delays)) > 40)

    def test_a_supply_that_is_off_needs_no_warning(self):
        self.house.use(10)
        self.assertFalse(self.house.relay.contact())
        delays = [self.delay() for _ in range(40)]
        self.assertTrue(min(delays) < 300)
        self.assertTrue(max(delays) <= 900)

    def test_the_identical_command_has_its_stored_answer(self):
        message = jws.open_(self.challenge, 1)
        first = self.ask(message)[0]
        again = self.ask(message)[0]
        self.assertEqual((first["result"], first["detail"]), (again["result"], again["detail"]))
        self.assertEqual(len(self.told(events.REMOTE_SCHEDULED)), 1)

    def test_arm_keep_and_a_top_up_cancel_it(self):
        for cancel in (
            self.arm,
            lambda: self.keep(1),
            lambda: self.result(jws.credit(1, UNIT)),
        ):
            self.delay()
            cancel()
            self.assertIsNone(self.house.agent.control.remote.opens_in_s())
            self.skip(1_220)
            self.assertTrue(self.house.relay.contact())
            self.keep(0)
        self.assertEqual(self.told(events.REMOTE_CANCELLED), [0, 0, 0])

    def test_a_purchase_that_is_refused_cancels_nothing(self):
        self.assertEqual(self.result(jws.credit(1, UNIT)), "ok")
        self.delay()
        self.assertEqual(self.result(jws.credit(1, 2 * UNIT)), "duplicate")
        self.assertIsNotNone(self.house.agent.control.remote.opens_in_s())

    def test_a_reboot_drops_it(self):
        self.delay()
        self.house.boot()
        self.coast(1_220)
        self.assertTrue(self.house.relay.contact())

    def test_a_broker_that_is_gone_changes_nothing_about_it(self):
        delay = self.delay()
        self.house.link.up = False
        self.coast(delay + 20)
        self.assertFalse(self.house.relay.contact())

    def test_keep_power_and_never_cut_deny_it(self):
        self.keep(1)
        self.assertEqual(self.order(), ("denied locally", "keep-power"))
        self.keep(0)
        self.house.config.never_cut = True
        self.assertEqual(self.order(), ("denied locally", "never-cut customer"))

    def test_a_ledger_at_fault_or_storage_that_fails_denies_it(self):
        self.house.agent.ledger.fault = "damaged"
        self.assertEqual(self.order(), ("denied locally", "the ledger is damaged"))
        self.house.agent.ledger.fault = None
        self.house.agent.keeper.failed = 28
        self.assertEqual(self.order()[0], "no space")


class TestEnd(Remote):
    def test_it_ends_after_a_day_of_powered_time_and_a_person_closes(self):
        self.open_now()
        opened = self.house.moves()[-1][3]
        self.jump(opened + DAY - 1 - self.house.agent.time.powered_s)
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.house.run(1)
        self.assertEqual(self.house.agent.supply.state, READY)
        self.coast(700)
        self.assertFalse(self.house.relay.contact())
        self.house.hold(3_000)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.told(events.REMOTE_OVER), [0])

    def test_time_without_power_does_not_count_and_a_reboot_keeps_the_terms(self):
        self.open_now()
        opened = self.house.moves()[-1][3]
        self.jump(DAY // 2)
        self.house.agent.stop()
        self.house.pass_ms(3 * DAY * 1000)
        self.house.boot()
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.jump(opened + DAY - 20 - self.house.agent.time.powered_s)
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.coast(20)
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_lost_terms_are_the_shortest(self):
        self.house.agent.account.debt.owed = 5
        self.order('{"reason":"debt"}')
        self.skip(1_220)
        self.house.agent.stop()
        self.house.storage.remove("remote")
        self.house.boot()
        self.jump(DAY)
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_a_renewal_begins_the_day_anew_and_counts_as_no_opening(self):
        self.open_now()
        for _ in range(6):
            self.jump(DAY - 2_000)
            self.skip(1)
            self.assertEqual(self.order(), ("ok", "open already; renewed"))
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.jump(DAY)
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_until_ends_it(self):
        until = START + 7_200
        self.assertEqual(self.order('{"reason":"works","until":%d}' % until)[0], "scheduled")
        self.skip(1_220)
        self.coast(until - 1 - self.house.agent.time.unix())
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.house.run(1)
        self.assertEqual(self.house.agent.supply.state, READY)
        self.assertEqual(self.told(events.REMOTE_OPENED), [5])

    def test_arm_ends_it(self):
        self.open_now()
        self.assertEqual(self.arm(), ("ok", "ready: hold the button for 3 s"))
        self.house.hold(3_000)
        self.coast(60)
        self.house.hold(3_000)
        self.assertEqual(self.house.agent.supply.state, CONNECTED)

    def test_a_debt_must_be_in_the_journal_and_holds_until_it_is_paid(self):
        self.assertEqual(
            self.order('{"reason":"debt"}'),
            ("denied locally", "the meter's journal shows no debt"),
        )
        self.house.agent.account.debt.owed = 5
        self.assertEqual(self.order('{"reason":"debt"}')[0], "scheduled")
        self.skip(1_220)
        self.house.agent.stop()
        self.house.boot()
        self.house.agent.account.debt.owed = 5
        self.jump(2 * DAY)
        self.assertEqual(self.house.agent.supply.state, DISCONNECTED)
        self.house.agent.account.debt.owed = 0
        self.house.run(1)
        self.assertEqual(self.house.agent.supply.state, READY)


class TestFriendly(Remote):
    def build(self):
        # Tuesday from 06:05 on; START is 06:00.
        tariff = tariff_of(friendly=[(2, 365, 600)])
        return Gated(credit=10, linked=True, tariff=tariff)

    def test_a_debt_does_not_open_in_a_friendly_period(self):
        self.house.agent.account.debt.owed = 5
        self.assertEqual(self.order('{"reason":"debt"}'), ("denied locally", "friendly period"))
        self.assertEqual(self.order('{"reason":"tamper"}')[0], "scheduled")


class TestLimits(Remote):
    def cycle(self):
        """An opening that is armed and closed again."""
        self.open_now()
        self.arm()
        self.coast(60)
        self.house.hold(3_000)
        self.assertTrue(self.house.relay.contact())

    def test_two_in_a_day(self):
        self.cycle()
        self.cycle()
        self.assertEqual(self.order(), ("rate", "2 openings in 24 hours at most"))
        # Counted in steps of 3 h: over after 24 to 27 h of powered time, not before.
        first = self.house.moves()[0][3]
        self.jump(first + DAY - 20 - self.house.agent.time.powered_s)
        self.skip(1)
        self.assertEqual(self.order()[0], "rate")
        self.jump(3 * 3_600 + 40)
        self.skip(1)
        self.assertEqual(self.order()[0], "scheduled")

    def test_four_in_thirty_days_kept_over_reboots(self):
        for _ in range(2):
            self.cycle()
            self.cycle()
            self.jump(2 * DAY)
        first = self.house.moves()[0][3]
        for day in (10, 20, 29):
            at = first + day * DAY
            self.house.agent.time.powered_s = at
            self.house.agent.keeper.now()
            self.house.boot()
            self.skip(1)
            self.assertEqual(self.order(), ("rate", "4 openings in 30 days at most"))
        self.house.agent.time.powered_s = first + 30 * DAY + 3 * 3_600
        self.house.run(1)
        self.assertEqual(self.order()[0], "scheduled")

    def test_openings_that_count_no_more_are_forgotten(self):
        self.cycle()
        self.assertNotEqual(self.house.agent.control.remote_opens, 0)
        # One step before the byte would come round again it is long gone.
        for _ in range(260):
            self.house.agent.time.powered_s += 10_800
            self.house.run(1)
        self.assertEqual(self.house.agent.control.remote_opens, 0)


if __name__ == "__main__":
    unittest.main()
