"""Which time is believed, how powered seconds are counted, and how the clock budget is spent."""

import unittest

from wattledger.agent.timekeeping import Timekeeper
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN

NOW = 1799704800
DAY = 86400
WRAP = 1 << 30


class Clock:
    """A clock whose every answer the test sets."""

    def __init__(self, unix=NOW, trust=TRUST_SYNCED, ticks=0):
        self.unix = unix
        self.trusted = trust
        self.ticks = ticks
        self.offers = []
        self.was_set = []

    def ticks_ms(self):
        return self.ticks % WRAP

    def elapsed_ms(self, since):
        return (self.ticks - since) % WRAP

    def unix_s(self):
        return self.unix

    def trust(self):
        return self.trusted

    def offer(self):
        return self.offers.pop(0) if self.offers else None

    def set(self, unix, trust):
        self.was_set.append((unix, trust))
        self.unix = unix
        self.trusted = trust


def offered(step, trust=TRUST_SYNCED):
    """(what is worth setting, how many were refused) after one offer `step` seconds away."""
    clock = Clock(trust=trust)
    time = Timekeeper(clock)
    clock.offers.append((NOW + step, "ntp"))
    return time.offered(), time.refused


class TestOffers(unittest.TestCase):
    def test_back_at_most_600_seconds(self):
        for trust in (TRUST_SYNCED, TRUST_RESTORED):
            self.assertEqual(offered(-600, trust), (NOW - 600, 0))
            self.assertEqual(offered(-601, trust), (None, 1))

    def test_forward_at_most_31_days(self):
        for trust in (TRUST_SYNCED, TRUST_RESTORED):
            self.assertEqual(offered(31 * DAY, trust), (NOW + 31 * DAY, 0))
            self.assertEqual(offered(31 * DAY + 1, trust), (None, 1))

    def test_a_clock_nobody_knows_takes_any(self):
        for step in (-800 * DAY, -601, 0, 60 * DAY, 5000 * DAY):
            self.assertEqual(offered(step, TRUST_UNKNOWN), (NOW + step, 0))

    def test_no_time_before_2000(self):
        # A server that lost its own time says 1970: no calendar here reaches back to it.
        for step in (-NOW, -NOW + 900000000):
            self.assertEqual(offered(step, TRUST_UNKNOWN), (None, 1))

    def test_the_same_time_is_no_reason_to_set_a_synced_clock(self):
        for step in (-1, 0, 1):
            self.assertEqual(offered(step), (None, 0))
            self.assertEqual(offered(step, TRUST_RESTORED), (NOW + step, 0))
        for step in (-2, 2):
            self.assertEqual(offered(step), (NOW + step, 0))

    def test_no_offer_is_no_time(self):
        clock = Clock()
        self.assertIsNone(Timekeeper(clock).offered())

    def test_set_makes_it_synced(self):
        clock = Clock(trust=TRUST_UNKNOWN)
        Timekeeper(clock).set(NOW + 5)
        self.assertEqual(clock.was_set, [(NOW + 5, TRUST_SYNCED)])


class TestAgreement(unittest.TestCase):
    """A step beyond the limits needs a second source: the battery clock and the network."""

    def after(self, *offers, **fields):
        """What is worth setting after each (seconds later, step from NOW, source)."""
        clock = Clock(trust=fields.get("trust", TRUST_SYNCED))
        time = Timekeeper(clock)
        found = []
        for later, step, source in offers:
            clock.ticks += later * 1000
            clock.unix += later
            time.age()
            clock.offers.append((NOW + step, source))
            taken = time.offered()
            found.append(None if taken is None else taken - NOW)
        return found, time.refused

    def test_two_sources_that_agree_step_any_way(self):
        for far in (-400 * DAY, -601, 32 * DAY, 9000 * DAY):
            for first, second in (("ntp", "rtc"), ("rtc", "ntp")):
                self.assertEqual(
                    self.after((0, far, first), (0, far + 1, second)), ([None, far + 1], 1)
                )

    def test_within_ten_minutes_of_each_other(self):
        far = 40 * DAY
        self.assertEqual(self.after((0, far, "rtc"), (0, far + 600, "ntp"))[0], [None, far + 600])
        self.assertEqual(self.after((0, far, "rtc"), (0, far + 601, "ntp"))[0], [None, None])
        self.assertEqual(self.after((0, far, "rtc"), (0, far - 601, "ntp"))[0], [None, None])

    def test_the_time_between_the_two_has_passed(self):
        far = -3 * DAY
        offers = ((0, far, "rtc"), (7200, far + 7200, "ntp"))
        self.assertEqual(self.after(*offers)[0], [None, far + 7200])
        self.assertEqual(self.after((0, far, "rtc"), (7200, far, "ntp"))[0], [None, None])

    def test_one_source_alone_is_never_believed(self):
        offers = [(60, 40 * DAY + 60 * n, "ntp") for n in range(50)]
        self.assertEqual(self.after(*offers), ([None] * 50, 50))

    def test_a_good_time_between_them_forgets_the_far_one(self):
        far = 40 * DAY
        offers = ((0, far, "rtc"), (0, 5, "ntp"), (0, far, "ntp"), (0, far, "rtc"))
        self.assertEqual(self.after(*offers)[0], [None, 5, None, far])


class TestRestore(unittest.TestCase):
    def test_an_unknown_clock_takes_the_last_known_time(self):
        clock = Clock(0, TRUST_UNKNOWN)
        time = Timekeeper(clock)
        time.restore(NOW, 77, 500)
        self.assertEqual(clock.was_set, [(NOW, TRUST_RESTORED)])
        self.assertEqual((time.powered_s, time.budget_s), (77, 500))
        self.assertEqual((time.unix(), time.trust()), (NOW, TRUST_RESTORED))

    def test_nothing_known_stays_unknown(self):
        clock = Clock(0, TRUST_UNKNOWN)
        Timekeeper(clock).restore(0, 0, 0)
        self.assertEqual(clock.was_set, [])

    def test_a_clock_that_knows_better_is_left_alone(self):
        clock = Clock(NOW + 40 * DAY, TRUST_SYNCED)
        Timekeeper(clock).restore(NOW, 0, 0)
        self.assertEqual(clock.was_set, [])


class TestAge(unittest.TestCase):
    def setUp(self):
        self.clock = Clock(trust=TRUST_RESTORED)
        self.time = Timekeeper(self.clock)

    def pass_ms(self, ms, times=1):
        for _ in range(times):
            self.clock.ticks += ms
            self.time.age()

    def test_fractions_of_a_second_are_carried(self):
        self.pass_ms(333, 3)
        self.assertEqual(self.time.powered_s, 0)
        self.pass_ms(1)
        self.assertEqual(self.time.powered_s, 1)
        self.pass_ms(999, 1000)
        self.assertEqual(self.time.powered_s, 1000)
        self.time.age()
        self.assertEqual(self.time.powered_s, 1000)

    def test_across_the_wrap_of_ticks(self):
        self.clock = Clock(trust=TRUST_RESTORED, ticks=WRAP - 1500)
        self.time = Timekeeper(self.clock)
        self.pass_ms(1000, 5)
        self.assertEqual(self.time.powered_s, 5)

    def test_budget_of_24_hours_is_spent_to_nothing(self):
        self.assertEqual(self.time.budget_s, DAY)
        self.pass_ms(1000, 100)
        self.assertEqual(self.time.budget_s, DAY - 100)
        self.pass_ms(DAY * 1000)
        self.assertEqual(self.time.budget_s, 0)
        self.pass_ms(5000)
        self.assertEqual(self.time.budget_s, 0)

    def test_24_synced_hours_refill_it(self):
        self.time.restore(NOW, 0, 0)
        self.clock.trusted = TRUST_SYNCED
        self.pass_ms(3600000, 23)
        self.assertEqual(self.time.budget_s, 23 * 3600)
        self.pass_ms(3600000)
        self.assertEqual(self.time.budget_s, DAY)
        self.pass_ms(3600000)
        self.assertEqual(self.time.budget_s, DAY)

    def test_wall_clock_steps_are_not_powered_time(self):
        self.clock.unix += 5 * DAY
        self.time.age()
        self.assertEqual((self.time.powered_s, self.time.budget_s), (0, DAY))
