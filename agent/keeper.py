"""Keeping: when the journal is flushed and the hot state committed, and what a failure means.

Every 10 s or 10 Wh, whichever comes first and at least 1 s apart, and at once for what is urgent
(relay movements, closed intervals). Money is durable with its record alone: a boot applies the
records after the slot, so the slot may follow in the next step. What people are shown is what was
kept last.
"""

from wattledger.agent import events
from wattledger.agent.journal.slots import HotState
from wattledger.agent.units import ticks_between

LEAST_MS = 1000


class Keeper:
    """`failed` is the errno of storage that does not take writes, 0 when all is well."""

    def __init__(self, config, clock, meter, ledger, supply, time, report):
        self.take_config(config)
        self._every_wh = config.snapshot_wh
        self._clock = clock
        self._meter = meter
        self._ledger = ledger
        self._supply = supply
        self._time = time
        self._report = report
        self._at = clock.ticks_ms()
        self._at_wh = 0
        self.urgent = False  # something waits that must be durable now
        self.failed = 0
        self.control = None  # the supply control, which comes after
        self.acknowledged = 0  # the utility's cursor, kept with the rest
        # As of the last snapshot, for people: what is shown is what was kept.
        self.available = 0  # nano
        self.today_wh = 0
        self.today_nano = 0  # what the local day has moved on the balance, purchases apart
        self.purchases = []
        self.owed = 0  # nano

    def take_config(self, config):
        """Take what can change in the field."""
        self._every_ms = config.snapshot_s * 1000

    def work(self):
        """Flush and commit when it is time."""
        register = self._meter.register
        age = ticks_between(self._at, self._clock.ticks_ms())
        moved = register.import_wh + register.export_wh - self._at_wh
        due = age >= self._every_ms or (moved >= self._every_wh and age >= LEAST_MS)
        if due or (self.urgent and not (self.failed and age < LEAST_MS)):
            self._commit()

    def now(self):
        """Make what was just journalled durable; True when it is."""
        self.urgent = True
        self._commit()
        return not self.failed

    def money(self):
        """Make money that was just journalled durable; True when it is."""
        self.urgent = True
        try:
            self._ledger.flush(self._time.unix())
        except OSError as error:
            self._fail(error)
            return False
        self.failed = 0
        # The registers people see stay those of the last snapshot.
        kept, account = self._ledger.state, self._ledger.account
        self._show(
            max(kept.import_wh, account.start_import), max(kept.export_wh, account.start_export)
        )
        return True

    def _commit(self):
        register = self._meter.register
        self._at = self._clock.ticks_ms()
        self._at_wh = register.import_wh + register.export_wh
        try:
            self._ledger.keep(self._snapshot(), self._supply.closings, self._supply.moved_at)
        except OSError as error:
            self._fail(error)
            return
        self.failed = 0
        self.urgent = False
        self._show(register.import_wh, register.export_wh)

    def _fail(self, error):
        if not self.failed:
            self._report(events.STORAGE_FAILED, error.errno or 0)
        self.failed = error.errno or 1

    def _show(self, import_wh, export_wh):
        account = self._ledger.account
        self.available = account.available(import_wh, export_wh)
        self.today_wh = account.day_wh + import_wh - account.start_import
        self.today_nano = account.day_nano + self.available - self._ledger.journal.balance
        self.purchases = account.recent
        self.owed = account.debt.owed

    def _snapshot(self):
        register = self._meter.register
        account = self._ledger.account
        state = HotState()
        self.control.keep_in(state)
        state.alarms = account.watch.alarms
        state.powered_s = self._time.powered_s
        state.clock_budget_s = self._time.budget_s
        state.unix = self._time.unix()
        state.import_wh, state.import_rest = register.import_wh, register.import_rest
        state.export_wh, state.export_rest = register.export_wh, register.export_rest
        state.acknowledged = self.acknowledged
        state.start = account.start
        state.quality = self._meter.interval_quality
        state.trust = account.trust
        state.used_wh = account.used_wh
        state.cycle_day = account.block_day
        state.demand_w = account.cycle.demand_w
        state.window_wh = account.cycle.window_wh
        state.standing_day = account.standing_day
        return state
