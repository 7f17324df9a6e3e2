"""Tokens that are time: warnings, the cut when it is up, what holds it back, and the way back."""

import unittest

from wattledger.agent import events
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY
from wattledger.agent.tokens.results import ACCEPT
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of
from wattledger.tests.both.houses_storage import BreakingStorage, PowerCut
from wattledger.tests.both.houses_tokens import PAYGO, PAYGO_KEY, paygo

HEAP = "1024K"
STEP_S = 60  # what a unit of time is worth here
TUESDAY = 2


class TimeHouse(House):
    """Ten units of money, which nothing uses; tokens of minutes."""

    token_key = PAYGO_KEY

    def __init__(self, **changes):
        settings = dict(PAYGO, step_s=STEP_S, allow_unlock=True)
        changes["warned"] = changes.get("warned", False)
        super().__init__(token=settings, linked=True, **changes)

    def enter(self, count, value):
        """A token's result number."""
        said = None
        while said is None:
            said = self.agent.tokens.enter(paygo(count, value))
        return said[0]

    def supply(self):
        return self.agent.supply.state

    def reasons(self):
        return self.agent.supply.reasons

    def seconds_of(self, kind):
        """Seconds from the start of the durable entries of a kind."""
        return [entry.time - START for entry in self.entries(kind)]


class TestTheCut(unittest.TestCase):
    def test_warnings_at_15_and_5_minutes_and_the_cut_when_time_is_up(self):
        house = TimeHouse()
        self.assertEqual(house.enter(2, 30), ACCEPT)  # until second 1800
        house.coast(860)
        self.assertEqual(house.told(events.CUT_IN_15), [])
        house.run(30)
        # Half a minute is in hand: 930 s are left at 870 s, looked at every 10 s.
        told = house.told(events.CUT_IN_15)
        self.assertEqual(len(told), 1)
        self.assertTrue(900 <= told[0] <= 930)
        house.coast(600)
        house.run(20)
        told = house.told(events.CUT_IN_5)
        self.assertEqual(len(told), 1)
        self.assertTrue(300 <= told[0] <= 330)
        house.run(1799 - 1510)
        self.assertEqual(house.supply(), CONNECTED)
        self.assertEqual(house.page.view["supply"]["time_left_s"], 1)
        house.run(1)
        self.assertEqual((house.supply(), house.relay.contact()), (DISCONNECTED, False))
        operation, reasons, cause, _ = house.moves()[-1]
        self.assertEqual((operation, reasons, cause), (DISCONNECTED, 16, rules.BY_TIME))
        self.assertEqual(house.seconds_of(records.RELAY), [1800])
        self.assertEqual(house.told(events.CUT_RESTORE), [])  # no money brings it back

    def test_a_new_meter_has_no_time_and_is_cut_five_minutes_after_a_warning(self):
        house = TimeHouse()
        house.run(300)
        self.assertEqual(house.told(events.CUT_IN_5), [300])
        self.assertEqual(house.supply(), CONNECTED)
        house.run(2)
        self.assertEqual(house.reasons(), rules.TIME_UP)
        self.assertFalse(house.relay.contact())
        view = house.page.view["supply"]
        self.assertEqual((view["reason"], view["time_left_s"]), ("time is up", 0))

    def test_time_in_time_takes_the_warning_back(self):
        house = TimeHouse()
        house.run(200)
        self.assertIsNotNone(house.agent.control.credit.warned_s)
        self.assertEqual(house.enter(2, 40), ACCEPT)
        house.run(20)
        self.assertIsNone(house.agent.control.credit.warned_s)
        house.coast(1000)
        self.assertEqual(house.supply(), CONNECTED)

    def test_setting_the_time_to_nothing_warns_first(self):
        house = TimeHouse()
        house.run(1)
        self.assertEqual(house.enter(2, 100), ACCEPT)
        house.run(1)
        self.assertEqual(house.enter(3, 0), ACCEPT)
        house.run(290)
        self.assertEqual(house.supply(), CONNECTED)
        house.run(30)
        self.assertEqual(house.supply(), DISCONNECTED)

    def test_no_tariff_and_no_clock_hold_nothing_back(self):
        house = TimeHouse()
        house.agent.ledger.account.tariff = None
        house.go_offline()
        house.run(320)
        self.assertEqual(house.reasons(), rules.TIME_UP)

    def test_credit_mode_is_about_money_only(self):
        house = TimeHouse(payment_mode="credit")
        house.run(320)
        self.assertEqual(house.reasons(), rules.TIME_UP)

    def test_units_of_money_never_run_out_of_time(self):
        house = TimeHouse()
        house.config.token.paygo_unit = UNIT
        house.boot()
        house.run(400)
        self.assertEqual(house.supply(), CONNECTED)
        self.assertIsNone(house.page.view["supply"]["time_left_s"])


class TestTheWayBack(unittest.TestCase):
    def setUp(self):
        self.house = TimeHouse()
        self.house.run(320)
        self.assertEqual(self.house.supply(), DISCONNECTED)

    def test_time_arms_and_a_person_closes(self):
        house = self.house
        self.assertEqual(house.enter(2, 30), ACCEPT)
        house.run(100)
        self.assertEqual((house.supply(), house.reasons()), (READY, 0))
        self.assertFalse(house.relay.contact())
        house.hold(3000)
        self.assertEqual((house.supply(), house.relay.contact()), (CONNECTED, True))
        self.assertEqual(house.moves()[-1][2], rules.BY_PERSON)

    def test_money_does_not_arm(self):
        self.assertEqual(self.house.pay(5, 1), "ok")
        self.house.run(5)
        self.assertEqual(self.house.reasons(), rules.TIME_UP)

    def test_a_meter_unlocked_for_good_is_armed(self):
        self.assertEqual(self.house.enter(3, 998), ACCEPT)
        self.house.run(2)
        self.assertEqual(self.house.supply(), READY)
        self.assertIsNone(self.house.page.view["supply"]["time_left_s"])

    def test_auto_close_closes_and_its_reason_outlives_a_reboot(self):
        house = self.house
        house.boot()
        house.run(2)
        self.assertEqual((house.supply(), house.reasons()), (DISCONNECTED, rules.TIME_UP))
        self.assertEqual(house.enter(2, 60), ACCEPT)
        house.run(2)
        house.boot()
        house.run(2)
        self.assertEqual((house.supply(), house.agent.supply.since), (READY, rules.TIME_UP))
        house.coast(720)  # longer than any draw: without auto_close nobody closes it
        self.assertEqual(house.supply(), READY)
        house.agent.account.tariff.auto_close = True
        house.coast(720)
        self.assertEqual(house.supply(), CONNECTED)

    def test_at_any_power_cut_around_the_token_it_comes_back(self):
        number = 0
        while True:
            number += 1
            house = TimeHouse(storage=BreakingStorage())
            house.run(320)
            self.assertEqual(house.supply(), DISCONNECTED)
            house.storage.late = bool(number & 1)
            house.storage.cut_at = house.storage.operations + number
            try:
                house.enter(2, 30)
                house.run(5)
                break
            except PowerCut:
                house.boot()
                house.run(2)
            self.assertIn(house.enter(2, 30), (ACCEPT, 10))
            house.run(2)
            self.assertEqual(house.supply(), READY, number)
            left = house.agent.tokens.time_left_s()
            # A cut takes the powered seconds back to the last snapshot, at most 10 s ago.
            self.assertTrue(1790 <= left <= 1810, (number, left))
        self.assertGreater(number, 3)


class TestWhatHoldsItBack(unittest.TestCase):
    def test_a_friendly_period_and_the_warnings_before_its_end(self):
        # 06:00 to 06:30; the meter has had no time from the beginning.
        house = TimeHouse(tariff=tariff_of(friendly=[(TUESDAY, 360, 390)]))
        house.coast(1780)
        house.run(19)
        self.assertEqual(house.supply(), CONNECTED)
        self.assertEqual(len(house.told(events.CUT_IN_15)), 1)
        self.assertEqual(len(house.told(events.CUT_IN_5)), 1)
        house.run(2)
        self.assertEqual(house.seconds_of(records.RELAY), [1800])

    def test_keep_power_holds_it_back_and_arms(self):
        house = TimeHouse()
        house.run(320)
        house.agent.control.credit.keep(3600)
        house.run(2)
        self.assertEqual((house.supply(), house.reasons()), (READY, 0))
        house.coast(60)
        house.hold(3000)
        self.assertEqual(house.supply(), CONNECTED)
        house.coast(3500)
        self.assertEqual(house.supply(), CONNECTED)
        house.coast(100)
        self.assertEqual(house.reasons(), rules.TIME_UP)

    def test_a_customer_who_is_never_cut(self):
        house = TimeHouse(never_cut=True)
        house.coast(1000)
        self.assertEqual(house.supply(), CONNECTED)
        self.assertEqual(house.told(events.CUT_IN_5), [])

    def test_no_cut_that_no_token_could_end(self):
        house = TimeHouse()
        house.agent.tokens.lost = True
        house.coast(1000)
        self.assertEqual(house.supply(), CONNECTED)
        self.assertIsNone(house.page.view["supply"]["time_left_s"])

    def test_credit_that_ends_sooner_still_cuts(self):
        house = TimeHouse()
        self.assertEqual(house.enter(2, 60), ACCEPT)
        house.run(12, 3600)  # 1 a second: the ten are gone
        house.run(310)
        self.assertEqual(house.reasons(), rules.NO_CREDIT)
        house.coast(3600)
        self.assertEqual(house.reasons(), rules.NO_CREDIT | rules.TIME_UP)
        self.assertEqual(house.page.view["supply"]["reasons"], ["no credit", "time is up"])
        self.assertEqual(house.enter(4, 60), ACCEPT)
        house.run(2)
        self.assertEqual(house.reasons(), rules.NO_CREDIT)


if __name__ == "__main__":
    unittest.main()
