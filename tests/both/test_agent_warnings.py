"""Nobody is cut by surprise: warnings before the projected cut, and five minutes after one."""

import unittest

from wattledger.agent import events
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both.fixtures_agent import START, UNIT, House, tariff_of

HEAP = "512K"
TUESDAY = 2


def told_at(house, code):
    """Seconds from the start at which an event was written down."""
    return [
        entry.time - START
        for entry in house.entries(records.EVENT)
        if readers.unpack_event(entry.payload)[0] == code
    ]


def opened_at(house):
    """Seconds from the start of the durable openings."""
    return [entry.time - START for entry in house.entries(records.RELAY)]


class TestSteadyLoad(unittest.TestCase):
    """0.1 Wh a second: 100 units are gone after 1000 s. A look every 10 s, from the first."""

    def setUp(self):
        self.house = House(credit=100, warned=False)

    def test_fifteen_and_five_minutes_before_and_the_cut_when_credit_ends(self):
        self.house.run(1002, 360)
        # Half a minute is in hand: 930 s are left at 70 s, 330 s at 670 s.
        self.assertEqual(told_at(self.house, events.CUT_IN_15), [71])
        self.assertEqual(self.house.told(events.CUT_IN_15), [929])
        self.assertEqual(told_at(self.house, events.CUT_IN_5), [671])
        self.assertEqual(self.house.told(events.CUT_IN_5), [329])
        self.assertEqual(opened_at(self.house), [1000])
        self.assertEqual(self.house.told(events.CUT_RESTORE), [UNIT])
        self.assertEqual(self.house.told(events.CUT_FRIENDLY), [])

    def test_they_are_kept_over_a_reboot(self):
        self.house.run(700, 360)
        self.house.agent.stop()
        self.house.boot()
        self.house.run(302, 360)
        self.assertEqual(len(told_at(self.house, events.CUT_IN_15)), 1)
        self.assertEqual(told_at(self.house, events.CUT_IN_5), [671])
        self.assertEqual(opened_at(self.house), [1000])

    def test_a_top_up_takes_them_back_and_they_are_given_again(self):
        self.house.run(700, 360)
        self.house.pay(170, 1)  # 200 from here: 2000 s
        self.house.run(11, 360)
        self.assertIsNone(self.house.agent.control.credit.warned_s)
        self.house.run(1991, 360)
        self.assertEqual(len(told_at(self.house, events.CUT_IN_5)), 2)
        self.assertEqual(opened_at(self.house), [2700])

    def test_the_page_shows_the_time_that_is_left(self):
        self.house.run(100, 360)
        self.assertEqual(self.house.page.view["supply"]["cut_in_s"], 909)  # looked at 91 s

    def test_a_load_that_ends_takes_them_back(self):
        self.house.run(700, 360)
        self.house.run(330)
        self.assertIsNone(self.house.agent.control.credit.left_s)
        self.house.run(400, 360)
        # 30 units were left; the mean of five minutes is 0.1 a second again after 300 s.
        self.assertEqual(len(told_at(self.house, events.CUT_IN_5)), 2)


class TestSuddenLoad(unittest.TestCase):
    def test_the_cut_waits_until_five_minutes_after_the_warning(self):
        house = House(credit=100, warned=False)
        house.run(100, 36)
        house.run(25, 14_400)  # 4 Wh a second
        # 3.6 and 40 Wh in 110 s: 56 units at 0.4 a second, which is less than five minutes.
        self.assertEqual(told_at(house, events.CUT_IN_5), [111])
        house.run(285)
        self.assertLessEqual(house.agent.control.credit.available, 0)
        self.assertTrue(house.relay.contact())
        house.run(1)
        self.assertFalse(house.relay.contact())
        self.assertEqual(opened_at(house), [411])

    def test_credit_that_ends_without_any_warning_gives_one_at_once(self):
        house = House(credit=2, warned=False)
        house.run(2, 3600)
        self.assertEqual(house.told(events.CUT_IN_5), [])
        house.run(12)
        self.assertEqual(told_at(house, events.CUT_IN_5), [2])
        house.run(287)
        self.assertTrue(house.relay.contact())
        house.run(1)
        self.assertFalse(house.relay.contact())

    def test_a_top_up_in_between_calls_it_off(self):
        house = House(credit=2, warned=False)
        house.run(10, 3600)
        house.pay(500, 1)
        house.run(400)
        self.assertTrue(house.relay.contact())
        self.assertIsNone(house.agent.control.credit.warned_s)


class TestChargesAndPeriods(unittest.TestCase):
    def test_a_midnight_charge_is_seen_coming(self):
        # 22:00 UTC is 23:45 in this zone; 40 units, and 50 fall due at midnight, after 900 s.
        tariff = tariff_of(tz="<+0145>-1:45", standing_day=50 * UNIT)
        house = House(credit=40, tariff=tariff, warned=False)
        house.run(902)
        self.assertEqual(house.told(events.CUT_IN_15), [839])  # at 61 s, when there is a mean
        self.assertEqual(told_at(house, events.CUT_IN_5), [571])
        self.assertEqual(opened_at(house), [900])
        self.assertEqual(house.told(events.CUT_RESTORE), [11 * UNIT])

    def test_the_end_of_a_friendly_period_is_seen_coming(self):
        # 10 units last 100 s; 06:00 to 06:30 is friendly.
        house = House(credit=10, tariff=tariff_of(friendly=[(TUESDAY, 360, 390)]), warned=False)
        house.run(1802, 360)
        self.assertEqual(told_at(house, events.CUT_IN_15), [871])
        self.assertEqual(told_at(house, events.CUT_IN_5), [1471])
        self.assertEqual(opened_at(house), [1800])
        # 180 Wh were used: 170 units below nothing, and one above it to be armed.
        self.assertEqual(house.told(events.CUT_FRIENDLY), [170 * UNIT])
        self.assertEqual(house.told(events.CUT_RESTORE), [171 * UNIT])
        view = house.page.view["supply"]
        self.assertEqual((view["accrued_micro"], view["restore_micro"]), (170 * UNIT, 171 * UNIT))

    def test_what_accrued_is_shown_over_a_reboot_until_it_is_paid(self):
        house = House(credit=10, tariff=tariff_of(friendly=[(TUESDAY, 360, 362)]))
        house.run(121, 360)
        house.agent.stop()
        house.boot()
        house.run(1)
        self.assertEqual(house.page.view["supply"]["accrued_micro"], 2 * UNIT)
        house.pay(10, 1)
        house.run(1)
        self.assertEqual(house.page.view["supply"]["accrued_micro"], 0)

    def test_a_dearer_band_is_seen_coming(self):
        # Ten times the price from 06:15: 100 units at 0.05 a second last 900 s and 110 s more.
        tariff = tariff_of(
            bands=["cheap", "dear"],
            price=[[UNIT * 500, UNIT * 5000]],
            days={"w": [[0, 0], [375, 1]]},
        )
        house = House(credit=100, tariff=tariff, warned=False)
        house.run(1012, 360)
        # 330 s before 1010 s.
        (warned,) = told_at(house, events.CUT_IN_5)
        self.assertTrue(680 <= warned <= 691, warned)
        self.assertEqual(opened_at(house), [1010])

    def test_the_end_of_keep_power_is_seen_coming(self):
        house = House(credit=1, warned=False)
        house.agent.control.credit.keep(1000)
        house.run(100, 360)
        house.run(902)
        self.assertEqual(told_at(house, events.CUT_IN_5), [671])
        self.assertEqual(opened_at(house), [1000])

    def test_without_a_tariff_or_in_credit_mode_nothing_is_warned_of(self):
        for changes in ({"payment_mode": "credit"}, {"never_cut": True}):
            house = House(credit=10, warned=False, **changes)
            house.run(120, 360)
            self.assertEqual(house.told(events.CUT_IN_15), [])
            self.assertTrue(house.relay.contact())


if __name__ == "__main__":
    unittest.main()
