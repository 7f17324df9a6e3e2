"""An energy counter that is never cleared, differenced modulo its size. Allocates nothing.

A serial line has no second opinion of a value but the next one: a move that is too large for one
reading waits for another reading that agrees.
"""

TAKEN = 0
HELD = 1  # too large a move: not handed on before another reading agrees
FELL = 2  # two readings agree that it fell far: it started anew, what was between is not known

# A counter that stands still while this much energy flowed, 100 ms a reading, is frozen.
FROZEN_MJ = 60_000_000


class RunningCounter:
    """`state` says what became of the last `moved()`; `known` is False before the first value."""

    def __init__(self, bits, jump, signed=False):
        """`bits` wide; `jump` counts are believed at once; `signed`: it also runs backwards."""
        self._mask = (1 << bits) - 1
        self._half = 1 << bits - 1
        self._jump = jump
        self._signed = signed
        self._last = 0
        self._held = -1
        self._still_mj = 0
        self.state = TAKEN
        self.known = False

    def start(self, value):
        """Count from `value` on."""
        self._last = value
        self._held = -1
        self._still_mj = 0
        self.known = True
        self.state = TAKEN

    def moved(self, value):
        """Signed counts since the value before; 0 when `state` is not TAKEN.

        Without sign they are negative when a wrong value, too high by less than a jump, had been
        believed: less is then to be handed on later.
        """
        counts = self._difference(value, self._last)
        if not self._follows(counts, self._jump):
            held = self._held
            self._held = value
            reach = (counts if counts >= 0 else -counts) // 2 + self._jump
            if held < 0 or not self._follows(self._difference(value, held), reach):
                self.state = HELD
                return 0
            if counts < -self._jump and not self._signed:
                self.start(value)
                self.state = FELL
                return 0
        self.state = TAKEN
        self._held = -1
        self._last = value
        if counts:
            self._still_mj = 0
        return counts

    def is_above(self, value):
        """True when the counter stood higher than `value`, as after a restart or over its end."""
        return self._last > value

    def is_frozen(self, power_mw):
        """True when it has long stood still under this power; call once a reading."""
        if self._still_mj < FROZEN_MJ:
            self._still_mj += (power_mw if power_mw >= 0 else -power_mw) // 10
        return self._still_mj >= FROZEN_MJ

    def _difference(self, value, before):
        counts = value - before & self._mask
        return counts - self._half - self._half if counts >= self._half else counts

    def _follows(self, counts, reach):
        return counts <= reach and counts >= (-reach if self._signed else 0)
