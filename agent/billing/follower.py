"""A tariff document followed along the records of a journal: its cycles, blocks and demand."""

from wattledger.agent.billing import rating
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal.payload import Part
from wattledger.agent.timekeeping import STEP_S
from wattledger.agent.units import QUARTER_S
from wattledger.hal.sample import TRUST_SYNCED


class Span:
    """Seconds of one record, `start` to `end` (unix); a demand window has those of its last."""

    def __init__(self, start, end, sequence):
        self.start = start
        self.end = end
        self.sequence = sequence


class Piece(Span):
    """An interval record, what the registers moved in it and where import stood at its end."""

    def __init__(self, entry, interval, before, ended):
        long = interval.duration_s >= payloads.LONG
        start = ended if long else entry.time - interval.duration_s
        super().__init__(start, entry.time, entry.sequence)
        self.trust = entry.trust
        self.amount = entry.amount
        self.register = interval.import_wh
        self.import_wh = interval.import_wh - before[0]
        self.export_wh = interval.export_wh - before[1]
        self.parts = interval.parts
        self.dynamic = None
        for part in interval.parts:
            if part.band & payloads.DYNAMIC:
                self.dynamic = part.price
            elif part.band & payloads.UNPRICED and self.dynamic is None:
                self.dynamic = rating.NO_SLOT
        # Within a quarter of an hour no tariff changes and no correction begins or ends.
        self.plain = start // QUARTER_S == max(start, self.end - 1) // QUARTER_S

    def parts_at(self, price):
        """Its parts as they were posted, import at `price` in every block; None: as it was."""
        if price is None:
            return self.parts
        return [
            part
            if part.band & payloads.EXPORT
            else Part(part.band | payloads.DYNAMIC, part.block, part.wh, price)
            for part in self.parts
        ]


class Follower:
    """The blocks, cycles and demand of one document, followed along the records."""

    def __init__(self, tariff):
        self.tariff = tariff
        self.cycle_day = 0
        self._demand_day = 0
        self._demand_w = 0
        self._window_wh = None  # as in a Cycle
        self._window_at = 0
        self._block_day = 0
        self._used_wh = 0
        self._asked = None  # the local day the cycle was last worked out for

    def stand(self, used_wh, block_day, cycle_day, demand_w):
        """Begin where a checkpoint or the opening says."""
        self._used_wh = used_wh
        self._block_day = block_day
        self._demand_day = cycle_day
        self._demand_w = demand_w
        self._window_wh = None
        self.cycle_day = 0
        self._asked = None

    def turn(self, unix, trust):
        """Turn the cycle as the account does: by synced time only, never back."""
        tariff = self.tariff
        if trust == TRUST_SYNCED:
            days, _ = tariff.zone.local(unix)
            if days == self._asked:
                return
            self._asked = days
            block_day = tariff.block_day(unix)
            if block_day > self._block_day:
                if self._block_day:
                    self._used_wh = 0
                self._block_day = block_day
        elif self.cycle_day:
            return
        cycle_day = tariff.cycle_day(unix)
        self.cycle_day = max(self.cycle_day, cycle_day)
        if cycle_day > self._demand_day:
            self._demand_day = cycle_day
            self._demand_w = 0
            self._window_wh = None

    def rate(self, piece, price):
        """The record's parts by this document, at the dynamic `price`; None: at its own."""
        return rating.rate(
            self.tariff,
            piece.start,
            piece.import_wh,
            piece.export_wh,
            self._used_wh,
            piece.trust,
            piece.dynamic if price is None else price,
        )

    def fill(self, piece):
        """Count the record's energy in the blocks, whatever it was charged at."""
        exported = piece.export_wh if self.tariff.net else 0
        self._used_wh += max(piece.import_wh - exported, 0)

    def can_rate(self, piece):
        """False when a gap's energy spans two bands or cycles: which share fell in which?"""
        if piece.plain:
            return True
        tariff = self.tariff
        last = piece.end - 1
        if tariff.block_day(piece.start) != tariff.block_day(last):
            return False
        if tariff.cycle_day(piece.start) != tariff.cycle_day(last):
            return False
        if piece.trust != TRUST_SYNCED:
            return True  # the fallback band, all of it
        change = tariff.next_change(piece.start)
        return change is None or change[0] > last

    def demand(self, piece):
        """(Span, amount) of the demand window that ends with a record and is the highest of its
        cycle so far, else None. The rules are those of agent/billing/demand.py."""
        if not self.tariff.demand:
            return None
        minutes, price = self.tariff.demand
        span = minutes * 60
        start, end = piece.start, piece.end
        window = start // span
        if piece.trust != TRUST_SYNCED:
            self._window_wh = None
        elif start % span == 0:
            self._window_wh = piece.register - piece.import_wh
        elif abs(start - self._window_at) > STEP_S or window != self._window_at // span:
            self._window_wh = None
        self._window_at = end
        opened = self._window_wh
        if opened is None or window == end // span:
            return None
        self._window_wh = None
        watts = (piece.register - opened) * (60 // minutes)
        if end % span or window != end // span - 1 or watts <= self._demand_w:
            return None
        before, self._demand_w = self._demand_w, watts
        return Span(end - span, end, piece.sequence), (before - watts) * price
