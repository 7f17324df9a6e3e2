"""The account: the tariff in force, what the cycle has used, and what the open interval costs.

Everything it decides is posted to the journal; balance and hash live there. Times are unix
seconds, energies whole Wh of the registers, money nano-units. It needs no agent: take the sets in
force with switch(), the dates with charge_standing(), the energy with begin() and close().
"""

from wattledger.agent import events
from wattledger.agent.billing import rating
from wattledger.agent.billing.calendar import date_key
from wattledger.agent.billing.credit import MAX_N, NEW, OLD, CreditWatch, PurchaseMemory
from wattledger.agent.billing.cycle import Cycle
from wattledger.agent.billing.debt import Debt
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import QUALITY_OK, TRUST_SYNCED, TRUST_UNKNOWN

MAX_STANDING_DAYS = 31
RECENT = 5
DEFAULT_CREDIT_MAX = 1000000000000  # micro-units, while no tariff sets its own


class Account:
    """`tariff` is the set in force (None before the first), `pending` the one that follows it.

    `dynamic` is a DynamicPrices, or None where there is no shelf of documents.
    """

    def __init__(self, journal):
        self._journal = journal
        self.tariff = None
        self.pending = None
        self.dynamic = None
        self.purchases = PurchaseMemory()
        self.watch = CreditWatch()
        self.cycle = Cycle()
        self.debt = Debt()
        self.used_wh = 0  # what fills the blocks
        self.block_day = 0  # first day of the period `used_wh` belongs to; 0 until one is known
        self._asked = None  # local day the periods were last worked out for
        self.standing_day = 0  # last local day charged; 0 until a tariff is in force
        self.recent = []  # (unix, micro-units, n) of the last purchases, newest first
        self.day = 0  # local day the next two belong to
        self.day_wh = 0
        self.day_nano = 0  # what the day has moved on the balance, purchases apart
        self.day_energy = None  # of it, what its intervals moved; None when not all were seen
        self.day_used = None  # block counter before the day's first interval
        self.finished = None  # (day, Wh, energy, used) of the day that ended last
        self.start = 0
        self.start_import = 0
        self.start_export = 0
        self.trust = TRUST_UNKNOWN
        self.estimated = False  # charges stand for days that were not measured
        self.price = None  # dynamic price of the open interval, rating.NO_SLOT or None

    def begin(self, start, import_wh, export_wh, trust):
        """Open an interval at `start`; billing cycle and block counter turn here when due."""
        self.start = start
        self.start_import = import_wh
        self.start_export = export_wh
        self.trust = trust
        self.look_up()
        self.count_day(start, 0, 0)
        tariff = self.tariff
        if tariff is None:
            return
        if trust == TRUST_SYNCED and self._asked != self.day:
            self._turn(start, start)
        if tariff.demand:
            from wattledger.agent.billing import demand  # few tariffs have it

            demand.begin(self)

    def look_up(self):
        """Find the dynamic price of the open interval, which holds for all of it."""
        self.price = None
        if self.dynamic is not None and self.trust == TRUST_SYNCED:
            self.price = self.dynamic.price_at(self.start)
            if self.price is None and self.dynamic.is_expected():
                self.price = rating.NO_SLOT

    def _turn(self, at, now, due=True):
        """Turn to the cycle and the block period that hold at `at`: never back, and at midnight
        only. `due` is False where another tariff says so before the cycle's end."""
        tariff = self.tariff
        days, _ = tariff.zone.local(at)
        if days == self._asked:
            return
        cycle_day = tariff.cycle_day(at)
        block_day = tariff.block_day(at)
        known = self.cycle.day > 0
        ended = known and cycle_day > self.cycle.day
        whole = (due and known) or tariff.zone.first_instant(cycle_day) == at
        if ended or 0 < self.block_day < block_day:
            from wattledger.agent.billing.freeze import freeze  # once a cycle

            freeze(self, now, cycle_day, block_day, whole, due)
        self.begin_periods(cycle_day, block_day, whole)
        self._asked = days

    def begin_periods(self, cycle_day, block_day, whole):
        """Begin the cycle and the block period of these days where they are new."""
        if cycle_day > self.cycle.day:
            self.cycle.begin(cycle_day, whole)
        if block_day > self.block_day:
            if self.block_day:
                self.used_wh = 0
            self.block_day = block_day

    def parts(self, import_wh, export_wh):
        """Parts of the open interval up to these registers; empty while there is no tariff."""
        if self.tariff is None:
            return []
        return rating.rate(
            self.tariff,
            self.start,
            import_wh - self.start_import,
            export_wh - self.start_export,
            self.used_wh,
            self.trust,
            self.price,
        )

    def available(self, import_wh, export_wh):
        """Balance less what the open interval has accrued, nano."""
        return self._journal.balance + rating.total(self.parts(import_wh, export_wh))

    def post(self, kind, amount, payload, now, trust, at=None):
        """Append an entry that may move the balance; returns its sequence.

        It counts for the local date of `at` (its own time where None), purchases apart.
        """
        if kind not in records.MONEY_IN:
            self.count_day(now if at is None else at, 0, amount)
        return self._journal.append(kind, now, trust, amount, payload)

    def close(self, end, import_wh, export_wh, quality=QUALITY_OK):
        """Post the open interval. Call begin() next."""
        parts = self.parts(import_wh, export_wh)
        interval = payloads.pack_interval(
            import_wh,
            export_wh,
            max(end - self.start, 0),
            quality,
            self.tariff.n if self.tariff else 0,
            parts,
        )
        amount = rating.total(parts)
        energy = self.cycle.after(parts)
        self._journal.append(records.INTERVAL, end, self.trust, amount, interval)
        start = self.start
        self.count(import_wh, export_wh, parts, amount, energy)
        if self.tariff is not None and self.tariff.demand:
            from wattledger.agent.billing import demand

            demand.close(self, start, end)

    def count(self, import_wh, export_wh, parts, amount, energy):
        """Count an interval up to these registers in the blocks, the cycle, whose charges come to
        `energy` with it (Cycle.after), and the day."""
        moved = import_wh - self.start_import
        used_wh = self.used_wh
        # First of all, and without heap: what was posted is never posted again.
        self.start_import = import_wh
        self.start_export = export_wh
        self.used_wh = used_wh + (rating.counted(parts) if parts else moved)
        if parts:
            self.cycle.take(parts, moved, energy)
        self.count_day(self.start, moved, amount)
        if self.day_energy is not None:
            self.day_energy += amount
            if self.day_used is None:
                self.day_used = used_wh

    def adopt(self, tariff):
        """Take the set that is in force already, after a boot."""
        self.tariff = tariff
        self._asked = None

    def switch(self, at, trust):
        """Put the pending set in force when it is due at boundary `at`; True when it was.

        It stays pending until all is done, so that one that ends half way is gone on with.
        """
        tariff = self.pending
        if tariff is None or at < tariff.start:
            return False
        known = self.tariff is not None and self.standing_day > 0
        if self.tariff is not tariff:
            if known and trust == TRUST_SYNCED:
                # Dates that began before it, and a cycle that ends as it begins: the old set's.
                self._begin_dates(min(tariff.start, at) - 1, at)
                self._turn(min(tariff.start, at), at)
            payload = payloads.pack_tariff(tariff.n, tariff.digest, tariff.id)
            self._journal.append(records.TARIFF, at, trust, 0, payload)
            self.adopt(tariff)
        if known:
            began = self.compare_cycles(at)
            if not self.block_day and tariff.block_day(began):
                self.block_day = 1  # the set before counted without end: that count ends here
            self._turn(began, at, False)
        else:
            self.begin_first(at)
        self.pending = None
        return True

    def compare_cycles(self, at):
        """Where the set that has come into force at `at` counts other cycles than the one before
        it, this one is not whole; returns the instant from which the set holds."""
        tariff = self.tariff
        # Dates missed since then are still to come: charge_standing() begins them.
        began = max(min(tariff.start, at), tariff.zone.first_instant(self.standing_day))
        if tariff.cycle_day(began) != self.cycle.day:
            self.cycle.whole = False
        return began

    def begin_first(self, at):
        """The first tariff takes force: day one counts only when that is its first instant."""
        if not self.cycle.day and not self.block_day:
            self._turn(at, at, False)
        if not self.standing_day:
            days, _ = self.tariff.zone.local(at)
            self.standing_day = days if self.tariff.zone.first_instant(days) < at else days - 1

    def charge_standing(self, now, trust):
        """Begin every local date begun by `now`: cycles turn, a standing charge is posted each."""
        if self.tariff is not None and trust == TRUST_SYNCED:
            self._begin_dates(now, now)

    def _begin_dates(self, last, now):
        """Begin the local dates not yet begun, up to that of `last`."""
        today, _ = self.tariff.zone.local(last)
        skipped = today - self.standing_day - MAX_STANDING_DAYS
        if skipped > 0:
            self.standing_day += skipped
            event = payloads.pack_event(events.STANDING_SKIPPED, skipped)
            self.post(records.EVENT, 0, event, now, TRUST_SYNCED)
        while self.standing_day < today:
            day = self.standing_day + 1
            first = self.tariff.zone.first_instant(day)
            self._turn(first, now)
            amount = self.tariff.standing_day * NANO_PER_MICRO
            self.debt.take_day(self, day, self._journal.balance - amount, now)
            if amount:
                standing = payloads.pack_standing(date_key(day), self.tariff.n)
                self.post(records.STANDING, -amount, standing, now, TRUST_SYNCED, first)
            self.standing_day = day
            self.cycle.standing += amount

    def credit(self, n, amount_micro, now, trust):
        """Add purchase `n`: ("ok" | "duplicate" | "range", why). Posts only when it is ok."""
        if not 1 <= n <= MAX_N:
            return "range", "n is out of range"
        found = self.purchases.check(n)
        if found == OLD:
            return "range", "n is too far below the highest seen"
        if found != NEW:
            return "duplicate", ""
        if amount_micro <= 0:
            return "range", "the amount must be above zero"
        amount = amount_micro * NANO_PER_MICRO
        if self.is_over(amount):
            return "range", "the balance would be over the limit"
        highest, seen = self.purchases.after(n)
        self.post(records.CREDIT, amount, payloads.pack_credit(n, highest, seen), now, trust)
        self.purchases.restore(highest, seen)
        self.remember(now, amount_micro, n)
        return "ok", self.debt.told(self.debt.take_share(self, amount, n, now, trust))

    def is_over(self, amount):
        """True when `amount` (nano) more would take the balance over the tariff's limit."""
        limit = self.tariff.credit_max if self.tariff else DEFAULT_CREDIT_MAX
        return self._journal.balance + amount > limit * NANO_PER_MICRO

    def token(self, amount, payload, now, trust):
        """Post a token: its money (nano, 0 for most) and its replay memory are one entry.

        Returns what it paid of a debt, in words.
        """
        self.post(records.TOKEN, amount, payload, now, trust)
        if amount <= 0:
            return ""
        from wattledger.agent.journal import payload_read as readers  # with a token only

        id = readers.unpack_token(payload)[2]
        self.remember(now, amount // NANO_PER_MICRO, id)
        return self.debt.told(self.debt.take_share(self, amount, id, now, trust))

    def remember_older(self, purchases):
        """Purchases that an audit found, for the list that people see."""
        known = [n for _, _, n in self.recent]
        older = [purchase for purchase in purchases if purchase[2] not in known]
        self.recent = (self.recent + older)[:RECENT]

    def remember(self, unix, amount_micro, n):
        """Put a purchase at the head of the list that people see."""
        self.recent = [(unix, amount_micro, n)] + self.recent[: RECENT - 1]

    def count_day(self, unix, wh, amount):
        """Count Wh and nano-units in the local day of `unix`, the latest one only."""
        if self.tariff is None:
            return
        days, _ = self.tariff.zone.local(unix)
        if days > self.day:
            self.finished = (self.day, self.day_wh, self.day_energy, self.day_used)
            self.day = days
            self.day_wh = 0
            self.day_nano = 0
            self.day_energy = 0
            self.day_used = None
        if days == self.day:
            self.day_wh += wh
            self.day_nano += amount
