"""What a person makes of numbers: levels, what credit buys, emergency credit, the least top-up."""

import unittest

from wattledger.agent.billing.debt import Debt
from wattledger.agent.display import measures
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of

HEAP = "384K"
DAY = 86400
NANO = 10**9


class TestLevels(unittest.TestCase):
    def test_power_is_told_in_words(self):
        for milliwatts, level in (
            (None, None),
            (0, "none"),
            (499, "none"),
            (500, "low"),
            (499_999, "low"),
            (500_000, "mid"),
            (2_000_000, "high"),
            (-500, "export"),
        ):
            self.assertEqual(measures.power_level(milliwatts), level)

    def test_days_left_are_good_above_three_and_bad_below_one(self):
        for days, seconds, level in (
            (None, None, None),
            (99, None, "good"),
            (3, 3 * DAY + 1, "good"),
            (3, 3 * DAY, "soon"),
            (1, DAY, "soon"),
            (1, DAY - 1, "today"),
            (0, 0, "today"),
        ):
            ends_at = None if seconds is None else START + seconds
            self.assertEqual(measures.days_level(days, ends_at, START), level)

    def test_credit_buys_whole_watt_hours_at_the_price(self):
        # 23.411999 at 0.62 a kWh: 37.761 kWh and a bit.
        self.assertEqual(measures.credit_wh(23_411_999_000, 620_000), 37_761)
        self.assertEqual(measures.credit_wh(-1, 620_000), 0)
        self.assertIsNone(measures.credit_wh(NANO, 0))
        self.assertIsNone(measures.credit_wh(NANO, -54_321))
        self.assertIsNone(measures.credit_wh(NANO, None))


class TestEmergency(unittest.TestCase):
    def test_each_state_with_what_is_left_and_what_is_owed(self):
        for offered, accepted, used, available, expected in (
            (False, False, False, 9 * NANO, ("none", 0, 0)),
            (True, False, False, NANO, ("available", 5 * UNIT, 0)),
            (False, True, False, NANO, ("taken", 5 * UNIT, 0)),
            # 2.000000001 owed: of 5 units 2.999999999 are left, rounded down; owed rounded up.
            (False, True, True, -2 * NANO - 1, ("in use", 2_999_999, 2_000_001)),
            (False, True, True, -5 * NANO, ("used", 0, 5 * UNIT)),
            (False, True, True, -9 * NANO, ("used", 0, 9 * UNIT)),
        ):
            found = measures.emergency(offered, accepted, used, 5 * UNIT, available)
            self.assertEqual(found, expected)

    def test_a_meter_tells_its_emergency_credit(self):
        document = tariff_of(credit=None)
        text = document.decode().replace(
            '"credit": null',
            '"credit": {"low": [5000000, 2000000], "emergency": 4000000, "max": 100000000,'
            ' "reconnect_above": 1000000, "friendly": []}',
        )
        house = House(credit=2, tariff=text.encode())
        house.use(1)
        self.assertEqual(house.page.view["emergency"]["state"], "available")
        house.page.requests.append(("accept",))
        house.use(1)
        house.use(1)
        house.agent.keeper.now()
        told = house.agent.view.page()["emergency"]
        # 2.00 less 3 Wh at 1.00: 1.00 is owed, 3.00 of 4.00 are left.
        self.assertEqual(told["state"], "in use")
        self.assertEqual((told["left_micro"], told["owed_micro"]), (3 * UNIT, UNIT))


class TestTopUp(unittest.TestCase):
    def debt(self, owed, share, cap=0):
        debt = Debt()
        debt.owed, debt.share, debt.cap = owed * NANO, share, cap * UNIT
        return debt

    def test_without_a_debt_it_is_what_is_needed(self):
        self.assertEqual(measures.topup_micro(6 * UNIT, self.debt(0, 30)), 6 * UNIT)
        self.assertEqual(measures.topup_micro(6 * UNIT, self.debt(9, 0)), 6 * UNIT)
        self.assertEqual(measures.topup_micro(0, self.debt(9, 30)), 0)

    def test_a_share_is_paid_on_top(self):
        # 7.00 is what is left of 10.00 at 30 %.
        self.assertEqual(measures.topup_micro(7 * UNIT, self.debt(100, 30)), 10 * UNIT)
        # Not more than is owed, nor than the cap of the week.
        self.assertEqual(measures.topup_micro(7 * UNIT, self.debt(1, 30)), 8 * UNIT)
        self.assertEqual(measures.topup_micro(7 * UNIT, self.debt(100, 30, 2)), 9 * UNIT)

    def test_it_suffices_to_the_micro_unit(self):
        for needed in (1, 2, 3, 999_999, 1_234_567):
            for share in (1, 33, 50, 90):
                least = measures.topup_micro(needed, self.debt(10**6, share))
                for gross, enough in ((least, True), (least - 2, False)):
                    left = gross * 1000 - gross * 1000 * share // 100
                    self.assertEqual(left >= needed * 1000, enough, (needed, share))


if __name__ == "__main__":
    unittest.main()
