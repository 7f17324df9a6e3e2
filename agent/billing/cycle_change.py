"""What a correction changes of one billing cycle, and of the minimum of a cycle that has ended.

The freeze at a cycle's end says what its energy and standing came to and which minimum held; what
corrections changed of that since is in their adjustments. So no old document is needed.
"""

from wattledger.agent.billing import rating
from wattledger.agent.billing.calendar import date_key
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO


class CycleChange:
    """`amount` moves the balance; `charged` is how much more energy and standing cost, `lack` how
    much more the minimum (nano), which is now `minimum` (micro)."""

    def __init__(self):
        self.amount = 0
        self.unrated_wh = 0
        self.charged = 0
        self.minimum = 0
        self.lack = 0
        self.ended = False  # a cycle of the meter's own that is over
        self.changes_minimum = False

    def is_any(self):
        """True when there is something to post or to remember."""
        return bool(
            self.amount or self.unrated_wh or self.charged or self.lack or self.changes_minimum
        )

    def take(self, parts, sign):
        """Add (1) or take away (-1) a record in these parts."""
        self.amount += sign * rating.total(parts)
        for part in parts:
            if not part.band & payloads.EXPORT:
                self.charged -= sign * part.amount()

    def stand(self, amount):
        """Add what a standing charge moves on the balance."""
        self.amount += amount
        self.charged -= amount


class _End:
    def __init__(self, freeze, minimum, lack):
        self.minimum = minimum
        self.charged = freeze.energy + freeze.standing
        self.lack = lack
        self.next_day = freeze.cycle_day


class CycleEnds:
    """The ends of cycles in the journal: take() its records, then settle() the minimum."""

    def __init__(self, held, tariff):
        self._held = held
        self._tariff = tariff
        self._minimums = {}  # cycle key -> (micro, nano) as it was charged
        self._ends = {}  # cycle key -> _End

    def take(self, entry):
        """A record of any kind. One after the correction's own counts too: a cycle that ended
        meanwhile was closed without it."""
        if entry.kind == records.MINIMUM:
            key, minimum = cycle_payload.unpack_minimum(entry.payload)[:2]
            self._minimums[key] = (minimum, -entry.amount)
        elif entry.kind == records.FREEZE:
            freeze = cycle_payload.unpack_freeze(entry.payload)
            whole = freeze.flags & payloads.ENDED_WHOLE or freeze.cycle in self._minimums
            if freeze.flags & payloads.CYCLE_ENDED and whole:
                minimum, lack = self._minimums.get(freeze.cycle, (freeze.minimum, 0))
                self._ends[freeze.cycle] = _End(freeze, minimum, lack)
        elif entry.kind == records.ADJUST:
            reason, n, key, _, _, id = readers.unpack_adjust(entry.payload)
            end = self._ends.get(key)  # what was adjusted before is in the freeze
            own = (reason, n, id) == (self._held.reason, self._held.n, self._held.id)
            if end and reason in payloads.CORRECTING and not own:
                charged, minimum, lack = readers.unpack_adjusted_cycle(entry.payload)
                end.charged += charged
                end.lack += lack
                end.minimum = minimum

    def settle(self, changes):
        """Charge the minimum anew in each CycleChange of `changes`, by key, that needs it."""
        for key, end in self._ends.items():
            if not self._is_own(key, end):
                continue  # the correction counts other cycles: the minimum stays
            closing = self._tariff.zone.first_instant(end.next_day)
            reached = self._held.start < closing <= self._held.until
            reached = reached and not self._held.of_prices
            change = changes.get(key)
            if change is None and not reached:
                continue
            if change is None:
                change = changes[key] = CycleChange()
            # As with a standing charge, its own minimum counts where it reaches the charge.
            change.minimum = self._tariff.minimum if reached else end.minimum
            change.changes_minimum = change.minimum != end.minimum
            change.ended = True
            lack = change.minimum * NANO_PER_MICRO - end.charged - change.charged
            change.lack = (max(lack, 0) if change.minimum else 0) - end.lack
            change.amount -= change.lack

    def _is_own(self, key, end):
        """True when the correction's document knows this cycle, from its first day to its end."""
        closing = self._tariff.zone.first_instant(end.next_day)
        first = self._tariff.cycle_day(closing - 1)
        return (
            first > 0
            and date_key(first) == key
            and self._tariff.cycle_day(closing) == end.next_day
        )
