"""The contact check: a relay that does not obey is told again, then reported."""

import unittest

from wattledger.agent import events
from wattledger.agent.supply.contact import ContactCheck
from wattledger.hal.sample import CURRENT_MA, new_sample
from wattledger.host_sim.clock import VirtualClock


class Relay:
    """Follows only the command number `obeys`, counted from 1; `blind` has no contact to read."""

    def __init__(self, closed, obeys, blind=False):
        self.closed = closed
        self.commands = 0
        self._obeys = obeys
        self._blind = blind

    def open(self):
        self._told(False)

    def close(self):
        self._told(True)

    def _told(self, closed):
        self.commands += 1
        if self.commands == self._obeys:
            self.closed = closed

    def contact(self):
        return None if self._blind else self.closed


class Meter:
    def __init__(self):
        self.sample = new_sample()
        self.missed = 0
        self.ticks = 0


class TestContact(unittest.TestCase):
    def check(self, relay):
        self.reports = []
        self.meter = Meter()
        self.clock = VirtualClock(0, (1 << 30) - 700)  # the ticks wrap on the way
        return ContactCheck(
            relay, self.clock, self.meter, lambda code, value: self.reports.append((code, value))
        )

    def pass_ms(self, check, ms):
        """Every 100 ms a step, every second a tick; False when a closing was given up."""
        good = True
        for at in range(ms // 100):
            self.clock.advance(100)
            if at % 10 == 9:
                self.meter.ticks += 1
            good = check.work() and good
        return good

    def test_an_opening_that_works_is_looked_at_once(self):
        relay = Relay(True, 1)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.assertTrue(self.pass_ms(check, 5000))
        self.assertEqual((relay.commands, self.reports), (1, []))

    def test_nothing_is_judged_within_half_a_second(self):
        relay = Relay(True, 0)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.pass_ms(check, 400)
        self.assertEqual(relay.commands, 1)

    def test_the_second_retry_that_works_is_no_event(self):
        relay = Relay(True, 3)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.pass_ms(check, 5000)
        self.assertEqual((relay.commands, relay.closed, self.reports), (3, False, []))

    def test_a_welded_contact_is_told_twice_more_and_reported_once(self):
        relay = Relay(True, 0)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.pass_ms(check, 10000)
        self.assertEqual(relay.commands, 3)
        self.pass_ms(check, 290000)  # and once a minute from then on
        self.assertEqual(relay.commands, 7)
        self.assertEqual(self.reports, [(events.WELDED_CONTACT, 2)])
        self.assertTrue(check.welded)

    def test_a_contact_that_comes_free_follows_the_next_telling(self):
        relay = Relay(True, 4)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.pass_ms(check, 130000)
        self.assertEqual((relay.commands, relay.closed), (4, False))
        self.assertEqual(
            [code for code, _ in self.reports], [events.WELDED_CONTACT, events.CONTACT_FREED]
        )

    def test_a_welded_contact_that_falls_open_is_reported(self):
        relay = Relay(True, 0)
        check = self.check(relay)
        relay.open()
        check.moved(False)
        self.pass_ms(check, 10000)
        relay.closed = False
        self.pass_ms(check, 61000)
        self.assertEqual([code for code, _ in self.reports][1:], [events.CONTACT_FREED])
        self.assertFalse(check.welded)

    def test_a_closing_that_fails_is_given_up(self):
        relay = Relay(False, 0)
        check = self.check(relay)
        relay.close()
        check.moved(True)
        self.assertFalse(self.pass_ms(check, 5000))
        self.assertEqual(self.reports, [(events.CONTACT_STUCK, 2)])
        self.assertEqual(relay.commands, 3)

    def test_without_a_contact_current_through_an_open_relay_is_a_weld(self):
        relay = Relay(True, 0, blind=True)
        check = self.check(relay)
        self.meter.sample[CURRENT_MA] = 201
        relay.open()
        check.moved(False)
        self.pass_ms(check, 900)  # no tick since the movement: the sample is from before it
        self.assertEqual(relay.commands, 1)
        self.pass_ms(check, 5000)
        self.assertEqual(self.reports, [(events.WELDED_CONTACT, 2)])

    def test_without_a_contact_a_small_current_is_none(self):
        relay = Relay(True, 0, blind=True)
        check = self.check(relay)
        self.meter.sample[CURRENT_MA] = 200
        relay.open()
        check.moved(False)
        self.pass_ms(check, 5000)
        self.assertEqual((relay.commands, self.reports), (1, []))


if __name__ == "__main__":
    unittest.main()
