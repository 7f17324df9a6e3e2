"""Debt: what a household owes beside its energy, and how top-ups and days pay it off.

`debt.set` brings it, and a correction's debit that must not cause a cut adds to it. A share is
taken of each top-up, at most a cap in each local week (from Monday 00:00), and a part each day
with the standing charge. Owed and taken are nano-units, the terms micro-units as they were set.
"""

import struct

from wattledger.agent.billing.calendar import EPOCH_2000, date_key, weekday
from wattledger.agent.journal import record as records
from wattledger.agent.journal.payload import DEBT_DAY, DEBT_SET, DEBT_SHARE, pack_debt
from wattledger.agent.units import DAY_S, NANO_PER_MICRO, micro_of
from wattledger.hal.sample import TRUST_SYNCED

# id, total, owed, per day (u48), cap (u48), taken in the week, share, week, day
FORMAT = "<IQQIHIHQBHH"
LENGTH = 45
MAX_DEBT_MICRO = (1 << 48) - 1
MAX_OWED = MAX_DEBT_MICRO * NANO_PER_MICRO  # of all debts: the fields of a record must hold it
MAX_SHARE = 90  # per cent: a top-up always brings something


class Debt:
    """`week` is the Monday `taken` belongs to, `day` the last date a part was taken on (or the
    debt was set), days since 2000-01-01."""

    def __init__(self):
        self.restore(b"")
        self.waiting = None  # (nano, purchase n, unix) of a top-up whose share is not posted

    def pack(self):
        """The whole state, 45 bytes."""
        return struct.pack(
            FORMAT,
            self.id,
            self.total,
            self.owed,
            self.per_day & 0xFFFFFFFF,
            self.per_day >> 32,
            self.cap & 0xFFFFFFFF,
            self.cap >> 32,
            self.taken,
            self.share,
            self.week,
            self.day,
        )

    def restore(self, data):
        """Stand where pack() stood; nothing is owed where nothing is said."""
        fields = struct.unpack(FORMAT, data or bytes(LENGTH))
        self.id, self.total, self.owed = fields[:3]
        self.per_day = fields[3] | fields[4] << 32
        self.cap = fields[5] | fields[6] << 32  # 0: no cap
        self.taken, self.share, self.week, self.day = fields[7:]

    def set(self, account, id, total, terms, now, trust):
        """Take a debt of `total` micro-units; `terms` are (per day, share, cap).

        A higher id adds to what is owed. The same id again changes the total, less what it has
        paid, and the terms: so a repeated command owes nothing twice. False: the id is lower.
        """
        if id < self.id:
            return False
        self.owed = self.owed_with(id, total)
        self.id, self.total = id, total
        self.per_day, self.share, self.cap = terms
        self.day = max(self.day, _local_day(account, now))
        self._post(account, DEBT_SET, id, 0, now, trust)
        return True

    def owed_with(self, id, total):
        """What would be owed with a debt that set() takes, nano; changes nothing."""
        before = self.total if id == self.id else 0
        return max(self.owed + (total - before) * NANO_PER_MICRO, 0)

    def take_share(self, account, gross, reference, now, trust):
        """Post the share of a top-up of `gross` nano-units; returns it.

        Call it right after the top-up's own record: a boot that finds that record last posts the
        share then.
        """
        taken = min(gross * self.share // 100, self.owed)
        if not taken:
            return 0
        today = _local_day(account, now)
        monday = today - (weekday(today) + 6) % 7
        if monday > self.week:  # a clock set back does not open a new cap
            self.week = monday
            self.taken = 0
        if self.cap:
            taken = max(min(taken, self.cap * NANO_PER_MICRO - self.taken), 0)
        if taken:
            self.taken = min(self.taken + taken, MAX_OWED)  # as high as a cap can be
            self._post(account, DEBT_SHARE, reference, taken, now, trust)
        return taken

    def told(self, taken):
        """What the answer to a top-up says of the debt, `taken` (nano) of it; "" without one."""
        if not taken and not self.owed:
            return ""
        return "%d micro-units of it paid debt, %d are still owed" % (
            micro_of(taken),
            micro_of(self.owed),
        )

    def settle(self, account, trust):
        """After a boot: post the share of a top-up when the cut came between the two records."""
        if self.waiting:
            gross, reference, unix = self.waiting
            self.waiting = None
            self.take_share(account, gross, reference, unix, trust)

    def take_day(self, account, day, available, now):
        """Post the part of local date `day` in synced time, once, unless `available` (nano) is
        used up.

        Call it before the date's standing charge is posted, with what that will leave: a boot
        that finds this record and no standing charge visits the date again.
        """
        if day > self.day and self.owed and self.per_day and available > 0:
            taken = min(self.per_day * NANO_PER_MICRO, self.owed)
            before, self.day = self.day, day
            try:
                self._post(account, DEBT_DAY, date_key(day), taken, now, TRUST_SYNCED)
            except Exception:
                self.day = before
                raise

    def _post(self, account, reason, reference, taken, now, trust):
        owed = self.owed
        self.owed = owed - taken
        try:
            payload = pack_debt(reason, reference, self.pack())
            account.post(records.DEBT, -taken, payload, now, trust)
        except Exception:  # no heap: nothing is posted, and nothing paid
            self.owed = owed
            raise


def _local_day(account, unix):
    if account.tariff is None:
        return (unix - EPOCH_2000) // DAY_S if unix > EPOCH_2000 else 0
    return max(account.tariff.zone.local(unix)[0], 0)
