"""The root key opens a lost ledger, once, with floors; nothing else does."""

import unittest

from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House
from wattledger.tests.both.fixtures_linked import Linked, body

HEAP = "768K"
MINUTE = 60
ROOT_KEY = 3  # test key


class Rooted(House):
    public_keys = {
        "tariff.1": es256.public(es256.TARIFF_KEY),
        "root.1": es256.public(ROOT_KEY),
    }


class Root(Linked):
    credit = None  # a meter that has lost its ledger

    def build(self):
        return Rooted(credit=self.credit, linked=True)

    def setUp(self):
        super().setUp()
        self.counter = 0

    def payload(self, arguments, op="ledger.open", meter=jws.METER):
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.challenge, self.counter)
        return body(op, arguments, meter, more)

    def ask_long(self, message):
        self.house.coast(MINUTE)
        self.house.link.take()
        self.house.link.put(message)
        self.house.talk(90)
        return self.answers()[0]

    def open(self, arguments='{"credit":5,"want":7,"balance":3000000}'):
        answer = self.ask_long(es256.sign(self.payload(arguments), ROOT_KEY, "root.1"))
        return answer["result"], answer["detail"]


class TestMissing(Root):
    def test_it_is_opened_with_its_balance_and_its_floors(self):
        self.assertEqual(self.result(jws.credit(6, UNIT)), "denied locally")
        self.assertEqual(self.open(), ("ok", "purchases go on after 5"))
        self.assertEqual(self.house.entries()[0].kind, records.OPENING)
        self.assertEqual(self.balance(), 3 * 10**9)
        for n, result in ((5, "duplicate"), (1, "duplicate"), (6, "ok")):
            self.assertEqual(self.result(jws.credit(n, UNIT)), result)
        self.assertEqual(self.balance(), 4 * 10**9)

    def test_the_floors_outlive_reboots(self):
        self.open()
        for _ in range(2):
            self.house.agent.stop()
            self.house.boot()
            self.house.run(1)
            self.assertIsNone(self.house.agent.ledger.fault)
            self.assertEqual(self.result(jws.credit(4, UNIT)), "duplicate")
        text = '{"m":"%s","v":%d,"id":"plain","n":1,"group":"homes","fw":0}'
        for version, taken in ((7, False), (8, True)):
            self.house.coast(MINUTE)
            message = es256.sign(text % (jws.METER, version))
            self.house.link.inbox.append(("wl/1/demo/m/%s/want" % jws.METER, message, True))
            self.house.talk(90)
            self.assertEqual(self.house.agent.documents.want is not None, taken)

    def test_it_is_opened_once(self):
        self.open()
        again = '{"credit":0,"want":0,"balance":9000000}'
        self.assertEqual(self.open(again), ("denied locally", "the ledger is in order"))
        self.assertEqual(self.balance(), 3 * 10**9)

    def test_the_supply_stays_as_it_is(self):
        self.assertTrue(self.house.relay.contact())
        self.open()
        self.house.run(5)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.house.relay.operations, 0)

    def test_no_other_key_opens_it(self):
        for message in (
            es256.sign(
                self.payload('{"credit":0,"want":0,"balance":1}'), es256.OTHER_KEY, "root.1"
            ),
            es256.sign(self.payload('{"credit":0,"want":0,"balance":1}'), 7, "tariff.1"),
            jws.sign(self.payload('{"credit":0,"want":0,"balance":1}'), "config.1"),
            jws.sign(self.payload('{"credit":0,"want":0,"balance":1}'), "relay.1"),
        ):
            self.assertIn(self.ask_long(message)["result"], ("bad signature", "denied locally"))
        self.assertEqual(self.house.agent.ledger.fault, "missing")

    def test_the_root_key_does_nothing_else(self):
        message = es256.sign(self.payload('{"n":6,"amount":1000000}', "credit.add"), 3, "root.1")
        self.assertEqual(self.ask_long(message)["result"], "denied locally")

    def test_arguments_another_meter_and_an_old_challenge(self):
        for arguments in (
            "{}",
            '{"credit":5,"want":7}',
            '{"credit":-1,"want":7,"balance":0}',
            '{"credit":5,"balance":0}',
            '{"credit":5,"want":7,"balance":"0"}',
            '{"credit":5,"want":7,"balance":0,"n":1}',
        ):
            self.assertEqual(self.open(arguments)[0], "range")
        other = self.payload('{"credit":0,"want":0,"balance":1}', meter="demo-0002")
        self.assertEqual(self.ask_long(es256.sign(other, ROOT_KEY, "root.1"))["result"], "range")
        self.challenge = "0000000000000000"
        self.assertEqual(self.open()[0], "stale")
        self.assertEqual(self.house.agent.ledger.fault, "missing")

    def test_one_verification_a_minute(self):
        text = '{"credit":0,"want":0,"balance":1}'
        self.ask_long(es256.sign(self.payload(text), es256.OTHER_KEY, "root.1"))
        self.house.link.put(es256.sign(self.payload(text), ROOT_KEY, "root.1"))
        self.house.talk(90)
        self.assertEqual(self.answers()[0]["result"], "rate")


class TestDamaged(Root):
    credit = 10

    def test_money_that_is_there_stays_and_credit_is_taken_again(self):
        self.assertEqual(self.result(jws.credit(9, UNIT)), "ok")
        self.house.agent.ledger.fault = "damaged"
        self.assertEqual(self.result(jws.credit(10, UNIT)), "denied locally")
        self.assertEqual(self.open('{"credit":5,"want":0,"balance":1}')[0], "range")
        self.assertEqual(self.open('{"credit":5,"want":0}'), ("ok", "purchases go on after 9"))
        self.assertEqual(self.result(jws.credit(8, UNIT)), "duplicate")
        self.house.agent.stop()
        self.house.boot()
        self.house.run(1)
        self.assertIsNone(self.house.agent.ledger.fault)
        self.assertEqual(self.result(jws.credit(10, UNIT)), "ok")
        self.assertEqual(self.balance(), 12 * 10**9)


class TestOrder(Root):
    credit = 10

    def test_a_ledger_in_order_is_not_opened(self):
        self.assertEqual(self.open()[0], "denied locally")
        self.assertEqual(self.balance(), 10 * 10**9)


if __name__ == "__main__":
    unittest.main()
