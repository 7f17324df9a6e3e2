"""The runtime: whatever a tick or a step raises, the next turn comes."""

import unittest

from wattledger.agent import events
from wattledger.firmware.runtime import Runtime
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both.fixtures_agent import House, config_of

HEAP = "384K"


class Keeping:
    def __init__(self):
        self.works = 0

    def work(self):
        self.works += 1


class Counting:
    """An agent that fails as told, and remembers what was reported."""

    def __init__(self):
        self.config = config_of()
        self.keeper = Keeping()
        self.ticks = 0
        self.steps = 0
        self.tick_error = None
        self.step_error = None
        self.report_error = None
        self.wait = 500
        self.reports = []

    def tick(self):
        self.ticks += 1
        if self.tick_error:
            raise self.tick_error

    def step(self):
        self.steps += 1
        if self.step_error:
            raise self.step_error
        return self.wait

    def report(self, code, value):
        if self.report_error:
            raise self.report_error
        self.reports.append((code, value))


class Dog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


class TestRuntime(unittest.TestCase):
    def setUp(self):
        self.agent = Counting()
        self.clock = VirtualClock(0, (1 << 30) - 2500)
        self.dog = Dog()
        self.lines = []
        self.runtime = Runtime(self.agent, self.clock, self.dog, self.lines.append)

    def turns(self, count, ms=1000):
        for _ in range(count):
            self.clock.advance(ms)
            self.runtime.turn()

    def test_a_tick_in_each_period_and_a_step_in_each_turn(self):
        self.turns(40, 250)
        self.assertEqual((self.agent.ticks, self.agent.steps), (10, 40))

    def test_the_wait_is_to_the_next_tick_or_as_the_step_wants(self):
        self.clock.advance(1000)
        self.assertEqual(self.runtime.turn(), 500)
        self.clock.advance(700)
        self.assertEqual(self.runtime.turn(), 300)
        self.agent.wait = 10
        self.assertEqual(self.runtime.turn(), 10)

    def test_a_wait_is_never_negative(self):
        def slow():
            self.clock.advance(5000)
            return 10

        self.agent.step = slow
        self.assertEqual(self.runtime.turn(), 0)

    def test_a_failing_tick_is_contained_counted_and_reported(self):
        self.agent.tick_error = ValueError("bad register")
        self.turns(3)
        self.assertEqual((self.agent.ticks, self.agent.steps), (3, 3))
        self.assertEqual(self.runtime.failures, 3)
        # Written down at the 1st, 2nd, 4th, 8th ... failure.
        self.assertEqual(self.agent.reports, [(events.TICK_FAILED, n) for n in (1, 2)])
        self.assertIn("bad register", self.lines[0])
        self.agent.tick_error = None
        self.turns(1)
        self.assertEqual(self.runtime.failures, 3)

    def test_a_failing_step_is_contained_and_ticks_go_on(self):
        for error in (KeyError("x"), OSError(5), MemoryError(), RuntimeError("deep")):
            self.agent.step_error = error
            self.turns(1)
        self.assertEqual((self.agent.ticks, self.runtime.failures), (4, 4))
        self.assertEqual(self.agent.reports[-1], (events.STEP_FAILED, 4))

    def test_a_failure_that_stays_does_not_fill_log_and_journal(self):
        self.agent.step_error = ValueError("always")
        self.turns(1000)
        self.assertEqual(self.runtime.failures, 1000)
        self.assertEqual(
            [n for _, n in self.agent.reports], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
        )
        self.assertEqual(len(self.lines), 10)
        self.assertEqual(self.agent.keeper.works, 1000)  # what is metered is stored all the same

    def test_a_report_that_fails_too_is_contained(self):
        self.agent.step_error = ValueError("one")
        self.agent.report_error = ValueError("two")
        self.turns(2)
        self.assertEqual(self.runtime.failures, 2)
        self.assertEqual(len(self.lines), 4)

    def test_a_person_who_interrupts_is_obeyed(self):
        self.agent.step_error = KeyboardInterrupt()
        with self.assertRaises(KeyboardInterrupt):
            self.turns(1)

    def test_the_watchdog_is_fed_by_the_tick_only(self):
        self.turns(8, 250)
        self.assertEqual((self.agent.ticks, self.dog.fed), (2, 2))
        self.runtime.step()
        self.assertEqual(self.dog.fed, 2)
        self.runtime.tick()
        self.assertEqual(self.dog.fed, 3)

    def test_the_watchdog_starves_when_no_step_succeeds(self):
        # Contract: fed only while every slow task reports within its own deadline. Without steps
        # no supply rule runs and nothing is stored, so no deadline is longer than ten minutes.
        self.agent.step_error = ValueError("always")
        self.turns(600)
        before = self.dog.fed
        self.turns(10)
        self.assertEqual(self.dog.fed, before)
        self.agent.step_error = None
        self.turns(2)
        self.assertGreater(self.dog.fed, before)

    def test_it_runs_without_a_watchdog(self):
        Runtime(self.agent, self.clock, None, self.lines.append).tick()
        self.assertEqual(self.agent.ticks, 1)


class TestWithAnAgent(unittest.TestCase):
    def setUp(self):
        self.house = House(credit=10)
        self.runtime = Runtime(self.house.agent, self.house.clock, None, lambda line: None)

    def turns(self, count):
        for _ in range(count):
            self.house.pass_ms(1000)
            self.runtime.turn()

    def test_a_driver_that_raises_is_journalled_and_metering_goes_on(self):
        self.turns(2)
        self.house.chip.error = ValueError("driver")
        self.turns(3)
        self.house.chip.error = None
        self.house.chip.feed(320)
        self.turns(12)
        self.assertEqual(self.house.told(events.TICK_FAILED), [1, 2])
        self.assertEqual(self.house.agent.meter.register.import_wh, 1)

    def test_a_page_that_raises_is_journalled_and_money_is_kept(self):
        def broken(view):
            raise TypeError("page")

        self.turns(2)
        show, self.house.page.show = self.house.page.show, broken
        self.turns(3)
        self.house.page.show = show
        self.turns(12)
        self.assertEqual(self.house.told(events.STEP_FAILED), [1, 2])

    def test_a_broken_page_does_not_keep_the_supply_from_opening(self):
        def broken(view=None):
            raise TypeError("page")

        self.house.page.show = self.house.page.request = broken
        for _ in range(12):
            self.house.chip.feed(320)
            self.turns(1)
        self.assertFalse(self.house.relay.contact())
        self.assertEqual(len(self.house.moves()), 1)

    def test_a_page_that_raises_does_not_keep_energy_from_being_stored(self):
        def broken():
            raise TypeError("page")

        self.house.page.request = broken
        for _ in range(60):
            self.house.chip.feed(32)
            self.turns(1)
        # 6 Wh went by in a minute; at most 10 s of it may be missing from storage.
        self.house.page.request = lambda: None
        self.house.boot()
        self.assertGreaterEqual(self.house.agent.meter.register.import_wh, 5)


if __name__ == "__main__":
    unittest.main()
