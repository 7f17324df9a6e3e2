"""The reconnect button: a person must hold it for three seconds.

A page can vanish in the middle of a press, so holding is a row of presses without a gap; a press
that is not renewed is a release.
"""

from wattledger.agent.units import ticks_between

HOLD_MS = 3000
GAP_MS = 1500


class HoldButton:
    """Runs on the link clock (wall time), so that a fast simulation does not shorten a press."""

    def __init__(self, link_clock):
        self._clock = link_clock
        self._since = None
        self._last = None

    def press(self):
        """The button is down (renewed while it is held)."""
        if self._since is None or self._clock.elapsed_ms(self._last) > GAP_MS:
            self._since = self._clock.ticks_ms()
        self._last = self._clock.ticks_ms()

    def release(self):
        """The button is up."""
        self._since = None

    def held_ms(self):
        """How long it was seen held, 0..HOLD_MS; 0 when it is up.

        Counted to the last press heard, never to now: what was not heard was not held.
        """
        if self._since is None:
            return 0
        if self._clock.elapsed_ms(self._last) > GAP_MS:
            self._since = None
            return 0
        return min(ticks_between(self._since, self._last), HOLD_MS)

    def take(self):
        """True once when the hold is complete."""
        if self.held_ms() < HOLD_MS:
            return False
        self._since = None
        return True
