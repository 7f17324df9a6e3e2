"""The account: the tariff in force, what the cycle has used, and what the open interval costs.

Everything it decides is posted to the journal; balance and hash live there. Times are unix
seconds, energies whole Wh of the registers, money nano-units.
"""

from wattledger.agent import events
from wattledger.agent.billing import rating
from wattledger.agent.billing.calendar import date_key, day_number
from wattledger.agent.billing.credit import MAX_N, NEW, OLD, CreditWatch, PurchaseMemory
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import QUALITY_OK, TRUST_SYNCED, TRUST_UNKNOWN

MAX_STANDING_DAYS = 31
RECENT = 5
DEFAULT_CREDIT_MAX = 1000000000000  # micro-units, while no tariff sets its own


class Account:
    """`tariff` is the set in force (None before the first), `pending` the one that follows it."""

    def __init__(self, journal):
        self._journal = journal
        self.tariff = None
        self.pending = None
        self.dynamic = None  # a DynamicPrices, once there is a shelf of documents
        self.purchases = PurchaseMemory()
        self.watch = CreditWatch()
        self.used_wh = 0
        self._cycle_asked = None  # local day the cycle was last worked out for
        self.cycle_day = 0  # first day of the cycle `used_wh` belongs to; 0 until one is known
        self.standing_day = 0  # last local day charged; 0 until a tariff is in force
        self.recent = []  # (unix, micro-units, n) of the last purchases, newest first
        self.day = 0  # local day the next two belong to
        self.day_wh = 0
        self.day_nano = 0  # what the day has moved on the balance, purchases apart
        self.start = 0
        self.start_import = 0
        self.start_export = 0
        self.trust = TRUST_UNKNOWN

    def begin(self, start, import_wh, export_wh, trust):
        """Open an interval at `start`; the billing cycle turns here when it is due."""
        self.start = start
        self.start_import = import_wh
        self.start_export = export_wh
        self.trust = trust
        self._count_day(start, 0, 0)
        if self.tariff is not None and trust == TRUST_SYNCED:
            self._turn_cycle(start)

    def _turn_cycle(self, start):
        days, _ = self.tariff.zone.local(start)
        if days == self._cycle_asked:
            return  # a cycle turns at midnight only
        self._cycle_asked = days
        cycle_day = self.tariff.cycle_day(start)
        if cycle_day > self.cycle_day:
            if self.cycle_day:
                self.used_wh = 0
            self.cycle_day = cycle_day

    def parts(self, import_wh, export_wh, dynamic=None):
        """Parts of the open interval up to these registers; empty while there is no tariff."""
        if self.tariff is None:
            return []
        if dynamic is None and self.dynamic is not None:
            dynamic = self.dynamic.price_at(self.start)
        return rating.rate(
            self.tariff,
            self.start,
            import_wh - self.start_import,
            export_wh - self.start_export,
            self.used_wh,
            self.trust,
            dynamic,
        )

    def available(self, import_wh, export_wh):
        """Balance less what the open interval has accrued, nano."""
        return self._journal.balance + rating.total(self.parts(import_wh, export_wh))

    def close(self, end, import_wh, export_wh, quality=QUALITY_OK, dynamic=None):
        """Post the open interval. Call begin() next."""
        parts = self.parts(import_wh, export_wh, dynamic)
        amount = rating.total(parts)
        interval = payloads.pack_interval(
            import_wh,
            export_wh,
            max(end - self.start, 0),
            quality,
            self.tariff.n if self.tariff else 0,
            parts,
        )
        self._count_day(self.start, import_wh - self.start_import, amount)
        self.used_wh += import_wh - self.start_import
        self.start_import = import_wh
        self.start_export = export_wh
        self._journal.append(records.INTERVAL, end, self.trust, amount, interval)

    def adopt(self, tariff):
        """Take the set that is in force already, after a boot."""
        self.tariff = tariff
        self._cycle_asked = None

    def switch(self, at, trust):
        """Put the pending set in force when it is due at boundary `at`; True when it was."""
        tariff = self.pending
        if tariff is None or at < tariff.start:
            return False
        self.pending = None
        self._journal.append(
            records.TARIFF, at, trust, 0, payloads.pack_tariff(tariff.n, tariff.digest, tariff.id)
        )
        self.tariff = tariff
        self._cycle_asked = None
        self._begin_standing(at)
        return True

    def _begin_standing(self, at):
        """The first tariff takes force: day one counts only when that is its first instant."""
        if not self.standing_day:
            days, _ = self.tariff.zone.local(at)
            self.standing_day = days if self.tariff.zone.first_instant(days) < at else days - 1

    def charge_standing(self, now, trust):
        """Post the standing charge of every local date begun by `now`, one line a date."""
        if self.tariff is None or trust != TRUST_SYNCED:
            return
        today, _ = self.tariff.zone.local(now)
        missed = today - self.standing_day
        if missed > MAX_STANDING_DAYS:
            skipped = missed - MAX_STANDING_DAYS
            self.standing_day += skipped
            self._journal.append(
                records.EVENT, now, trust, 0, payloads.pack_event(events.STANDING_SKIPPED, skipped)
            )
        while self.standing_day < today:
            self.standing_day += 1
            if self.tariff.standing_day:
                amount = -self.tariff.standing_day * NANO_PER_MICRO
                self._count_day(self.tariff.zone.first_instant(self.standing_day), 0, amount)
                self._journal.append(
                    records.STANDING,
                    now,
                    trust,
                    amount,
                    payloads.pack_standing(date_key(self.standing_day), self.tariff.n),
                )

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
        if self.is_over(amount_micro * NANO_PER_MICRO):
            return "range", "the balance would be over the limit"
        highest, seen = self.purchases.after(n)
        self._journal.append(
            records.CREDIT,
            now,
            trust,
            amount_micro * NANO_PER_MICRO,
            payloads.pack_credit(n, highest, seen),
        )
        self.purchases.restore(highest, seen)
        self._remember(now, amount_micro, n)
        return "ok", ""

    def is_over(self, amount):
        """True when `amount` (nano) more would take the balance over the tariff's limit."""
        limit = self.tariff.credit_max if self.tariff else DEFAULT_CREDIT_MAX
        return self._journal.balance + amount > limit * NANO_PER_MICRO

    def token(self, amount, payload, now, trust):
        """Post a token: its money (nano, 0 for most) and its replay memory are one entry."""
        self._journal.append(records.TOKEN, now, trust, amount, payload)
        if amount > 0:
            self._remember(now, amount // NANO_PER_MICRO, payloads.unpack_token(payload)[2])

    def remember_older(self, purchases):
        """Purchases that an audit found, for the list that people see."""
        known = [n for _, _, n in self.recent]
        older = [purchase for purchase in purchases if purchase[2] not in known]
        self.recent = (self.recent + older)[:RECENT]

    def _remember(self, unix, amount_micro, n):
        self.recent = [(unix, amount_micro, n)] + self.recent[: RECENT - 1]

    def _count_day(self, unix, wh, amount):
        if self.tariff is None:
            return
        days, _ = self.tariff.zone.local(unix)
        if days > self.day:
            self.day = days
            self.day_wh = 0
            self.day_nano = 0
        if days == self.day:
            self.day_wh += wh
            self.day_nano += amount

    def sum_up(self, checkpoint):
        """Write what the account stands at into a checkpoint."""
        checkpoint.import_wh = self.start_import
        checkpoint.export_wh = self.start_export
        checkpoint.start = self.start
        checkpoint.used_wh = self.used_wh
        checkpoint.cycle_day = self.cycle_day
        checkpoint.standing_day = self.standing_day
        checkpoint.highest = self.purchases.highest
        checkpoint.seen = self.purchases.seen
        checkpoint.day = self.day
        checkpoint.day_wh = self.day_wh
        checkpoint.day_nano = self.day_nano
        if self.tariff is not None:
            checkpoint.tariff = self.tariff.digest

    def begin_at(self, checkpoint):
        """Stand where a checkpoint says, whatever came before it."""
        self.start_import = checkpoint.import_wh
        self.start_export = checkpoint.export_wh
        self.start = checkpoint.start
        self.used_wh = checkpoint.used_wh
        self.cycle_day = checkpoint.cycle_day
        self.standing_day = checkpoint.standing_day
        self.purchases.restore(checkpoint.highest, checkpoint.seen)
        self.day = checkpoint.day
        self.day_wh = checkpoint.day_wh
        self.day_nano = checkpoint.day_nano

    def replay(self, entry):
        """Take what a stored record says, in order, after a boot."""
        if entry.kind == records.CHECKPOINT:
            self.begin_at(checkpoints.unpack(entry.payload))
        elif entry.kind == records.OPENING:
            self.start_import, self.start_export, self.used_wh, _ = payloads.unpack_opening(
                entry.payload
            )
            self.start = entry.time
        elif entry.kind == records.INTERVAL:
            interval = payloads.unpack_interval(entry.payload)
            self.begin(
                entry.time - interval.duration_s, self.start_import, self.start_export, entry.trust
            )
            self._count_day(self.start, interval.import_wh - self.start_import, entry.amount)
            self.used_wh += interval.import_wh - self.start_import
            self.start = entry.time
            self.start_import = interval.import_wh
            self.start_export = interval.export_wh
        elif entry.kind == records.CREDIT:
            n, highest, seen = payloads.unpack_credit(entry.payload)
            self.purchases.restore(highest, seen)
            self._remember(entry.time, entry.amount // NANO_PER_MICRO, n)
        elif entry.kind == records.TOKEN and entry.amount > 0:
            n = payloads.unpack_token(entry.payload)[2]
            self._remember(entry.time, entry.amount // NANO_PER_MICRO, n)
        elif entry.kind == records.STANDING:
            days = _days_of(payloads.unpack_standing(entry.payload)[0])
            self.standing_day = max(self.standing_day, days)
            if self.tariff is not None:
                self._count_day(self.tariff.zone.first_instant(days), 0, entry.amount)
        elif entry.kind == records.TARIFF and self.tariff is not None:
            self._begin_standing(entry.time)


def _days_of(key):
    return day_number(key // 10000, key // 100 % 100, key % 100)
