"""A tariff document followed along the records of a journal: its cycles, blocks and demand."""

from wattledger.agent.billing import rating
from wattledger.agent.journal import payload as payloads
from wattledger.agent.units import QUARTER_S
from wattledger.hal.sample import TRUST_SYNCED

LONGEST_S = 0xFFFF  # a longer interval does not say when it began


class Piece:
    """An interval record with what the registers moved in it."""

    def __init__(self, entry, interval, import_wh, export_wh):
        self.sequence = entry.sequence
        self.start = entry.time - interval.duration_s
        self.end = entry.time
        self.trust = entry.trust
        self.amount = entry.amount
        self.import_wh = import_wh
        self.export_wh = export_wh
        self.dynamic = None
        for part in interval.parts:
            if part.band & payloads.DYNAMIC:
                self.dynamic = part.price
        # Within a quarter of an hour no tariff changes and no correction begins or ends.
        last = max(self.start, self.end - 1)
        self.plain = self.start // QUARTER_S == last // QUARTER_S
        self.dated = interval.duration_s < LONGEST_S


class Follower:
    """The blocks and cycles of one document, followed along the records."""

    def __init__(self, tariff):
        self.tariff = tariff
        self.cycle_day = 0
        self._block_day = 0
        self._used_wh = 0
        self._asked = None  # the local day the cycle was last worked out for

    def stand(self, used_wh, cycle_day):
        """Begin where a checkpoint or the opening says."""
        self._used_wh = used_wh
        self._block_day = cycle_day
        self.cycle_day = 0
        self._asked = None

    def turn(self, piece):
        """Turn the cycle at a record as the account does: by synced time only, never back."""
        tariff = self.tariff
        if piece.trust == TRUST_SYNCED:
            days, _ = tariff.zone.local(piece.start)
            if days == self._asked:
                return
            self._asked = days
            block_day = tariff.block_day(piece.start)
            if block_day > self._block_day:
                if self._block_day:
                    self._used_wh = 0
                self._block_day = block_day
        elif self.cycle_day:
            return
        self.cycle_day = max(self.cycle_day, tariff.cycle_day(piece.start))

    def cost(self, piece):
        """What the record moves on the balance by this document."""
        parts = rating.rate(
            self.tariff,
            piece.start,
            piece.import_wh,
            piece.export_wh,
            self._used_wh,
            piece.trust,
            piece.dynamic,
        )
        return rating.total(parts)

    def fill(self, piece):
        """Count the record's energy in the blocks, whatever it was charged at."""
        exported = piece.export_wh if self.tariff.net else 0
        self._used_wh += max(piece.import_wh - exported, 0)

    def can_rate(self, piece):
        """False when a gap's energy spans two bands or cycles: which share fell in which?"""
        if piece.plain:
            return True
        if not piece.dated:
            return False
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
