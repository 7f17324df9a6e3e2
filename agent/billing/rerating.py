"""Re-rating: what the records in reach of a correction would have cost, less what they did.

The journal is walked once for the correction and once more for each earlier correction it
overlaps, newest first, so that only two documents are in memory at a time. A record's price is
that of the newest document that reaches it; each document counts its own blocks from the oldest
record kept. Nothing but records before the correction's own entry counts, so a walk that a power
cut ended can be repeated to the same sums. Amounts are nano-units as they move the balance.
"""

from wattledger.agent.billing.account import MAX_STANDING_DAYS
from wattledger.agent.billing.calendar import date_key, day_number
from wattledger.agent.billing.follower import Follower, Piece, Span
from wattledger.agent.events import STANDING_SKIPPED
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import walk
from wattledger.agent.units import NANO_PER_MICRO


class Rerating:
    """work() a slice until `done`; then `cycles` maps a cycle's key to [amount, unrated Wh].

    `held` is the correction and `earlier` those taken before it that its time overlaps, newest
    first; `load` gives the Tariff of one. `posted` holds the keys of the cycles that an entry in
    the journal has adjusted already; `shadowed` the earlier ones that nothing depends on any more.
    """

    def __init__(self, storage, first_hash, held, earlier, load):
        self._storage = storage
        self._first_hash = first_hash
        self._held = held
        self._earlier = earlier
        self._load = load
        self.cycles = {}
        self.posted = []
        self.shadowed = []
        self.done = False
        self.complete = False  # the walk came past the correction's own entry
        self._first = 0  # sequence of the oldest record kept
        self._taken = {}  # sequences of gaps that an earlier correction priced
        self._dates = []  # (first, last) date of each earlier correction
        self._steps = self._run()

    def work(self, records_a_slice):
        """Take the next records. OSError: storage could not be read; start over."""
        for _ in range(records_a_slice):
            if next(self._steps, self) is self:
                self.done = True
                return

    def _run(self):
        """Every step of the work, a record or a date at a time."""
        self._main = Follower(self._load(self._held))
        self._own_dates = dates(self._held, self._main.tariff.zone)
        for number in range(len(self._earlier) + 1):
            self._last = number == len(self._earlier)
            if number:
                layer = self._earlier[number - 1]
                self._layer = Follower(self._load(layer))
                self._dates.append(dates(layer, self._layer.tariff.zone))
            self._registers = None
            self._ended = 0  # where the last interval ended
            self._since = None  # dates after it have had their standing charge
            self._skipped = []
            before = 0
            for _, entry in walk(self._storage, self._first_hash):
                if not before and self._first not in (0, entry.sequence):
                    # Retention dropped records between two walks: half of a sum is in the first.
                    raise OSError(self._first)
                self._first = self._first or entry.sequence
                self._take(entry, number, entry.sequence != before + 1)
                before = entry.sequence
                yield
            self.complete = before >= self._held.sequence
            for _ in self._days(number):
                yield
        if not any(found[1] for found in self.cycles.values()):
            self._find_shadowed()

    def _take(self, entry, number, jumped):
        if entry.kind == records.CHECKPOINT:
            self._enter(checkpoints.unpack(entry.payload), number, jumped)
        elif entry.kind == records.OPENING:
            import_wh, export_wh, used_wh, _ = payloads.unpack_opening(entry.payload)
            self._registers = (import_wh, export_wh)
            self._ended = entry.time
            self._stand(number, used_wh, 0, 0, 0)
        elif entry.kind == records.INTERVAL:
            self._take_interval(entry, number)
        elif entry.kind == records.ADJUST and entry.sequence > self._held.sequence:
            reason, n, cycle, _, _, id = payloads.unpack_adjust(entry.payload)
            own = (payloads.ADJUST_CORRECTION, self._held.n, self._held.id)
            if (reason, n, id) == own and cycle not in self.posted:
                self.posted.append(cycle)
        elif entry.sequence < self._held.sequence:
            if entry.kind == records.FREEZE:
                # A cycle that turned in synced time, though what follows it may be untrusted.
                self._turn(entry.time, entry.trust, number)
            elif entry.kind == records.DEMAND and self._last:
                self._take_posted_demand(entry)
            else:
                self._take_day(entry)

    def _enter(self, checkpoint, number, jumped):
        if jumped:
            self._registers = (checkpoint.import_wh, checkpoint.export_wh)
            self._ended = checkpoint.start
            self._stand(
                number,
                checkpoint.used_wh,
                checkpoint.block_day,
                checkpoint.cycle_day,
                checkpoint.demand_w,
            )
        if self._since is None and checkpoint.standing_day:
            self._since = checkpoint.standing_day

    def _stand(self, number, *state):
        self._main.stand(*state)
        if number:
            self._layer.stand(*state)

    def _take_interval(self, entry, number):
        interval = payloads.unpack_interval(entry.payload)
        before = self._registers
        ended = self._ended
        self._registers = (interval.import_wh, interval.export_wh)
        self._ended = entry.time
        if before is None or entry.sequence > self._held.sequence:
            return
        piece = Piece(entry, interval, before, ended)
        self._turn(piece.start, piece.trust, number)
        if self._held.touches(piece.start, piece.end):
            self._rate(piece, number)
        self._main.fill(piece)
        if number:
            self._layer.fill(piece)
        self._take_demand(piece, number)

    def _turn(self, unix, trust, number):
        self._main.turn(unix, trust)
        if number:
            self._layer.turn(unix, trust)

    def _rate(self, piece, number):
        held = self._held
        key = self._key()
        if not held.holds(piece) or not self._main.can_rate(piece):
            if number == 0:
                self._cycle(key)[1] += piece.import_wh + piece.export_wh
            return
        cycle = self._cycle(key)
        if number == 0:
            cycle[0] += self._main.cost(piece)
        priced = self._priced(piece, number)
        if number and not priced:
            layer = self._earlier[number - 1]
            if layer.holds(piece) and self._layer.can_rate(piece):
                priced = True
                cycle[0] -= self._layer.cost(piece)
                if not piece.plain:
                    self._taken[piece.sequence] = True
        if self._last and not priced:
            cycle[0] -= piece.amount

    def _take_demand(self, piece, number):
        """The demand window that may end with a record, by the document of this walk."""
        found = self._main.demand(piece)
        if number == 0:
            if found and self._held.holds(found[0]):
                self._cycle(self._key())[0] += found[1]
            return
        found = self._layer.demand(piece)
        if found is None or not self._held.holds(found[0]):
            return
        reach = [layer.holds(found[0]) for layer in self._earlier[:number]]
        if reach[-1] and not any(reach[:-1]):  # no newer one has set its price
            self._cycle(self._key())[0] -= found[1]

    def _take_posted_demand(self, entry):
        minutes = cycle_payload.unpack_demand(entry.payload)[3]
        window = Span(entry.time - minutes * 60, entry.time, entry.sequence)
        if self._held.holds(window) and not any(layer.holds(window) for layer in self._earlier):
            self._cycle(self._key())[0] -= entry.amount

    def _key(self):
        """The cycle that the records have come to, by the correction's own document."""
        return date_key(self._main.cycle_day) if self._main.cycle_day else 0

    def _priced(self, piece, number):
        """True when a correction newer than the one of this walk has set the record's price."""
        if not piece.plain:
            return piece.sequence in self._taken
        return any(layer.holds(piece) for layer in self._earlier[: max(number - 1, 0)])

    def _cycle(self, key):
        found = self.cycles.get(key)
        if found is None:
            found = self.cycles[key] = [0, 0]
        return found

    def _take_day(self, entry):
        """Standing charges, and what says which dates have had theirs."""
        if entry.kind == records.STANDING:
            key, _ = payloads.unpack_standing(entry.payload)
            date = day_number(key // 10000, key // 100 % 100, key % 100)
            covered = self._last and within(date, self._own_dates)
            if covered and not any(within(date, span) for span in self._dates):
                self._date_cycle(date)[0] -= entry.amount
        elif entry.kind == records.TARIFF and self._since is None:
            # As Account: the first date is charged when the set takes force at its first instant.
            zone = self._main.tariff.zone
            days, _ = zone.local(entry.time)
            self._since = days if zone.first_instant(days) < entry.time else days - 1
        elif entry.kind == records.EVENT:
            code, count = payloads.unpack_event(entry.payload)
            if code == STANDING_SKIPPED:
                days, _ = self._main.tariff.zone.local(entry.time)
                last = days - MAX_STANDING_DAYS
                self._skipped.append((last - count + 1, last))

    def _days(self, number):
        """Post the standing charge of every date by the document of this walk."""
        if self._since is None:
            return
        first, last = self._own_dates
        nano = -self._main.tariff.standing_day * NANO_PER_MICRO
        if number:
            span = self._dates[-1]
            first, last = max(first, span[0]), min(last, span[1])
            nano = self._layer.tariff.standing_day * NANO_PER_MICRO
        for date in range(max(first, self._since + 1), last + 1):
            yield date
            if any(within(date, span) for span in self._skipped):
                continue
            if number and any(within(date, span) for span in self._dates[:-1]):
                continue
            self._date_cycle(date)[0] += nano

    def _date_cycle(self, date):
        tariff = self._main.tariff
        day = tariff.cycle_day(tariff.zone.first_instant(date))
        return self._cycle(date_key(day) if day else 0)

    def _find_shadowed(self):
        first, last = self._own_dates
        for number, layer in enumerate(self._earlier):
            span = self._dates[number]
            inside = self._held.start <= layer.start and layer.until <= self._held.until
            if inside and (span[0] > span[1] or (first <= span[0] and span[1] <= last)):
                self.shadowed.append(layer)


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
