"""Keys are rotated by the root key alone; a power cut leaves one generation whole."""

import json
import unittest

from wattledger.agent import events
from wattledger.agent.comms import rotation
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.houses_rotation import MINUTE, ROOT_KEY, Rotating
from wattledger.tests.both.houses_storage import PowerCut

HEAP = "1M"
ALL = "crkg"
HOUR = 3600


class TestRotation(Rotating):
    def test_the_new_generation_takes_the_place_of_the_old(self):
        self.assertEqual(self.works(1), ALL)
        self.assertEqual(self.works(2), "")
        self.assertEqual(self.rotate(2), ("ok", "generation 2"))
        self.assertEqual(self.works(2), ALL)
        self.assertEqual(self.works(1), "")
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.KEYS_ROTATED), [2])
        self.assertEqual(self.written()[0][1:], (1, "ok"))
        self.assertIn((30, "ok"), [found[1:] for found in self.written()])

    def test_the_meter_speaks_by_the_new_key_at_once(self):
        self.house.coast(MINUTE)
        self.house.link.take()
        self.house.link.put(self.order(2))
        self.house.talk(90)
        hello = json.loads(jws.unsign(self.house.link.take("hello")[-1][1], "up.2"))
        self.assertEqual(hello["m"], jws.METER)

    def test_both_generations_live_for_the_hours_named(self):
        self.rotate(2, 24)
        self.assertEqual(self.works(1), ALL)
        self.assertEqual(self.works(2), ALL)
        began = rotation.load(self.house.storage)[2]
        self.house.agent.time.powered_s = began + 24 * HOUR - 1
        self.assertEqual(self.works(1), ALL)
        self.house.agent.time.powered_s = began + 24 * HOUR
        self.assertEqual(self.works(1), "")
        self.assertEqual(self.works(2), ALL)

    def test_only_two_generations_live(self):
        self.rotate(2, 24)
        self.rotate(5, 24)
        self.assertEqual([self.works(g) for g in (1, 2, 3, 4, 5)], ["", ALL, "", "", ALL])

    def test_reboots_change_nothing(self):
        self.rotate(2, 24)
        for _ in range(2):
            self.house.agent.stop()
            self.house.boot()
            self.house.run(1)
            self.house.talk()
            self.assertEqual((self.works(1), self.works(2)), (ALL, ALL))
        self.rotate(3)
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        self.assertEqual([self.works(g) for g in (1, 2, 3)], ["", "", ALL])

    def test_a_generation_never_comes_back(self):
        self.rotate(3)
        for generation in (0, 1, 2, 3, 10**9):
            self.house.coast(MINUTE)
            self.assertEqual(self.answer(self.order(generation), 90)[0], "range")
        self.assertEqual((self.works(1), self.works(2), self.works(3)), ("", "", ALL))

    def test_hours_and_unknown_arguments(self):
        for hours in (-1, 721):
            self.house.coast(MINUTE)
            self.assertEqual(self.answer(self.order(2, hours), 90)[0], "range")
        self.house.coast(MINUTE)
        self.assertEqual(self.answer(self.order(2, 0, ',"x":1'), 90)[0], "range")
        self.assertEqual((self.works(1), self.works(2)), (ALL, ""))

    def test_a_recorded_rotation_is_stale(self):
        self.house.coast(MINUTE)
        recorded = self.order(9)
        self.house.agent.desk._challenge.renew()
        self.house.agent.desk._challenge.renew()
        self.assertEqual(self.answer(recorded, 90)[0], "stale")
        self.assertEqual(self.works(1), ALL)

    def test_no_other_key_rotates(self):
        text = '{"generation":2,"hours":0}'
        for kid, key in (("config.1", None), ("relay.1", None), ("credit.1", None)):
            message = self.signed("key.rotate", text, kid, key)
            self.assertEqual(self.answer(message)[0], "denied locally")
        for kid, key in (("root.1", es256.OTHER_KEY), ("tariff.1", es256.TARIFF_KEY)):
            self.house.coast(MINUTE)
            message = self.signed("key.rotate", text, kid, key)
            self.assertEqual(self.answer(message, 90)[0], "bad signature")
        self.assertEqual((self.works(1), self.works(2)), (ALL, ""))

    def test_another_meters_rotation_is_not_taken(self):
        self.house.coast(MINUTE)
        challenge = self.house.agent.desk._challenge.now
        payload = '{"m":"demo-0002","op":"key.rotate","ch":"%s","ctr":99,"a":%s}'
        text = '{"generation":2,"hours":0}'
        message = es256.sign(payload % (challenge, text), ROOT_KEY, "root.1")
        self.assertEqual(self.answer(message, 90)[0], "range")
        self.assertEqual(self.works(1), ALL)

    def test_an_old_key_without_a_signature_is_no_way_in(self):
        self.rotate(2, 1)
        self.house.agent.time.powered_s += 2 * HOUR
        message = jws.credit(50, UNIT)
        bare = message[: message.rfind(b".") + 1]
        self.assertEqual(self.answer(bare)[0], "bad signature")


class TestStorage(Rotating):
    def generations(self):
        return [g for g in (1, 2, 3) if self.works(g) == ALL]

    def boot(self):
        self.house.boot()
        self.house.run(1)
        self.house.talk()
        found = rotation.load(self.house.storage)
        self.up = found[0] if found else 1

    def order_with(self, late=False, cut=0, fail=0):
        """A rotation to 3, hit at an operation; how many operations it made."""
        self.setUp()
        self.rotate(2)
        self.house.coast(MINUTE)
        message = self.order(3)
        storage = self.house.storage
        storage.operations, storage.late = 0, late
        storage.cut_at, storage.fail_at = cut, fail
        self.house.link.put(message)
        try:
            self.house.talk(90)
        finally:
            storage.cut_at = storage.fail_at = 0
        return storage.operations

    def test_cut_at_every_operation(self):
        for late in (False, True):
            seen = []
            for cut in range(1, 100):
                try:
                    self.order_with(late, cut)
                except PowerCut:
                    self.boot()
                    found = self.generations()
                    self.assertIn(found, ([2], [3]), (late, cut))
                    if found not in seen:
                        seen.append(found)
                    continue
                break
            self.assertEqual(seen, [[2], [3]])

    def test_storage_that_fails_at_every_operation(self):
        operations = self.order_with()
        self.assertGreaterEqual(operations, 3)
        for late in (False, True):
            for fail in range(1, operations + 1):
                self.order_with(late, fail=fail)
                self.up = stored = rotation.load(self.house.storage)[0]
                self.assertEqual(self.generations(), [stored], (late, fail))
                self.boot()
                self.assertEqual(self.generations(), [stored], (late, fail))

    def test_each_bit_of_one_file_flipped(self):
        self.rotate(2)
        for name in rotation.STORES:
            whole = bytes(self.house.storage.files[name])
            for bit in range(8 * len(whole)):
                hurt = bytearray(whole)
                hurt[bit // 8] ^= 1 << bit % 8
                self.house.storage.files[name] = hurt
                self.assertEqual(rotation.load(self.house.storage)[0], 2)
            self.house.storage.files[name] = bytearray(whole)

    def test_without_a_readable_file_only_the_root_key_is_taken(self):
        self.rotate(2, 24)
        for name in rotation.STORES:
            self.house.storage.files[name][3] ^= 1
        self.boot()
        self.house.agent.keeper.now()
        self.assertEqual(self.house.told(events.KEYS_LOST), [0])
        self.assertEqual([self.works(g) for g in (1, 2)], ["", ""])
        # Its old one is not known, so none lives on beside the new one.
        self.assertEqual(self.rotate(7, 24), ("ok", "generation 7"))
        self.assertEqual([self.works(g) for g in (1, 2, 6, 7)], ["", "", "", ALL])

    def test_one_file_that_is_gone_is_not_missed(self):
        self.rotate(2)
        self.house.storage.remove("keys.a")
        self.boot()
        self.assertEqual(self.generations(), [2])


class TestLostStore(Rotating):
    credit = None

    def test_one_order_brings_new_keys_and_a_ledger_above_its_floors(self):
        more = ',"credit":5,"want":7,"balance":3000000'
        self.assertEqual(self.rotate(2, 0, more), ("ok", "purchases go on after 5"))
        self.assertIsNone(self.house.agent.ledger.fault)
        self.assertEqual(self.balance(), 3 * 10**9)
        self.assertEqual(self.works(1), "")
        text = '{"m":"%s","op":"credit.add","a":{"n":%d,"amount":%d}}'
        for n, result in ((5, "duplicate"), (6, "ok")):
            message = jws.sign(text % (jws.METER, n, UNIT), "credit.2")
            self.assertEqual(self.answer(message)[0], result)
        self.house.boot()
        self.house.run(1)
        self.assertEqual(self.balance(), 4 * 10**9)
        self.assertEqual(self.house.told(events.KEYS_ROTATED), [2])

    def test_floors_that_are_not_whole_change_nothing(self):
        for more in (',"credit":5', ',"credit":5,"want":7', ',"credit":-1,"want":7,"balance":0'):
            self.house.coast(MINUTE)
            self.assertEqual(self.answer(self.order(2, 0, more), 90)[0], "range")
        self.assertIsNone(rotation.load(self.house.storage))
        self.assertEqual(self.house.agent.ledger.fault, "missing")


class TestOrder(Rotating):
    def test_a_ledger_in_order_is_not_begun_anew(self):
        self.house.coast(MINUTE)
        order = self.order(2, 0, ',"credit":5,"want":7')
        self.assertEqual(self.answer(order, 90), ("denied locally", "the ledger is in order"))
        self.assertEqual((self.works(1), self.works(2)), (ALL, ""))


if __name__ == "__main__":
    unittest.main()
