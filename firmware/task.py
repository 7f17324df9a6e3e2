"""Slow work beside the agent's steps: called each turn, and given a time to come back from it."""


class Task:
    """`work()` does what is due and never waits. Without a call that returns well within
    `deadline_ms` of the one before, the watchdog is not fed any more."""

    def __init__(self, name, work, clock, deadline_ms):
        self.name = name
        self.work = work
        self._clock = clock
        self._deadline_ms = deadline_ms
        self._reported = clock.ticks_ms()

    def report(self):
        """It has come back."""
        self._reported = self._clock.ticks_ms()

    def is_late(self):
        """True when its deadline is over."""
        return self._clock.elapsed_ms(self._reported) >= self._deadline_ms
