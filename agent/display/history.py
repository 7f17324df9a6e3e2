"""What the charts show: the energy and money of hours, days or months, out of the journal.

Records are read one at a time and a bucket that has ended is text at once, so memory does not
grow with the span but by its text. A record belongs where a statement puts it: an interval to the
second before its end, everything else to its own time, and never to a bucket before the last one.
Energy is Wh; money is nano-units as they move the balance.
"""

from wattledger.agent.billing.calendar import EPOCH_2000, civil, day_number
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import checkpoint_at, segments, walk
from wattledger.agent.units import DAY_S

HOUR_S = 3600
EXACT = 1 << 53
MONTHS_BACK = 23  # with the present one two years
SPANS = ("day", "week", "month", "year", "long")
UNITS = {"day": "hour", "week": "day", "month": "day", "year": "month", "long": "day"}
# Charged for energy and its supply, beside intervals and standing charges. Debts are not.
OTHER = (records.DEMAND, records.MINIMUM, records.ADJUST)


def _month_before(day, months):
    """The first day of the month that is `months` before that of `day`."""
    year, month, _ = civil(day)
    months = year * 12 + month - 1 - months
    return day_number(months // 12, months % 12 + 1, 1)


def periods(span, today):
    """(first day of the period before, first day of the present one), days since 2000-01-01."""
    if span == "day":
        return today - 1, today
    if span == "week":
        return today - 13, today - 6
    if span == "month":
        return _month_before(today, 1), _month_before(today, 0)
    return _month_before(today, MONTHS_BACK), _month_before(today, MONTHS_BACK // 2)


def _number(value):
    """An integer in JSON; beyond what a browser reads exactly, as a text of digits."""
    return "%d" % value if -EXACT < value < EXACT else '"%d"' % value


class History:
    """One `span` at `now` (unix s) in the days of `zone`; work() until it returns True, then text.

    `storage` and `first_hash` are the journal's. OSError: it cannot be read now.
    """

    def __init__(self, storage, first_hash, zone, span, now):
        self._storage = storage
        self._first_hash = first_hash
        self._zone = zone
        self.span = span
        self._unit = UNITS[span]
        self._today = zone.local(now)[0]
        before, present = periods(span, self._today)
        self._first = before * DAY_S
        self._split = present * DAY_S
        self._since = zone.first_instant(before)
        self._left = segments(storage)  # to be looked at for the one to begin with, from the end
        self._walk = None
        self._registers = None  # those of the last interval; a reading begins where they stand
        self._bucket = None  # local seconds since 2000 of its start
        self._sums = [0] * 6
        self._rows = []
        self.until = None  # unix s up to which intervals are counted
        self.month = [0, 0]  # Wh imported and nano moved in the present calendar month

    def work(self):
        """One record, or one look for where to begin; True when all is read."""
        if self._walk is None:
            self._find_entrance()
            return False
        for _, entry in self._walk:
            try:
                self._take(entry)
            except RecordError:
                pass  # what reads the whole record says so
            return False
        self._turn(None)
        return True

    def _find_entrance(self):
        start = 0
        if self._left:
            start = self._left.pop()
            opening = checkpoint_at(self._storage, start)
            if self._left and (opening is None or opening[0].time > self._since):
                return
        self._walk = walk(self._storage, self._first_hash, start)

    def _take(self, entry):
        interval = None
        moment = entry.time
        if entry.kind == records.INTERVAL:
            interval = readers.unpack_interval(entry.payload)
            if interval.duration_s:
                moment -= 1
        elif entry.kind == records.OPENING:
            self._registers = readers.unpack_opening(entry.payload)[:2]
        elif entry.kind == records.CHECKPOINT and self._registers is None:
            from wattledger.agent.journal import checkpoint as checkpoints  # one a reading

            found = checkpoints.unpack(entry.payload)
            self._registers = (found.import_wh, found.export_wh)
        key = self._key(moment)
        if self._bucket is None or key > self._bucket:
            self._turn(key)
        sums = self._sums
        if interval is not None:
            now = (interval.import_wh, interval.export_wh)
            for at in (0, 1):
                sums[at] += now[at] - (self._registers or now)[at]
            self._registers = now
            for part in interval.parts:
                sums[3 if part.band & payloads.EXPORT else 2] += part.amount()
            self.until = entry.time
        elif entry.kind == records.STANDING:
            sums[4] += entry.amount
        elif entry.kind in OTHER:
            sums[5] += entry.amount

    def _key(self, moment):
        """The start of the bucket that holds `moment`, local seconds since 2000."""
        day, second = self._zone.local(moment)
        if self._unit == "hour":
            return day * DAY_S + second // HOUR_S * HOUR_S
        if self._unit == "month":
            day = _month_before(day, 0)
        return day * DAY_S

    def _turn(self, key):
        """End the bucket, as a row if it lies in the span, and begin that of `key`."""
        if self._bucket is not None and self._bucket >= self._first and any(self._sums):
            row = [self._bucket + EPOCH_2000] + self._sums
            self._rows.append("[%s]" % ",".join([_number(value) for value in row]))
            if self._bucket >= _month_before(self._today, 0) * DAY_S:
                self.month[0] += self._sums[0]
                self.month[1] += sum(self._sums[2:])
        self._bucket = key
        self._sums = [0] * 6

    def text(self, forecast):
        """The answer as JSON; `forecast` is (Wh, nano) of the whole month, or None.

        `rows` are [local start, import Wh, export Wh, nano of import, of export, of standing
        charges, of everything else], a number of 2**53 or more as text. Local times are seconds
        since 1970 of the local clock; `split` is the one at which the present period begins.
        """
        rows, self._rows = self._rows, None
        return (
            '{"span":"%s","unit":"%s","until":%s,"from":%d,"split":%d,"forecast":%s,"rows":[%s]}'
            % (
                self.span,
                self._unit,
                "null" if self.until is None else "%d" % self.until,
                self._first + EPOCH_2000,
                self._split + EPOCH_2000,
                "[%s,%s]" % tuple([_number(one) for one in forecast]) if forecast else "null",
                ",".join(rows),
            )
        )
