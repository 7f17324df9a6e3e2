"""The list of tokens that people see: four digits, where from, what became of each."""

import unittest

from wattledger.agent.tokens import attempts, results
from wattledger.tests.both.fixtures_agent import UNIT
from wattledger.tests.both.houses_tokens import NOW_TID, sts_house, token

HEAP = "512K"
WORTH = 2_080_000  # 4.0 kWh at 0.52


def shown(house):
    return house.agent.view.page()["purchases"]


def typed(house, digits):
    house.page.requests.append(("token", digits))
    for _ in range(50):
        house.agent.step()


class TestAttempts(unittest.TestCase):
    def test_a_token_by_keypad_is_told_once_with_its_last_four_digits(self):
        house = sts_house()
        digits = token(NOW_TID + 1)
        typed(house, digits)
        found = shown(house)
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["amount_micro"], WORTH)
        self.assertEqual(found[0]["last4"], digits[-4:])
        self.assertEqual((found[0]["source"], found[0]["result"]), ("keypad", results.ACCEPT))
        self.assertEqual(found[0]["n"], NOW_TID + 1)
        self.assertNotIn(digits, str(found))

    def test_what_was_refused_is_told_and_brings_nothing(self):
        house = sts_house()
        digits = token(NOW_TID + 1)
        typed(house, digits)
        house.run(2)
        typed(house, digits)
        found = shown(house)
        self.assertEqual([item["result"] for item in found], [results.USED, results.ACCEPT])
        self.assertEqual([item["amount_micro"] for item in found], [None, WORTH])

    def test_a_purchase_of_the_utility_stands_between_by_its_time(self):
        house = sts_house()
        typed(house, token(NOW_TID + 1))
        house.run(2)
        house.pay(7, 1)
        house.run(2)
        house.agent.tokens.order({"token": token(NOW_TID + 2)})
        house.run(1)
        found = shown(house)
        self.assertEqual([item["source"] for item in found], ["remote", "remote", "keypad"])
        self.assertEqual([item["amount_micro"] for item in found], [WORTH, 7 * UNIT, WORTH])
        self.assertEqual(["last4" in item for item in found], [True, False, True])

    def test_they_outlive_a_power_cut_and_storage_that_is_full(self):
        house = sts_house()
        typed(house, token(NOW_TID + 1))
        house.boot()
        house.run(1)
        self.assertEqual(shown(house)[0]["last4"], token(NOW_TID + 1)[-4:])
        self.assertEqual(len(shown(house)), 1)
        listed = attempts.Attempts(house.storage)
        house.storage.fail = 28
        listed.note(1, "12345678901234567890", results.CRC, attempts.REMOTE, 0)
        self.assertEqual(listed.found[0][:4], (1, 7890, results.CRC, attempts.REMOTE))

    def test_a_locked_meter_looked_at_nothing(self):
        house = sts_house()
        for number in range(4):
            typed(house, "%020d" % number)
        found = [item["result"] for item in shown(house)]
        self.assertEqual(found.count(results.LOCKED), 0)
        self.assertTrue(0 < len(found) <= 3)

    def test_the_list_is_short(self):
        house = sts_house()
        listed = house.agent.tokens.attempts
        for number in range(9):
            listed.note(number, "%020d" % number, results.OLD, attempts.KEYPAD, 0)
        self.assertEqual([item[0] for item in listed.found], [8, 7, 6, 5, 4, 3])
        self.assertEqual(attempts.Attempts(house.storage).found, listed.found)


if __name__ == "__main__":
    unittest.main()
