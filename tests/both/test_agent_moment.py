"""A meter restarts for an update only when that harms nobody."""

import unittest

from wattledger.agent.moment import Moment
from wattledger.tests.both.fixtures_agent import House

HEAP = "512K"


def settled(credit=900, seconds=660, watts=3600, **more):
    """(House, Moment) after eleven minutes of one Wh a second, that is of one unit."""
    house = House(credit=credit, warned=False, **more)
    house.run(1)
    moment = Moment(house.agent)
    moment.why_not()
    house.run(seconds, watts)
    return house, moment


class TestMoment(unittest.TestCase):
    def test_an_ordinary_time_is_good(self):
        _, moment = settled(credit=5000)
        self.assertEqual(moment.why_not(), "")

    def test_never_within_an_hour_of_a_credit_cut(self):
        # 660 units are used in the eleven minutes, 3600 in an hour.
        _, moment = settled(credit=660 + 3600 - 20)
        self.assertEqual(moment.why_not(), "credit")
        _, moment = settled(credit=660 + 3600 + 20)
        self.assertEqual(moment.why_not(), "")

    def test_what_keeps_a_cut_back_makes_the_moment_no_better(self):
        house, moment = settled(credit=600, seconds=590)
        house.agent.control.credit.keep(7200)
        house.run(30, 3600)
        self.assertTrue(house.relay.contact())
        self.assertEqual(moment.why_not(), "credit")

    def test_a_meter_that_never_cuts_need_not_wait_for_credit(self):
        _, moment = settled(credit=700, never_cut=True)
        self.assertEqual(moment.why_not(), "")

    def test_a_meter_in_credit_mode_need_not_either(self):
        _, moment = settled(credit=700, payment_mode="credit")
        self.assertEqual(moment.why_not(), "")

    def test_a_supply_that_is_open_cannot_be_cut(self):
        house, moment = settled(credit=100, seconds=1100)
        self.assertFalse(house.relay.contact())
        house.run(61)
        self.assertEqual(moment.why_not(), "")

    def test_not_within_a_minute_of_a_movement_of_the_relay(self):
        house, moment = settled(credit=5000)
        house.agent.supply.last_move_s = house.agent.time.powered_s - 59
        self.assertEqual(moment.why_not(), "relay")
        house.agent.supply.last_move_s -= 1
        self.assertEqual(moment.why_not(), "")

    def test_not_while_the_contact_is_not_where_it_was_told(self):
        house, moment = settled(credit=5000)
        house.relay._closed = False
        self.assertEqual(moment.why_not(), "relay")

    def test_not_at_a_low_voltage(self):
        house, moment = settled(credit=5000)
        house.chip.voltage_mv = 183_999  # under 80 % of 230 V
        house.run(1, 3600)
        self.assertEqual(moment.why_not(), "voltage")
        house.chip.voltage_mv = 184_000
        house.run(1, 3600)
        self.assertEqual(moment.why_not(), "")

    def test_not_while_the_chip_does_not_answer(self):
        house, moment = settled(credit=5000)
        house.chip.dead = True
        house.run(1)
        self.assertEqual(moment.why_not(), "chip")

    def test_not_in_a_storm_of_events_nor_ten_minutes_after(self):
        house, moment = settled(credit=5000)
        for number in range(31):
            house.agent.report(1, number)
        self.assertEqual(moment.why_not(), "events")
        found = []
        for _ in range(14):
            house.run(60, 360)
            found.append(moment.why_not())
        self.assertEqual(found[:9], ["events"] * 9)
        self.assertEqual(found[-2:], ["", ""])

    def test_not_while_the_store_takes_nothing(self):
        house, moment = settled(credit=5000)
        house.storage.fail = 28
        house.run(11, 3600)
        self.assertEqual(moment.why_not(), "storage")

    def test_not_before_ten_minutes_were_seen(self):
        house, moment = settled(credit=5000, seconds=500)
        self.assertEqual(moment.why_not(), "events")
        house.run(110, 3600)
        self.assertEqual(moment.why_not(), "")


if __name__ == "__main__":
    unittest.main()
