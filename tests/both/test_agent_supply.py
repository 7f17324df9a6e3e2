"""Supply: why it opens, what forbids it, and that only a person closes it."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import DISCONNECTED, READY
from wattledger.hal.sample import CORRUPT, NO_ANSWER, RESTARTED, TRUST_SYNCED
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of

HEAP = "384K"

TUESDAY = 2
LOW_1 = events.LOW_CREDIT_1
LOW_2 = events.LOW_CREDIT_2
ZERO = events.CREDIT_EXHAUSTED


class TestCreditCut(unittest.TestCase):
    def test_it_opens_at_zero_and_not_before(self):
        house = House(credit=3)
        house.run(2, 3600)
        house.chip.feed(319)
        house.once()
        self.assertEqual(house.agent.control.credit.available, 1_000_000_000)
        self.assertTrue(house.relay.contact())
        house.chip.feed(1)
        house.once()
        self.assertEqual(house.agent.control.credit.available, 0)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        self.assertEqual(house.moves(), [(0, rules.NO_CREDIT, rules.BY_CREDIT, 304)])

    def test_one_opening_is_one_movement_and_one_entry(self):
        house = House(credit=1)
        house.run(30, 3600)
        self.assertEqual(house.relay.operations, 1)
        self.assertEqual(len(house.moves()), 1)

    def test_export_earns_and_keeps_the_supply(self):
        house = House(credit=2)
        house.run(5, -3600)
        house.run(6, 3600)
        self.assertEqual(house.agent.control.credit.available, 1_000_000_000)
        self.assertTrue(house.relay.contact())

    def test_a_chip_fault_never_moves_the_relay(self):
        house = House(credit=1)
        house.chip.dead = True
        house.run(100)
        house.chip.dead = False
        for status in (NO_ANSWER, CORRUPT, RESTARTED) * 5:
            house.chip.status = status
            house.once()
        self.assertEqual(house.relay.operations, 0)

    def test_what_keeps_the_supply_whatever_the_credit(self):
        no_tariff = tariff_of(**{"from": START + 900_000})
        for name, house in (
            ("never cut", House(credit=1, never_cut=True)),
            ("credit mode", House(credit=1, payment_mode="credit")),
            ("no tariff yet", House(credit=1, tariff=no_tariff)),
        ):
            with self.subTest(name=name):
                house.run(30, 3600)
                self.assertTrue(house.relay.contact())
                self.assertEqual(house.agent.supply.reasons, 0)
                house.chip.feed(320 * 3)
                house.once()
                self.assertEqual(house.relay.operations, 0)

    def test_a_meter_without_its_ledger_moves_nothing(self):
        house = House(credit=None, tariff=b"" or None)
        house.run(20, 3600)
        self.assertEqual(house.relay.operations, 0)


class TestFriendly(unittest.TestCase):
    def test_it_postpones_the_cut_and_opens_when_it_ends(self):
        # Tuesday 06:00 to 06:01 would not be a quarter; 06:00 = minute 360, to 06:02 = 362.
        house = House(credit=2, tariff=tariff_of(friendly=[(TUESDAY, 360, 362)]))
        house.run(119, 360)  # 11.9 Wh at 0.1 Wh a second
        self.assertLess(house.agent.control.credit.available, 0)
        self.assertTrue(house.relay.contact())
        self.assertEqual(house.agent.supply.reasons, 0)
        house.run(5)
        self.assertFalse(house.relay.contact())
        unpacked = house.entries(16)
        self.assertEqual(len(unpacked), 1)
        self.assertLessEqual(unpacked[0].time - (START + 120), 5)
        self.assertGreaterEqual(unpacked[0].time, START + 120)

    def test_it_never_closes(self):
        house = House(credit=1, tariff=tariff_of(friendly=[(TUESDAY, 361, 362)]))
        house.run(5, 3600)
        self.assertFalse(house.relay.contact())
        house.run(80)
        self.assertFalse(house.relay.contact())
        self.assertEqual(house.agent.supply.state, DISCONNECTED)

    def test_it_holds_by_a_synced_clock_only(self):
        house = House(credit=3, tariff=tariff_of(friendly=[(TUESDAY, 0, 1440)]))
        house.go_offline()
        house.run(1)
        house.boot()
        house.agent.time.budget_s = 0
        house.run(5, 3600)
        self.assertFalse(house.relay.contact())


class TestClockBudget(unittest.TestCase):
    def test_a_new_meter_has_a_day_of_it(self):
        house = House(credit=5)
        self.assertEqual(house.agent.time.budget_s, 86_400)

    def offline(self, budget_s):
        """A meter that lost its clock in a reboot, with so much of the budget left."""
        house = House(credit=5)
        house.go_offline()
        house.agent.time.budget_s = budget_s
        house.agent.keeper.now()
        house.boot()
        return house

    def test_no_cut_without_a_clock_while_it_lasts_and_a_cut_after(self):
        house = self.offline(30)
        house.run(29, 3600)
        self.assertLess(house.agent.control.credit.available, 0)
        self.assertTrue(house.relay.contact())
        house.run(2)
        self.assertFalse(house.relay.contact())

    def test_it_is_powered_time_and_kept_over_reboots(self):
        house = self.offline(100)
        house.run(40)
        house.agent.stop()
        house.pass_ms(7 * 86_400_000)  # a week without power
        house.boot()
        self.assertEqual(house.agent.time.budget_s, 60)
        house.run(40)
        self.assertEqual(house.agent.time.budget_s, 20)

    def test_it_ends_at_nothing_and_fills_to_a_day_when_synced(self):
        house = self.offline(5)
        house.run(9)
        self.assertEqual(house.agent.time.budget_s, 0)
        house.online = house.clock.online = True
        house.run(1)
        self.assertEqual(house.agent.time.trust(), TRUST_SYNCED)
        house.run(10)
        self.assertEqual(house.agent.time.budget_s, 10)
        house.agent.time.budget_s = 86_395
        house.run(10)
        self.assertEqual(house.agent.time.budget_s, 86_400)


class TestTopUp(unittest.TestCase):
    def cut(self, **tariff):
        house = House(credit=1, tariff=tariff_of(**tariff))
        house.run(3, 3600)
        self.assertFalse(house.relay.contact())
        return house

    def test_it_arms_and_never_closes(self):
        house = self.cut()
        self.assertEqual(house.pay(20, 1), "ok")
        house.run(300)
        self.assertEqual(house.agent.supply.state, READY)
        self.assertFalse(house.relay.contact())

    def test_it_arms_at_reconnect_above_and_not_below(self):
        house = self.cut(reconnect_above=5 * UNIT)
        self.assertEqual(house.agent.control.credit.available, 0)
        house.pay(4, 1)
        house.run(2)
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        self.assertEqual(house.page.view["supply"]["restore_micro"], 1_000_000)
        house.pay(1, 2)
        house.run(2)
        self.assertEqual(house.agent.supply.state, READY)

    def test_nothing_above_zero_is_still_no_credit(self):
        house = self.cut(reconnect_above=0)
        house.run(3)
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        self.assertEqual(house.page.view["supply"]["restore_micro"], 1)

    def test_what_is_armed_disarms_when_the_credit_goes(self):
        house = self.cut()
        house.pay(2, 1)
        house.run(1)
        self.assertEqual(house.agent.supply.state, READY)
        house.use(3)  # a bypass, or the meter's own counting: the contact is open
        self.assertEqual(house.agent.supply.state, DISCONNECTED)
        self.assertEqual(house.relay.operations, 1)


class TestAlarms(unittest.TestCase):
    def test_each_sounds_once_a_crossing_with_the_credit_left(self):
        house = House(credit=8)
        house.run(20, 3600)
        house.run(12)
        self.assertEqual(house.told(LOW_1), [5_000_000])
        self.assertEqual(house.told(LOW_2), [2_000_000])
        self.assertEqual(house.told(ZERO), [0])

    def test_hovering_at_a_level_sounds_once(self):
        house = House(credit=8)
        for _ in range(6):
            house.run(4, 3600)
            house.run(4, -3600)
        house.run(12)
        self.assertEqual(house.told(LOW_1), [5_000_000])

    def test_credit_arms_those_it_rises_above(self):
        house = House(credit=8)
        house.run(7, 3600)  # 1.00 left
        house.pay(3, 1)  # 4.00: above the second level only
        house.run(3, 3600)
        house.run(12)
        self.assertEqual(len(house.told(LOW_1)), 1)
        self.assertEqual(house.told(LOW_2), [2_000_000, 2_000_000])
        house.pay(10, 2)
        house.run(9, 3600)
        house.run(12)
        self.assertEqual(house.told(LOW_1), [5_000_000, 5_000_000])

    def test_they_are_remembered_over_reboots(self):
        house = House(credit=8)
        house.run(6, 3600)
        house.agent.stop()
        for _ in range(3):
            house.boot()
            house.run(12)
        self.assertEqual(len(house.told(LOW_1)), 1)
        self.assertEqual(len(house.told(LOW_2)), 1)


if __name__ == "__main__":
    unittest.main()
