"""A person closes the relay: how, how soon and how often."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED, READY
from wattledger.tests.both.fixtures_agent import House

HEAP = "448K"

TUESDAY = 2
LOW_1 = events.LOW_CREDIT_1
LOW_2 = events.LOW_CREDIT_2
ZERO = events.CREDIT_EXHAUSTED


class TestPerson(unittest.TestCase):
    def setUp(self):
        self.house = House(credit=1)
        self.house.run(3, 3600)
        self.house.pay(20, 1)
        self.house.run(70)
        self.assertEqual(self.house.agent.supply.state, READY)

    def test_three_seconds_close(self):
        self.house.hold(3000)
        self.assertTrue(self.house.relay.contact())
        self.assertEqual(self.house.agent.supply.state, CONNECTED)
        operation, reasons, cause, _ = self.house.moves()[-1]
        self.assertEqual((operation, reasons, cause), (CONNECTED, 0, rules.BY_PERSON))

    def test_two_point_nine_do_not(self):
        self.house.hold(2900)
        self.house.run(5)
        self.assertFalse(self.house.relay.contact())

    def test_presses_with_a_gap_do_not(self):
        for _ in range(4):
            self.house.hold(1000)
            self.house.pass_ms(1600)
        self.house.run(2)
        self.assertFalse(self.house.relay.contact())

    def test_a_page_that_vanished_in_the_middle_does_not(self):
        for _ in range(4):
            self.house.page.requests.append(("press",))
            self.house.pass_ms(500)
            self.house.agent.step()
        self.house.run(10)
        self.assertFalse(self.house.relay.contact())

    def test_holding_on_closes_once(self):
        self.house.hold(20_000)
        self.assertEqual(self.house.relay.operations, 2)

    def test_unknown_requests_are_passed_over(self):
        self.house.page.requests += [("close",), ("press", 1), ("release",), ("",)]
        self.house.run(1)
        self.assertFalse(self.house.relay.contact())

    def test_without_credit_the_button_does_nothing(self):
        house = House(credit=1)
        house.run(3, 3600)
        house.run(70)
        house.hold(5000)
        self.assertFalse(house.relay.contact())

    def test_sixty_seconds_off_before_it_closes(self):
        house = House(credit=1)
        house.run(10)
        house.run(3, 3600)
        opened = house.moves()[0][3]
        house.pay(20, 1)
        house.hold(3500)
        self.assertFalse(house.relay.contact())
        house.hold(70_000)
        self.assertTrue(house.relay.contact())
        self.assertGreaterEqual(house.moves()[-1][3] - opened, 60)


class TestClosingLimits(unittest.TestCase):
    def setUp(self):
        self.house = House(credit=1)
        self.n = 0

    def cycle(self):
        """Cut, pay, wait the minute, close; True when it closed."""
        house = self.house
        before = house.relay.operations
        house.warn()
        house.use(1 + house.agent.control.credit.available // 1_000_000_000)
        self.assertFalse(house.relay.contact())
        self.n += 1
        house.pay(2 - house.agent.control.credit.available // 1_000_000_000, self.n)
        house.once(61_000)
        house.hold(3000)
        return house.relay.operations == before + 2

    def test_the_fifth_closing_in_ten_minutes_waits_over_a_reboot_too(self):
        self.house.run(5)
        for _ in range(4):
            self.assertTrue(self.cycle())
        self.assertFalse(self.cycle())
        first = [move for move in self.house.moves() if move[0] == CONNECTED][0][3]
        wait = self.house.agent.supply.wait_s(self.house.agent.time.powered_s)
        self.assertEqual(wait, first + 600 - self.house.agent.time.powered_s)
        self.house.agent.stop()
        self.house.boot()
        self.house.once(1000)
        self.assertEqual(self.house.page.view["supply"]["wait_s"], wait - 1)
        self.house.hold(3000)
        self.assertFalse(self.house.relay.contact())
        self.house.once(1000 * wait)
        self.house.hold(3000)
        self.assertTrue(self.house.relay.contact())

    def test_the_eleventh_closing_in_a_day_waits_over_a_reboot_too(self):
        self.house.run(5)
        for _ in range(10):
            self.assertTrue(self.cycle())
            self.house.once(1_000_000)
        self.assertFalse(self.cycle())
        self.house.agent.stop()
        self.house.boot()
        self.house.once(1000)
        first = [move for move in self.house.moves() if move[0] == CONNECTED][0][3]
        wait = self.house.agent.supply.wait_s(self.house.agent.time.powered_s)
        self.assertEqual(wait, first + 86_400 - self.house.agent.time.powered_s)
        self.assertGreater(wait, 70_000)

    def test_a_lost_snapshot_makes_nobody_wait_longer_than_a_day(self):
        self.house.run(5)
        self.house.agent.time.powered_s = 40_000_000  # more than a year
        for _ in range(4):
            self.assertTrue(self.cycle())
        self.house.agent.stop()
        for name in ("slot.a", "slot.b"):
            self.house.storage.remove(name)
        self.house.boot()
        self.house.once(1000)
        self.assertLessEqual(
            self.house.agent.supply.wait_s(self.house.agent.time.powered_s), 86_400
        )


if __name__ == "__main__":
    unittest.main()
