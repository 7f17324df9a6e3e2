"""Composition root of the simulator: the firmware on a simulated board, in virtual time.

`Pacer` lets the world of an agent run at a chosen speed.
"""

import time

from wattledger.firmware.runtime import Runtime

FAST = 60  # above this speed ticks grow longer and commits skip their sync
TICKS_A_SECOND = 200  # of wall time, above FAST
MAX_TICK_MS = 10000
MAX_SPEED = 2000
STEP_S = 0.05  # longest wall time between two steps
BEHIND_S = 10  # a pause longer than this (a laptop asleep) is not caught up


def tick_ms(speed):
    """World time of one tick at `speed`: 1 s up to 60, then speed/200 s, at most 10 s."""
    if speed <= FAST:
        return 1000
    return min(int(speed * 1000 / TICKS_A_SECOND), MAX_TICK_MS)


class Pacer:
    """Runs an agent in a world that passes at most `speed` times as fast as the wall."""

    def __init__(self, agent, clock, advance, speed, log):
        self._runtime = Runtime(agent, clock, None, log)
        self._advance = advance
        self._speed = speed
        self._tick_ms = agent.config.tick_ms
        self.world_ms = 0

    @property
    def failures(self):
        """Exceptions that were contained."""
        return self._runtime.failures

    def run(self, seconds, stopped):
        """Run for `seconds` of wall time (None: for ever) or until `stopped()`."""
        began = time.monotonic()
        passed_ms = 0
        wait = 0
        while not stopped():
            now = time.monotonic()
            if seconds is not None and now - began >= seconds:
                return
            ahead_ms = passed_ms + self._tick_ms - (now - began) * 1000 * self._speed
            if ahead_ms > 0:
                pause = min(ahead_ms / self._speed / 1000, wait / 1000, STEP_S)
                if pause > 0:
                    time.sleep(pause)
            else:
                if -ahead_ms > BEHIND_S * 1000 * self._speed:
                    passed_ms -= int(ahead_ms)
                passed_ms += self._tick_ms
                self.world_ms += self._tick_ms
                self._advance(self._tick_ms)
                self._runtime.tick()
            wait = self._runtime.step()
