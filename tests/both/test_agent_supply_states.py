"""The state machine of the supply and its limits, alone, and what forbids a cut."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, DISCONNECTED, READY, Supply

HEAP = "384K"

TUESDAY = 2
LOW_1 = events.LOW_CREDIT_1
LOW_2 = events.LOW_CREDIT_2
ZERO = events.CREDIT_EXHAUSTED


class TestStates(unittest.TestCase):
    """The state machine alone, row by row."""

    def test_it_arms_when_the_last_reason_is_gone(self):
        supply = Supply()
        supply.restore(DISCONNECTED, rules.NO_CREDIT | rules.REMOTE, 0)
        self.assertFalse(supply.settle())
        supply.hold_open(rules.NO_CREDIT, False)
        self.assertFalse(supply.settle())
        supply.hold_open(rules.REMOTE, False)
        self.assertTrue(supply.settle())
        self.assertEqual(supply.state, READY)
        self.assertFalse(supply.settle())

    def test_a_new_reason_disarms(self):
        supply = Supply()
        supply.hold_open(rules.NO_CREDIT, True)
        self.assertFalse(supply.must_open())
        self.assertTrue(supply.settle())
        self.assertEqual(supply.state, DISCONNECTED)

    def test_a_reason_opens_only_what_is_connected(self):
        for state, opens in ((CONNECTED, True), (READY, False), (DISCONNECTED, False)):
            supply = Supply()
            supply.restore(state, 0, 0)
            self.assertFalse(supply.must_open())
            supply.hold_open(rules.NO_CREDIT, True)
            self.assertEqual(supply.must_open(), opens)

    def test_settling_never_connects_or_disconnects(self):
        supply = Supply()
        supply.restore(CONNECTED, rules.NO_CREDIT, 0)
        self.assertFalse(supply.settle())
        self.assertEqual(supply.state, CONNECTED)

    def test_the_strongest_reason_is_shown(self):
        order = ["safety", "no credit", "load limit", "remote"]
        everything = rules.SAFETY | rules.NO_CREDIT | rules.LOAD_LIMIT | rules.REMOTE
        self.assertEqual(rules.names(everything), order)
        self.assertEqual(rules.strongest(rules.REMOTE | rules.NO_CREDIT), "no credit")
        self.assertIsNone(rules.strongest(0))
        self.assertEqual(rules.names(0), [])

    def test_what_forbids_a_cut(self):
        tariff = object()
        # tariff, prepay, never cut, keep-power s, budget s without a clock, friendly, warned
        for arguments, row in (
            ((tariff, True, False, 0, 0, False, True), None),
            ((None, True, False, 0, 0, False, True), rules.NO_TARIFF),
            ((tariff, False, False, 0, 0, False, True), rules.CREDIT_MODE),
            ((tariff, True, True, 0, 0, False, True), rules.NEVER_CUT),
            ((tariff, True, False, 1, 0, False, True), rules.KEEP_POWER),
            ((tariff, True, False, 0, 1, False, True), rules.CLOCK_NOT_SET),
            ((tariff, True, False, 0, 0, True, True), rules.FRIENDLY),
            ((tariff, True, False, 0, 0, False, False), rules.NOT_WARNED),
            ((tariff, True, False, 1, 1, True, False), rules.KEEP_POWER),
        ):
            friendly, warned = arguments[5], arguments[6]
            found = rules.holds_back(*arguments[:5], lambda f=friendly: f, lambda w=warned: w)
            self.assertEqual(found, row)

    def test_rows_stand_at_their_numbers(self):
        for row, name in (
            (rules.NO_TARIFF, "no tariff"),
            (rules.CREDIT_MODE, "credit mode"),
            (rules.NEVER_CUT, "never-cut customer"),
            (rules.KEEP_POWER, "keep-power"),
            (rules.CLOCK_NOT_SET, "clock not set"),
            (rules.FRIENDLY, "friendly period"),
            (rules.NOT_WARNED, "not warned yet"),
        ):
            self.assertEqual(rules.HOLDS_BACK[row][0], name)
        self.assertEqual(rules.CLOSES[rules.PERSON], ("person", rules.BY_PERSON))
        self.assertEqual(rules.CLOSES[rules.METER], ("meter", rules.BY_ITSELF))
        self.assertEqual(rules.CLOSES[rules.RESTORING], ("restoring", rules.BY_RESTORING))


class TestLimits(unittest.TestCase):
    """How soon the relay may close again."""

    def test_sixty_seconds_off_at_least(self):
        supply = Supply()
        supply.opened(1000)
        self.assertEqual([supply.wait_s(t) for t in (1000, 1059, 1060, 9999)], [60, 1, 0, 0])

    def test_sixty_seconds_hold_from_the_first_second_of_a_meter(self):
        supply = Supply()
        supply.opened(0)
        self.assertIn(supply.wait_s(0), (60, 61))

    def test_four_closings_in_ten_minutes(self):
        supply = Supply()
        for at in (1000, 1100, 1200, 1300):
            supply.closed(at)
            supply.opened(at + 10)
        # The first of the last four was at 1000; the fifth may follow 600 s after it.
        self.assertEqual(supply.wait_s(1370), 230)
        self.assertEqual(supply.wait_s(1600), 0)
        supply.closed(1600)
        supply.opened(1601)
        self.assertEqual(supply.wait_s(1601), 99)  # 1100 + 600

    def test_ten_closings_in_a_day(self):
        supply = Supply()
        for number in range(10):
            supply.closed(10_000 + number * 1000)
        supply.opened(20_000)
        self.assertEqual(supply.wait_s(20_060), 10_000 + 86_400 - 20_060)
        self.assertEqual(supply.wait_s(96_400), 0)
        supply.closed(96_400)
        self.assertEqual(supply.wait_s(96_400), 1000)  # the second of the ten, at 11 000

    def test_limits_never_delay_an_opening(self):
        supply = Supply()
        for number in range(20):
            supply.closed(1000 + number)
        supply.hold_open(rules.NO_CREDIT, True)
        self.assertTrue(supply.must_open())


if __name__ == "__main__":
    unittest.main()
