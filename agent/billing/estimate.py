"""The estimate: what a meter that cannot measure charges for each whole day of that, and when it
gives it back.

A walk through the journal, a few records at a time, finds how long nothing has been measured with
the supply connected, what days like those have cost, and what was charged so already. All of it
is in the records, so a power cut changes nothing: the next walk finds the same.

A charge is given back when the first reading after the silence held the energy of all of it (the
chip had counted on and was believed): then that energy is charged as every other. Where the chip's
registers cannot hold so much (COUNTS_UNCERTAIN), only the share of what did come goes back: no
Wh is charged twice.
"""

from wattledger.agent import events
from wattledger.agent.billing.calendar import weekday
from wattledger.agent.billing.debt import MAX_OWED
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import walk
from wattledger.agent.supply.states import CONNECTED
from wattledger.agent.units import DAY_S, NANO_PER_MICRO
from wattledger.hal.sample import QUALITY_STALE

SLICE = 16  # records a step
WHOLE_DAY_S = 20 * 3600  # a day that was measured for less says little of its kind
WEEKS = 4  # of which the mean is taken


def is_silent(quality, moved):
    """True for an interval in which nothing was measured."""
    return quality >= QUALITY_STALE and not moved


class Estimate:
    """work() until it is done; then `silent_s` says how long nothing has been measured."""

    def __init__(self, storage, first_hash, account, after_s):
        self._walk = walk(storage, first_hash)
        self._account = account
        self._zone = account.tariff.zone
        self._after_s = after_s
        self._registers = None
        self._ended = 0
        self._connected = True
        self._days = [[] for _ in range(7)]  # (nano, Wh) of the last whole days, by weekday
        self._day = None  # [local day, seconds measured, nano, Wh]
        self.silent_s = 0
        self._since = 0  # when the silence began, unix seconds
        self._late = False  # since then a reading came that held all of it
        self._overflowed = False  # of which a part may be missing
        self._lost = False  # or the chip lost its counts, or they were not believed
        self._charged = 0  # days
        self._back = [0, 0, 0]  # nano of the balance, nano of the debt, Wh that may be given back
        self._due = None  # the same, once it is to be given back

    def work(self, now, trust):
        """Take the next records; True once it is done. OSError: storage cannot be read now."""
        for _ in range(SLICE):
            item = next(self._walk, None)
            if item is None:
                self._settle(now, trust)
                return True
            self._take(item[1])
        return False

    def _take(self, entry):
        kind = entry.kind
        if kind == records.INTERVAL:
            self._take_interval(entry)
        elif kind == records.OPENING:
            self._registers = readers.unpack_opening(entry.payload)[:2]
        elif kind == records.CHECKPOINT:
            checkpoint = checkpoints.unpack(entry.payload)
            self._registers = (checkpoint.import_wh, checkpoint.export_wh)
        elif kind == records.RELAY:
            self._connected = readers.unpack_relay(entry.payload)[0] == CONNECTED
        elif kind == records.ADJUST:
            self._take_adjustment(entry)
        elif kind == records.EVENT:
            code = readers.unpack_event(entry.payload)[0]
            if code == events.LATE_TICK:
                self._late = True
            elif code == events.COUNTS_UNCERTAIN:
                self._overflowed = True
            elif code in (events.ENERGY_REJECTED, events.CHIP_RESTARTED):
                self._lost = True

    def _take_adjustment(self, entry):
        reason, _, _, wh, diverted, _ = readers.unpack_adjust(entry.payload)
        if reason == payloads.ADJUST_ESTIMATE:
            self._charged += 1
            self._back[0] -= entry.amount
            self._back[1] += diverted
            self._back[2] += wh
        elif reason == payloads.ADJUST_REVERSAL:
            self._due = None

    def _take_interval(self, entry):
        interval = readers.unpack_interval(entry.payload)
        now = (interval.import_wh, interval.export_wh)
        before, self._registers = self._registers or now, now
        start = entry.time - interval.duration_s
        if interval.duration_s == payloads.LONG:
            start = self._ended
        self._ended = entry.time
        if is_silent(interval.quality, now != before):
            if self._connected:
                if not self.silent_s:
                    self._since = start
                    self._late = self._lost = self._overflowed = False
                self.silent_s += entry.time - start
            return
        if self._charged and self._late and not self._lost:
            self._due = self._share(now[0] - before[0])
        self.silent_s = self._charged = 0
        self._back = [0, 0, 0]
        self._count(start, entry.time - start, entry.amount, now[0] - before[0])

    def _share(self, came):
        """What of the estimate to give back for `came` Wh: [balance, debt, Wh]."""
        back = self._back
        if not self._overflowed or came >= back[2]:
            return back
        return [part * came // back[2] for part in back]

    def _count(self, start, seconds, amount, wh):
        days, _ = self._zone.local(start)
        if self._day is not None and self._day[0] != days:
            self._end_day()
        day = self._day = self._day or [days, 0, 0, 0]
        day[1] += seconds
        day[2] += amount
        day[3] += wh

    def _end_day(self):
        day, self._day = self._day, None
        if day is not None and day[1] >= WHOLE_DAY_S:
            like = self._days[weekday(day[0])]
            self._days[weekday(day[0])] = like[1 - WEEKS :] + [(-day[2], day[3])]

    def _settle(self, now, trust):
        account = self._account
        self._end_day()
        if self._due:
            self._give_back(now, trust)
        if self.silent_s >= self._after_s:
            while self._charged < self.silent_s // DAY_S:
                at = self._since + self._charged * DAY_S + DAY_S // 2
                like = self._days[weekday(self._zone.local(at)[0])]
                if not like:
                    like = [day for days in self._days for day in days]
                if not like:
                    break  # nothing to judge by
                self._charge(like, now, trust)
                self._charged += 1
        account.estimated = self._charged > 0

    def _charge(self, like, now, trust):
        account = self._account
        nano = max(sum([day[0] for day in like]) // len(like), 0)
        wh = sum([day[1] for day in like]) // len(like)
        available = account.available(account.start_import, account.start_export)
        # An estimate never causes a cut, which comes at 0.
        room = max(available - max(account.tariff.low[1], 1) * NANO_PER_MICRO, 0)
        diverted = max(nano - room, 0)
        amount = diverted - nano
        diverted = max(min(diverted, MAX_OWED - account.debt.owed), 0)
        self._post(payloads.ADJUST_ESTIMATE, amount, diverted, wh, now, trust)

    def _give_back(self, now, trust):
        nano, diverted, wh = self._due
        forgiven = min(diverted, self._account.debt.owed)
        self._post(payloads.ADJUST_REVERSAL, nano + diverted - forgiven, -forgiven, wh, now, trust)

    def _post(self, reason, amount, diverted, wh, now, trust):
        account = self._account
        tariff = account.tariff
        adjust = payloads.pack_adjust(
            reason, tariff.n, account.cycle.key(), wh, diverted, tariff.id
        )
        account.debt.owed += diverted
        account.post(records.ADJUST, amount, adjust, now, trust)
