"""The event loop's body: a tick at its time, steps in between, whatever fails is contained.

A tick or a step that raises is counted, reported and goes on at its next turn: metering and the
relay rules never end because of a message.
"""

from wattledger.agent import events

STEP_DEADLINE_MS = 60000  # no step succeeds for this long: let the watchdog bite


class Runtime:
    """`turn()` does what is due now and returns the milliseconds to wait."""

    def __init__(self, agent, clock, watchdog, log, tasks=()):
        """`tasks` are Task objects, called after each step; `watchdog` may be None."""
        self._agent = agent
        self._clock = clock
        self._watchdog = watchdog
        self._log = log  # called with one line of text
        self._tasks = tasks
        self._tick_ms = agent.config.tick_ms
        self._due = clock.ticks_ms()
        self._stepped = self._due  # when a step succeeded last
        self.failures = 0

    def tick(self):
        """One tick, contained."""
        try:
            self._agent.tick()
        except Exception as error:
            self.failed("tick", error, events.TICK_FAILED)
        if self._watchdog is not None and self._is_well():
            self._watchdog.feed()

    def _is_well(self):
        """True while steps succeed and every task reports within its deadline."""
        for task in self._tasks:
            if task.is_late():
                return False
        return self._clock.elapsed_ms(self._stepped) < STEP_DEADLINE_MS

    def step(self):
        """One step, contained; milliseconds until the agent wants the next."""
        try:
            wait = self._agent.step()
            self._stepped = self._clock.ticks_ms()
            return wait
        except Exception as error:
            self.failed("step", error)
            self._keep()
            return self._tick_ms

    def turn(self):
        """Tick when it is time, then step once."""
        if self._clock.elapsed_ms(self._due) >= self._tick_ms:
            self._due = self._clock.ticks_ms()
            self.tick()
        wait = self.step()
        for task in self._tasks:
            self._run(task)
        left = self._tick_ms - self._clock.elapsed_ms(self._due)
        return max(min(wait, left), 0)

    def _run(self, task):
        try:
            task.work()
            task.report()
        except Exception as error:
            self.failed(task.name, error)

    def _keep(self):
        """What is metered and journalled is stored even when every step fails before it."""
        try:
            self._agent.keeper.work()
        except Exception as error:
            self.failed("keeping", error)

    def failed(self, what, error, code=events.STEP_FAILED):
        """`what` raised `error`: counted, said and journalled, the first time and ever rarer."""
        self.failures += 1
        self._agent.failures = self.failures
        # Said at the 1st, 2nd, 4th, 8th ...: a fault that stays must not fill log and journal.
        if self.failures & (self.failures - 1):
            return
        self._say("%s failed: %r", what, error)
        try:
            self._agent.report(code, self.failures)
        except Exception as second:  # the report may fail for the same reason
            self._say("that %s failed could not be journalled: %r", what, second)

    def _say(self, text, what, error):
        try:
            self._log(text % (what, error))  # here, for the pair needs heap too
        except Exception:  # no heap for a line, or nowhere to write it
            pass
