"""Statements: why the balance moved in a period, line by line, out of the journal's records.

Records are taken one at a time and days are handed on as they end, so memory does not grow with
the period. Opening balance and lines add up to the closing balance exactly. Money is nano-units,
energy whole Wh.

A record belongs where it was posted: an interval to the second before its end, everything else to
its time. Once a period has begun every record is its own until the first that lies at or after its
end, so that periods meet without a gap or an overlap even where a clock was set back.
"""

from wattledger.agent import events
from wattledger.agent.billing.totals import Totals
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules, states
from wattledger.agent.timekeeping import STEP_S
from wattledger.hal.sample import TRUST_SYNCED


class Reader:
    """What a Statement tells as it goes; override what is wanted."""

    def day(self, totals):
        """A local day that has records has ended (Totals)."""

    def posting(self, entry, reference):
        """A record that moved the balance and is no interval; `reference` is its purchase number
        or, as yyyymmdd, its date or the first of its billing cycle; 0 without one."""

    def cut(self, cut):
        """The supply was off in the period (Cut)."""

    def gap(self, start, end, restarted):
        """No interval covers these unix seconds: the meter was off, or its clock was set."""

    def event(self, entry, code, value):
        """An event (agent/events.py)."""


class Cut:
    """The supply from its opening to its closing; `closed` is None while it is still off."""

    def __init__(self, entry, reasons, cause, exhausted):
        self.sequence = entry.sequence
        self.opened = entry.time
        self.balance = entry.balance
        self.reasons = reasons
        self.cause = cause
        self.exhausted = exhausted  # (unix, available in micro-units) or None
        self.closed = None
        self.openings = 1  # more when the relay was told again


class Statement:
    """The period from `start` to before `until` (unix seconds, None: open) in the days of `zone`.

    `period` is its Totals; `versions` maps the n of each tariff billed to the document's SHA-256.
    """

    def __init__(self, zone, start, until, reader):
        self._zone = zone
        self._start = start
        self._until = until
        self._reader = reader
        self.period = None
        self.versions = {}
        self.first = None  # sequence of the period's first record
        self.last = None
        self.over = False
        self._day = None
        self._balance = None  # after the record before
        self._registers = (0, 0)
        self._digest = checkpoints.NO_TARIFF
        self._ended = None  # when the last interval ended
        self._restarted = False
        self._cut = None
        self._exhausted = None

    def take(self, entry):
        """Take the next record of the journal; True when it is one of the period.

        RecordError: its payload is not one of its kind.
        """
        interval = None
        moment = entry.time
        if entry.kind == records.INTERVAL:
            interval = readers.unpack_interval(entry.payload)
            if interval.duration_s:
                moment -= 1
        if self._until is not None and moment >= self._until:
            self.over = True
        if self.over:
            return False
        before = entry.balance - entry.amount
        known = before if self._balance is None else self._balance
        self._balance = entry.balance
        if self.period is None and (self._start is None or moment >= self._start):
            self.period = Totals(None, known)
            self.first = entry.sequence
        if self.period is not None:
            self.last = entry.sequence
            self._turn_day(moment, known)
            for totals in (self.period, self._day):
                totals.closing = entry.balance
                totals.lost += before - known
        if interval is not None:
            self._take_interval(entry, interval)
        else:
            self._take_other(entry)
        return self.period is not None

    def finish(self):
        """The Totals of the period; tells the day and the cut that are still open."""
        if self.period is None:
            self.period = Totals(None, self._balance or 0)
        if self._day is not None:
            self._reader.day(self._day)
            self._day = None
        self._tell_cut()
        return self.period

    def _turn_day(self, moment, balance):
        days, _ = self._zone.local(moment)
        if self._day is not None and days > self._day.day:
            self._reader.day(self._day)
            self._day = None
        if self._day is None:
            self._day = Totals(days, balance)

    def _take_interval(self, entry, interval):
        now = (interval.import_wh, interval.export_wh)
        import_wh = now[0] - self._registers[0]
        export_wh = now[1] - self._registers[1]
        self._registers = now
        start = entry.time - interval.duration_s
        ended, self._ended = self._ended, entry.time
        if interval.tariff_n:
            self.versions[interval.tariff_n] = self._digest
        if self.period is None:
            self.versions = {}
        else:
            if ended is not None and start - ended > STEP_S:
                self._reader.gap(ended, start, self._restarted)
            for totals in (self.period, self._day):
                totals.take_interval(interval, import_wh, export_wh)
        if entry.trust == TRUST_SYNCED:
            self._restarted = False

    def _take_other(self, entry):
        reference = 0
        if entry.kind == records.OPENING:
            found = readers.unpack_opening(entry.payload)
            self._registers = (found[0], found[1])
        elif entry.kind == records.CHECKPOINT:
            checkpoint = checkpoints.unpack(entry.payload)
            self._registers = (checkpoint.import_wh, checkpoint.export_wh)
            self._digest = checkpoint.tariff
        elif entry.kind == records.TARIFF:
            self._digest = readers.unpack_tariff(entry.payload)[1]
        elif entry.kind in (records.CREDIT, records.REFUND):
            reference = readers.unpack_credit(entry.payload)[0]
        elif entry.kind == records.TOKEN:
            reference = readers.unpack_token(entry.payload)[2]
        elif entry.kind == records.STANDING:
            reference = readers.unpack_standing(entry.payload)[0]
        elif entry.kind == records.DEMAND:
            reference = cycle_payload.unpack_demand(entry.payload)[0]
        elif entry.kind == records.MINIMUM:
            reference = cycle_payload.unpack_minimum(entry.payload)[0]
        elif entry.kind == records.ADJUST:
            reference = readers.unpack_adjust(entry.payload)[2]
        elif entry.kind == records.DEBT:
            reason, reference, _ = readers.unpack_debt(entry.payload)
            reference = reference if reason == payloads.DEBT_SHARE else 0
        elif entry.kind == records.RELAY:
            self._take_movement(entry)
        elif entry.kind == records.EVENT:
            self._take_event(entry)
        if entry.amount > 0:
            self._exhausted = None
        # An adjustment that all went to the debt moves nothing and is told all the same.
        if self.period is not None and (entry.amount or entry.kind == records.ADJUST):
            for totals in (self.period, self._day):
                totals.take_posting(entry)
            self._reader.posting(entry, reference)

    def _take_event(self, entry):
        code, value = readers.unpack_event(entry.payload)
        if code == events.STARTED:
            self._restarted = True
        elif code == events.CREDIT_EXHAUSTED:
            self._exhausted = (entry.time, value)
        if self.period is not None:
            self._reader.event(entry, code, value)

    def _take_movement(self, entry):
        operation, reasons, cause, _ = readers.unpack_relay(entry.payload)
        if operation == states.CONNECTED:
            if self._cut is not None:
                self._cut.closed = entry.time
        elif cause == rules.BY_WITHDRAWAL:
            if self._cut is not None:
                self._cut.closed = None  # the closing before this record was not done
        elif self._cut is not None and self._cut.closed is None:
            self._cut.openings += 1
        else:
            self._tell_cut()
            self._cut = Cut(entry, reasons, cause, self._exhausted)

    def _tell_cut(self):
        """A cut is told once no later record can change it, and when it touches the period."""
        cut, self._cut = self._cut, None
        if cut is None or self.period is None:
            return
        if cut.closed is None or self._start is None or cut.closed >= self._start:
            self._reader.cut(cut)
