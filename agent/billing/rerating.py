"""Re-rating: what the records in reach of a correction would have cost, less what they did.

A record's price is that of the newest tariff correction that reaches it, at the dynamic price of
the newest price correction that does; so the two kinds may come in either order. The journal is
walked once for the correction and once more for each earlier tariff correction it overlaps, newest
first, so that only two tariffs are in memory at a time; each counts its own blocks from the oldest
record kept. Nothing but records before the correction's own entry is re-rated, so a walk that a
power cut ended can be repeated to the same sums. Amounts are nano-units as they move the balance.
"""

from wattledger.agent.billing.calendar import date_key
from wattledger.agent.billing.corrected_prices import CorrectedPrices
from wattledger.agent.billing.cycle_change import CycleChange, CycleEnds
from wattledger.agent.billing.follower import Follower, Piece, Span
from wattledger.agent.billing.standing_dates import StandingDates
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.payload import CORRECTING
from wattledger.agent.journal.segments import walk
from wattledger.hal.sample import TRUST_SYNCED


class Rerating:
    """work() a slice until `done`; then `changes` maps a cycle's key to its CycleChange.

    `held` is the correction and `earlier` those taken before it that its time overlaps, newest
    first; `load` gives the Tariff of one (of prices: the set then in force), `load_prices` its
    PriceList. `posted` holds the keys of the cycles that an entry in the journal has adjusted
    already; `diverted` what corrections of a cycle have added to the debt; `shadowed` the earlier
    ones that nothing depends on any more.
    """

    def __init__(self, storage, first_hash, held, earlier, load, load_prices):
        self._storage = storage
        self._first_hash = first_hash
        self._held = held
        self._layers = [other for other in earlier if not other.of_prices]
        self._earlier_prices = [other for other in earlier if other.of_prices]
        self._load = load
        self._load_prices = load_prices
        self.tariff = None
        self.changes = {}
        self.posted = []
        self.diverted = {}
        self.shadowed = []
        self.done = False
        self.complete = False  # the walk came past the correction's own entry
        self._first = 0  # sequence of the oldest record kept
        self._taken = {}  # sequences of gaps that an earlier correction priced
        self._steps = self._run()

    def work(self, records_a_slice):
        """Take the next records. OSError: storage could not be read; start over."""
        for _ in range(records_a_slice):
            if next(self._steps, self) is self:
                self.done = True
                return

    def _run(self):
        """Every step of the work, a record or a date at a time."""
        held = self._held
        tariff = self.tariff = self._load(held)
        self._main = Follower(tariff)
        self._before = CorrectedPrices(self._listed(self._earlier_prices))
        self._after = CorrectedPrices(self._listed([held] if held.of_prices else []))
        self._dates = StandingDates(held, tariff, self._date_change)
        ends = CycleEnds(held, tariff)
        for number in range(len(self._layers) + 1):
            self._last = number == len(self._layers)
            if number:
                layer = self._layers[number - 1]
                self._layer = Follower(self._load(layer))
                self._dates.begin(layer, self._layer.tariff)
            self._registers = None
            self._ended = 0  # where the last interval ended
            before = 0
            for _, entry in walk(self._storage, self._first_hash):
                if not before and self._first not in (0, entry.sequence):
                    # Retention dropped records between two walks: half of a sum is in the first.
                    raise OSError(self._first)
                self._first = self._first or entry.sequence
                self._take(entry, number, entry.sequence != before + 1)
                if self._last:
                    ends.take(entry)
                before = entry.sequence
                yield
            self.complete = before >= held.sequence
            for _ in self._dates.charge():
                yield
        ends.settle(self.changes)
        if not any(change.unrated_wh for change in self.changes.values()):
            self._find_shadowed()

    def _listed(self, corrections):
        return [(other, self._load_prices(other)) for other in corrections]

    def _take(self, entry, number, jumped):
        if entry.kind == records.CHECKPOINT:
            self._enter(checkpoints.unpack(entry.payload), number, jumped)
        elif entry.kind == records.OPENING:
            import_wh, export_wh, used_wh, _ = readers.unpack_opening(entry.payload)
            self._registers = (import_wh, export_wh)
            self._ended = entry.time
            self._stand(number, used_wh, 0, 0, 0)
        elif entry.kind == records.INTERVAL:
            self._take_interval(entry, number)
        elif entry.kind == records.ADJUST:
            self._take_adjustment(entry)
        elif entry.sequence < self._held.sequence:
            if entry.kind == records.FREEZE:
                # A cycle that turned in synced time, though what follows it may be untrusted.
                self._turn(entry.time, entry.trust, number)
            elif entry.kind == records.DEMAND and self._last:
                self._take_posted_demand(entry)
            else:
                self._dates.take(entry, self._last)

    def _take_adjustment(self, entry):
        reason, n, cycle, _, diverted, id = readers.unpack_adjust(entry.payload)
        if self._last and reason in CORRECTING:
            self.diverted[cycle] = self.diverted.get(cycle, 0) + diverted
        own = (self._held.reason, self._held.n, self._held.id)
        after = entry.sequence > self._held.sequence
        if after and (reason, n, id) == own and cycle not in self.posted:
            self.posted.append(cycle)

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
        self._dates.stand(checkpoint.standing_day)

    def _stand(self, number, *state):
        self._main.stand(*state)
        if number:
            self._layer.stand(*state)

    def _take_interval(self, entry, number):
        interval = readers.unpack_interval(entry.payload)
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
        if not self._held.of_prices:
            self._take_demand(piece, number)

    def _turn(self, unix, trust, number):
        self._main.turn(unix, trust)
        if number:
            self._layer.turn(unix, trust)

    def _rate(self, piece, number):
        change = self._change(self._key())
        if not self._reaches(piece):
            if number == 0:
                change.unrated_wh += piece.import_wh + piece.export_wh
            return
        if number == 0 and not self._held.of_prices:
            change.take(self._main.rate(piece, self._before.price(piece)), 1)
        priced = self._priced(piece, number)
        if number and not priced:
            layer = self._layers[number - 1]
            if layer.holds(piece) and self._layer.can_rate(piece):
                priced = True
                self._exchange(change, piece, self._layer.rate)
                if not piece.plain:
                    self._taken[piece.sequence] = True
        if self._last and not priced:
            self._exchange(change, piece, Piece.parts_at)

    def _reaches(self, piece):
        """True when the correction says what all of a record costs."""
        if self._held.of_prices:
            # Where no dynamic price holds, none is changed.
            return piece.trust != TRUST_SYNCED or self._after.price(piece) is not None
        return self._held.holds(piece) and self._main.can_rate(piece)

    def _exchange(self, change, piece, parts_at):
        """Take away what the record cost; new prices put what it costs in its place."""
        change.take(parts_at(piece, self._before.price(piece)), -1)
        if self._held.of_prices:
            price = self._after.price(piece)
            if price is None:
                price = self._before.price(piece)
            change.take(parts_at(piece, price), 1)

    def _take_demand(self, piece, number):
        """The demand window that may end with a record, by the document of this walk."""
        found = self._main.demand(piece)
        if number == 0:
            if found and self._held.holds(found[0]):
                self._change(self._key()).amount += found[1]
            return
        found = self._layer.demand(piece)
        if found is None or not self._held.holds(found[0]):
            return
        reach = [layer.holds(found[0]) for layer in self._layers[:number]]
        if reach[-1] and not any(reach[:-1]):  # no newer one has set its price
            self._change(self._key()).amount -= found[1]

    def _take_posted_demand(self, entry):
        minutes = cycle_payload.unpack_demand(entry.payload)[3]
        window = Span(entry.time - minutes * 60, entry.time, entry.sequence)
        held = self._held
        if held.of_prices or not held.holds(window):
            return
        if not any(layer.holds(window) for layer in self._layers):
            self._change(self._key()).amount -= entry.amount

    def _key(self):
        """The cycle that the records have come to, by the correction's own document."""
        return date_key(self._main.cycle_day) if self._main.cycle_day else 0

    def _priced(self, piece, number):
        """True when a correction newer than the one of this walk has set the record's price."""
        if not piece.plain:
            return piece.sequence in self._taken
        return any(layer.holds(piece) for layer in self._layers[: max(number - 1, 0)])

    def _change(self, key):
        found = self.changes.get(key)
        if found is None:
            found = self.changes[key] = CycleChange()
        return found

    def _date_change(self, date):
        tariff = self.tariff
        day = tariff.cycle_day(tariff.zone.first_instant(date))
        return self._change(date_key(day) if day else 0)

    def _find_shadowed(self):
        held = self._held
        same = self._earlier_prices if held.of_prices else self._layers
        for number, other in enumerate(same):
            inside = held.start <= other.start and other.until <= held.until
            if inside and (held.of_prices or self._dates.is_covered(number)):
                self.shadowed.append(other)
