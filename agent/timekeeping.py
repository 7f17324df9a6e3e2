"""Time as an input: powered seconds, the wall clock's trust, and which time offers to believe."""

from wattledger.agent.billing.calendar import EPOCH_2000
from wattledger.agent.supply.rules import CLOCK_BUDGET_S
from wattledger.agent.units import DAY_S
from wattledger.hal.sample import TRUST_RESTORED, TRUST_SYNCED, TRUST_UNKNOWN

BACK_S = 600  # a time source may step a known clock back at most this far
AGREED_S = 600  # two sources agree when their times lie no further apart
FORWARD_S = 31 * DAY_S
STEP_S = 10  # larger steps are written down
SETTLED_S = 1


class Timekeeper:
    """`powered_s` rises only while the meter runs; `budget_s` is unsynced time without cuts."""

    def __init__(self, clock):
        self._clock = clock
        self._last = clock.ticks_ms()
        self._rest_ms = 0
        self.powered_s = 0
        self.budget_s = CLOCK_BUDGET_S
        self.signed = None  # a time the utility has signed
        self.refused = 0  # offers not believed
        self._far = None  # (unix - powered seconds, source) of the last one that was too far

    def restore(self, unix, powered_s, budget_s):
        """Go on after a boot; a clock nobody set takes the last time the store knows.

        So does one that a root has set no further than to its own build.
        """
        self.powered_s = powered_s
        self.budget_s = budget_s
        trust = self._clock.trust()
        if unix and (
            trust == TRUST_UNKNOWN or (trust == TRUST_RESTORED and self._clock.unix_s() < unix)
        ):
            self._clock.set(unix, TRUST_RESTORED)

    def age(self):
        """Count powered time up to now."""
        elapsed = self._clock.elapsed_ms(self._last)
        if elapsed <= 0:
            return
        self._last = self._clock.ticks_ms()
        seconds, self._rest_ms = divmod(self._rest_ms + elapsed, 1000)
        self.powered_s += seconds
        if self._clock.trust() == TRUST_SYNCED:
            self.budget_s = min(self.budget_s + seconds, CLOCK_BUDGET_S)
        else:
            self.budget_s = max(self.budget_s - seconds, 0)

    def unix(self):
        """UTC seconds now."""
        return self._clock.unix_s()

    def trust(self):
        """Trust in unix()."""
        return self._clock.trust()

    def offered(self):
        """The time to set, in unix seconds, when a source offers one worth taking; else None."""
        if self.signed is not None:
            unix, self.signed, self._far = self.signed, None, None
            return unix
        offer = self._clock.offer()
        if offer is None:
            return None
        unix, source = offer
        if unix < EPOCH_2000:
            self.refused += 1
            return None
        step = unix - self._clock.unix_s()
        trust = self._clock.trust()
        if trust == TRUST_SYNCED and -SETTLED_S <= step <= SETTLED_S:
            return None
        far = trust != TRUST_UNKNOWN and not -BACK_S <= step <= FORWARD_S
        if far and not self._is_agreed(unix, source):
            self.refused += 1
            return None
        self._far = None
        return unix

    def _is_agreed(self, unix, source):
        """True when another source said the same; one alone is remembered, whatever it repeats."""
        start = unix - self.powered_s  # what a right clock keeps while the meter runs
        far = self._far
        if far is not None and far[1] != source:
            return -AGREED_S <= start - far[0] <= AGREED_S
        self._far = (start, source)
        return False

    def set(self, unix):
        """Believe an offered time."""
        self._clock.set(unix, TRUST_SYNCED)
