"""Standing charges that a correction makes anew: of which dates, by whom, and what was posted."""

from wattledger.agent.billing.account import MAX_STANDING_DAYS
from wattledger.agent.billing.calendar import day_number
from wattledger.agent.events import STANDING_SKIPPED
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO


class StandingDates:
    """begin() a walk, take() its records, charge() its dates; `change(date)` is a CycleChange."""

    def __init__(self, held, tariff, change):
        self._tariff = tariff
        self._change = change
        self.own = dates(held, tariff.zone)
        self.layers = []  # (first, last) date of each earlier correction
        self._nano = -tariff.standing_day * NANO_PER_MICRO
        self._restart()

    def _restart(self):
        self._since = None  # dates after it have had their standing charge
        self._skipped = []

    def begin(self, layer, tariff):
        """Walk once more, for an earlier correction."""
        self.layers.append(dates(layer, tariff.zone))
        self._nano = tariff.standing_day * NANO_PER_MICRO
        self._restart()

    def stand(self, standing_day):
        """A checkpoint says up to which date there were standing charges."""
        if self._since is None and standing_day:
            self._since = standing_day

    def take(self, entry, last):
        """Standing charges, and what says which dates have had theirs; `last`: the last walk."""
        if entry.kind == records.STANDING:
            key, _ = readers.unpack_standing(entry.payload)
            date = day_number(key // 10000, key // 100 % 100, key % 100)
            covered = last and within(date, self.own)
            if covered and not any(within(date, span) for span in self.layers):
                self._change(date).stand(-entry.amount)
        elif entry.kind == records.TARIFF and self._since is None:
            # As Account: the first date is charged when the set takes force at its first instant.
            zone = self._tariff.zone
            days, _ = zone.local(entry.time)
            self._since = days if zone.first_instant(days) < entry.time else days - 1
        elif entry.kind == records.EVENT:
            code, count = readers.unpack_event(entry.payload)
            if code == STANDING_SKIPPED:
                days, _ = self._tariff.zone.local(entry.time)
                last = days - MAX_STANDING_DAYS
                self._skipped.append((last - count + 1, last))

    def charge(self):
        """Post the standing charge of every date by the document of this walk, a date a step."""
        if self._since is None:
            return
        first, last = self.own
        if self.layers:
            span = self.layers[-1]
            first, last = max(first, span[0]), min(last, span[1])
        for date in range(max(first, self._since + 1), last + 1):
            yield date
            if any(within(date, span) for span in self._skipped):
                continue
            if any(within(date, span) for span in self.layers[:-1]):
                continue
            self._change(date).stand(self._nano)

    def is_covered(self, number):
        """True when the correction reaches every date of an earlier one."""
        first, last = self.layers[number]
        return first > last or (self.own[0] <= first and last <= self.own[1])


def within(date, span):
    """True when a date lies in (first, last)."""
    return span[0] <= date <= span[1]


def dates(held, zone):
    """(first, last) local date whose standing charge a correction can have changed."""
    first, _ = zone.local(held.start)
    if zone.first_instant(first) < held.start:
        first += 1
    last, _ = zone.local(held.until - 1)
    return first, min(last, held.standing_day)
