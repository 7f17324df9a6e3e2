"""A refund and an adjustment by the utility's hand: once each, bounded, no cause of a cut."""

import unittest

from wattledger.agent.billing import recall
from wattledger.agent.billing.debt import MAX_OWED
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.audit import Audit
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House, tariff_of
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "768K"
MINUTE = 60
ROOT_KEY = 3  # test key
NO_SPACE = 28
LOW_2 = 2  # units, of the fixture's tariff


class Rooted(House):
    public_keys = {
        "tariff.1": es256.public(es256.TARIFF_KEY),
        "root.1": es256.public(ROOT_KEY),
    }


class Adjusted(Linked):
    def build(self):
        return Rooted(credit=10, linked=True)

    def setUp(self):
        super().setUp()
        self.counter = 0

    def reboot(self):
        self.house.agent.stop()
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        self.greet()

    def lose_power(self):
        """No clean end: what was not durable is gone."""
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        self.greet()

    def refund(self, n, micro):
        text = '{"n":%d,"amount":%d}' % (n, micro)
        return self.result(jws.sign(body("credit.refund", text), "credit.1"))

    def correct(self, arguments, private=ROOT_KEY, kid="root.1"):
        """(result, detail) of a signed ledger.correct."""
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
        message = es256.sign(body("ledger.correct", arguments, more=more), private, kid)
        self.house.coast(MINUTE)
        self.house.link.take()
        self.house.link.put(message)
        self.house.talk(90)
        answer = self.answers()[0]
        return answer["result"], answer["detail"]

    def adjust(self, n, micro, reason="meter exchange"):
        return self.correct('{"n":%d,"amount":%d,"reason":"%s"}' % (n, micro, reason))


class TestRefund(Adjusted):
    def test_it_moves_the_balance_once_and_outlives_a_reboot(self):
        self.assertEqual(self.refund(1, 3 * UNIT), "ok")
        self.assertEqual(self.balance(), 7 * 10**9)
        self.assertEqual(self.result(jws.credit(2, UNIT)), "ok")
        for _ in range(2):
            self.assertEqual(self.refund(1, 3 * UNIT), "duplicate")
            self.reboot()
        self.assertEqual(self.balance(), 8 * 10**9)
        (entry,) = self.house.entries(records.REFUND)
        self.assertEqual(entry.amount, -3 * 10**9)
        self.assertEqual(readers.unpack_credit(entry.payload), (1, 1, 1))

    def test_its_number_is_the_vendors_one_counter(self):
        self.assertEqual(self.result(jws.credit(5, UNIT)), "ok")
        self.assertEqual(self.refund(5, UNIT), "duplicate")
        self.assertEqual(self.refund(6, UNIT), "ok")
        self.lose_power()
        self.assertEqual(self.result(jws.credit(6, UNIT)), "duplicate")
        self.assertEqual(self.result(jws.credit(70, UNIT)), "ok")
        self.assertEqual(self.refund(6, UNIT), "range")  # 70 - 64
        self.assertEqual(self.refund(7, UNIT), "ok")
        self.assertEqual(self.balance(), 10 * 10**9)  # 10 + 1 - 1 + 1 - 1

    def test_a_supply_that_is_on_keeps_low_2(self):
        self.assertEqual(self.refund(1, 8 * UNIT + 1), "denied locally")
        self.assertEqual(self.refund(1, 8 * UNIT), "ok")
        self.house.run(5)
        self.assertEqual(self.balance(), LOW_2 * 10**9)
        self.assertTrue(self.house.relay.contact())

    def test_what_the_open_interval_has_used_is_not_refunded(self):
        self.house.use(4)  # 4.000000
        message = jws.sign(body("credit.refund", '{"n":1,"amount":5000000}'), "credit.1")
        answer = self.ask(message)[0]
        self.assertEqual(answer["detail"], "at most 4000000 micro-units can be refunded")

    def test_people_see_it_among_the_purchases_after_a_boot_too(self):
        self.result(jws.credit(1, 2 * UNIT))
        self.refund(2, UNIT)
        for _ in range(2):
            self.house.run(1)
            seen = [(row["n"], row["amount_micro"]) for row in self.house.page.view["purchases"]]
            self.assertEqual(seen, [(2, -UNIT), (1, 2 * UNIT)])
            self.reboot()

    def test_the_audit_of_older_segments_finds_it_too(self):
        self.refund(1, UNIT)
        house = self.house
        first_hash = records.first_hash(jws.METER)
        audit = Audit(house.storage, first_hash, house.agent.journal.durable, 5)
        while audit.sound is None:
            audit.work()
        self.assertEqual([row[1:] for row in audit.purchases], [(-UNIT, 1)])

    def test_a_debt_takes_no_share_of_it(self):
        debt = self.house.agent.account.debt
        self.assertTrue(debt.set(self.house.agent.account, 1, 5 * UNIT, (0, 50, 0), 0, 0))
        self.refund(1, UNIT)
        self.lose_power()
        self.assertEqual(self.house.agent.account.debt.owed, 5 * 10**9)
        self.assertEqual(self.balance(), 9 * 10**9)

    def test_refusals(self):
        for text in ("{}", '{"n":1}', '{"n":0,"amount":1}', '{"n":1,"amount":0}',
                     '{"n":1,"amount":-5}', '{"n":1,"amount":1,"of":2}'):  # fmt: skip
            answer = self.ask(jws.sign(body("credit.refund", text), "credit.1"))[0]
            self.assertEqual(answer["result"], "range")
        for kid in ("relay.1", "config.1"):
            message = jws.sign(body("credit.refund", '{"n":1,"amount":1}'), kid)
            self.assertEqual(self.result(message), "denied locally")
        self.house.agent.ledger.fault = "damaged"
        self.assertEqual(self.refund(1, UNIT), "denied locally")
        self.assertEqual(self.balance(), 10 * 10**9)

    def test_storage_that_fails_takes_nothing(self):
        self.house.storage.fail = NO_SPACE
        self.assertEqual(self.refund(1, UNIT), "no space")
        self.house.storage.fail = None
        self.lose_power()
        self.assertEqual(self.balance(), 10 * 10**9)
        self.assertEqual(self.refund(1, UNIT), "ok")


class TestLow2AtZero(Adjusted):
    """At 0 the supply is cut: a micro-unit stays."""

    def build(self):
        return Rooted(credit=10, tariff=tariff_of(low=(5 * UNIT, 0)), linked=True)

    def check_no_cut(self):
        self.house.run(10)
        self.assertEqual(self.balance(), 1000)
        self.assertTrue(self.house.relay.contact())

    def test_a_refund_cuts_nothing(self):
        message = jws.sign(body("credit.refund", '{"n":1,"amount":10000000}'), "credit.1")
        answer = self.ask(message)[0]
        self.assertEqual(answer["detail"], "at most 9999999 micro-units can be refunded")
        self.assertEqual(self.refund(1, 10 * UNIT - 1), "ok")
        self.check_no_cut()

    def test_a_charge_cuts_nothing(self):
        self.assertEqual(
            self.adjust(1, -12 * UNIT), ("ok", "2000001 micro-units of it are owed as debt")
        )
        self.assertEqual(self.house.agent.account.debt.owed, 2000001000)
        self.check_no_cut()


class TestOpenSupply(Adjusted):
    def build(self):
        return Rooted(credit=10, linked=True, closed=False)

    def test_one_that_is_open_gives_back_all(self):
        self.assertEqual(self.refund(1, 10 * UNIT + 1), "denied locally")
        self.assertEqual(self.refund(1, 10 * UNIT), "ok")
        self.assertEqual(self.balance(), 0)


class TestCorrect(Adjusted):
    def test_it_posts_an_adjust_entry_with_its_reason(self):
        self.assertEqual(self.adjust(1, 1_500_000, "wrong \\u8868 read"), ("ok", ""))
        (entry,) = self.house.entries(records.ADJUST)
        self.assertEqual(entry.amount, 1_500_000_000)
        found = readers.unpack_adjust(entry.payload)
        self.assertEqual(found, (payloads.ADJUST_ORDERED, 1, 0, 0, 0, "wrong 表 read"))
        self.assertEqual(self.balance(), 11_500_000_000)

    def test_the_same_number_is_posted_once(self):
        self.assertEqual(self.adjust(4, UNIT)[0], "ok")
        for again in (self.reboot, self.lose_power, lambda: None):
            again()
            self.assertEqual(self.adjust(4, UNIT)[0], "duplicate")
        self.assertEqual(self.adjust(3, UNIT), ("range", "n is below 4, the last one"))
        self.assertEqual(self.adjust(5, UNIT)[0], "ok")
        self.assertEqual(self.balance(), 12 * 10**9)

    def test_a_charge_that_would_reach_low_2_becomes_debt(self):
        # 10 - 9 would leave 1; low 2 is 2, so 8 are taken and 1 is owed.
        self.assertEqual(
            self.adjust(1, -9 * UNIT), ("ok", "1000000 micro-units of it are owed as debt")
        )
        self.house.run(5)
        self.assertTrue(self.house.relay.contact())
        for _ in range(2):
            self.assertEqual(self.balance(), 2 * 10**9)
            self.assertEqual(self.house.agent.account.debt.owed, 10**9)
            self.lose_power()

    def test_a_charge_that_would_make_too_much_owed_is_refused(self):
        debt = self.house.agent.account.debt
        debt.owed = MAX_OWED - 10**9
        # 8 of 10 are above low 2, so 2.000000 of it would be owed and 1.000000 may be.
        detail = "more than 281474976710655 micro-units would be owed"
        self.assertEqual(self.adjust(1, -10 * UNIT), ("range", detail))
        self.assertEqual((self.balance(), debt.owed), (10 * 10**9, MAX_OWED - 10**9))
        self.assertEqual(self.adjust(1, -9 * UNIT)[0], "ok")
        self.assertEqual((self.balance(), debt.owed), (2 * 10**9, MAX_OWED))

    def test_a_cut_before_the_entry_is_durable_leaves_it_to_be_sent_again(self):
        house = self.house
        flush, house.agent.ledger.flush = house.agent.ledger.flush, self._fail
        self.assertEqual(self.adjust(1, UNIT)[0], "no space")
        house.agent.ledger.flush = flush
        self.lose_power()
        self.assertEqual(self.balance(), 10 * 10**9)
        self.assertEqual(self.adjust(1, UNIT)[0], "ok")
        self.assertEqual(self.balance(), 11 * 10**9)

    def test_a_cut_before_its_number_is_noted_as_done_posts_nothing_twice(self):
        house = self.house
        house.storage.commit("adjusted", b"\x01\x00\x00\x00\x63\x00\x00\x00\x00")
        self.assertEqual(self.adjust(1, UNIT)[0], "ok")  # entry 99 was never written
        kept = bytearray(9)
        house.storage.read_from("adjusted", 0, kept)
        self.assertEqual(kept[8], 1)
        kept[8] = 0
        house.storage.commit("adjusted", bytes(kept))
        self.lose_power()
        self.assertEqual(self.adjust(1, UNIT)[0], "duplicate")
        self.assertEqual(self.balance(), 11 * 10**9)

    def _fail(self, unix):
        raise OSError(NO_SPACE)

    def test_an_estimate_that_stands_goes_on_standing(self):
        self.adjust(1, UNIT)
        account = self.house.agent.account
        account.estimated = True
        recall.replay(account, self.house.entries(records.ADJUST)[0])
        self.assertTrue(account.estimated)

    def test_bounds(self):
        for arguments in (
            "{}",
            '{"n":1,"amount":1}',
            '{"n":1,"reason":"a"}',
            '{"n":0,"amount":1,"reason":"a"}',
            '{"n":1,"amount":0,"reason":"a"}',
            '{"n":1,"amount":"1","reason":"a"}',
            '{"n":1,"amount":1,"reason":""}',
            '{"n":1,"amount":1,"reason":7}',
            '{"n":1,"amount":1,"reason":"a\\nb"}',
            '{"n":1,"amount":1,"reason":"%s"}' % ("a" * 61),
            '{"n":1,"amount":1,"reason":"a","cycle":20270101}',
            '{"n":1,"amount":-1000000001,"reason":"a"}',  # the tariff's max is 1000
            '{"n":1,"amount":990000001,"reason":"a"}',  # 10 are there already
        ):
            self.assertEqual(self.correct(arguments)[0], "range", arguments)
        self.assertEqual(self.correct('{"n":1,"amount":990000000,"reason":"a"}')[0], "ok")

    def test_a_balance_over_a_newer_limit_can_still_be_charged(self):
        self.house.agent.account.tariff.credit_max = 5 * UNIT
        self.assertEqual(self.adjust(1, UNIT)[0], "range")
        self.assertEqual(self.adjust(1, -UNIT)[0], "ok")

    def test_only_the_root_key_posts_it(self):
        text = '{"n":1,"amount":1000000,"reason":"a"}'
        self.assertEqual(self.correct(text, es256.OTHER_KEY)[0], "bad signature")
        self.assertEqual(self.correct(text, es256.TARIFF_KEY, "tariff.1")[0], "bad signature")
        for kid in ("relay.1", "credit.1", "config.1"):
            self.counter += 1
            more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
            message = jws.sign(body("ledger.correct", text, more=more), kid)
            self.assertEqual(self.result(message), "denied locally")
        self.challenge = "00" * 8
        self.assertEqual(self.correct(text)[0], "stale")
        self.assertEqual(self.balance(), 10 * 10**9)

    def test_a_damaged_ledger_takes_none(self):
        self.house.agent.ledger.fault = "damaged"
        self.assertEqual(self.adjust(1, UNIT), ("denied locally", "the ledger is damaged"))


if __name__ == "__main__":
    unittest.main()
