"""Intervals: closed at every profile boundary and when the clock is set, then rated and posted.

Every boundary of a tariff lies on a quarter of an hour and a profile period divides one, so an
interval never spans two bands while the chip is read in time. One that does (a gap) keeps the band
of its start and is marked estimated.
"""

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.metering.quality import worse
from wattledger.agent.supply.states import CONNECTED
from wattledger.agent.timekeeping import STEP_S
from wattledger.agent.units import DAY_S, QUARTER_S
from wattledger.hal.sample import QUALITY_ESTIMATED, QUALITY_STALE, TRUST_SYNCED


class Intervals:
    """Opens and closes the account's interval by the meter's registers and the clock."""

    def __init__(self, config, clock, meter, ledger, keeper, supply, time):
        self._profile_s = config.profile_s
        self._clock = clock
        self._meter = meter
        self._ledger = ledger
        self._keeper = keeper
        self._supply = supply
        self._time = time
        self._estimate_s = config.estimate_h * 3600
        self._silent_s = 0  # without measurement, supply connected; since the boot or as found
        self._look_s = 0  # at so many the journal is looked through for what to charge
        self._estimate = None  # at work

    def recover(self, state):
        """After a boot: energy up to the snapshot belongs to the interval that was open then."""
        account = self._ledger.account
        if not self._ledger.missing and (self._has_moved() or state.unix > account.start):
            account.trust = state.trust
            account.look_up()
            self._post(state.unix, worse(state.quality, QUALITY_ESTIMATED))
        self._open(self._time.unix())
        self.take_time()

    def _has_moved(self):
        """True when the open interval has energy; it may have some in its first second."""
        register, account = self._meter.register, self._ledger.account
        return (
            register.import_wh != account.start_import
            or register.export_wh != account.start_export
        )

    def take_time(self):
        """Set the clock when a source offers a time worth taking; the open interval closes."""
        offered = self._time.offered()
        if offered is None:
            return
        now = self._time.unix()
        trust = self._time.trust()
        if now > self._ledger.account.start or self._has_moved():
            self._close(now)
        self._time.set(offered)
        if abs(offered - now) > STEP_S and not self._ledger.missing:
            self._ledger.journal.append(
                records.CLOCK, offered, TRUST_SYNCED, 0, payloads.pack_clock(now, offered, trust)
            )
        self._open(offered)

    def close_due(self):
        """Close at the last boundary that the meter has been read at or after."""
        metered = self._time.unix() - self._clock.elapsed_ms(self._meter.last_tick) // 1000
        boundary = metered // self._profile_s * self._profile_s
        if boundary > self._ledger.account.start:
            self._close(boundary)
            self._open(boundary)

    def _open(self, start):
        register = self._meter.register
        trust = self._time.trust()
        account = self._ledger.account
        if not self._ledger.missing:
            # Only a synced clock knows a boundary, and a tariff comes into force on one.
            if trust == TRUST_SYNCED and start % QUARTER_S == 0:
                self._ledger.turn(start, trust)
            account.charge_standing(start, trust)
        account.begin(start, register.import_wh, register.export_wh, trust)

    def _close(self, end):
        quality = self._meter.take_interval_quality()
        if end - self._ledger.account.start > self._profile_s:
            quality = worse(quality, QUALITY_ESTIMATED)
        if not self._ledger.missing:
            self._post(end, quality)

    def _post(self, end, quality):
        register = self._meter.register
        account = self._ledger.account
        moved = self._has_moved()
        seconds = max(end - account.start, 0)
        account.close(end, register.import_wh, register.export_wh, quality)
        self._keeper.urgent = True
        if quality < QUALITY_STALE or moved:
            self._silent_s = 0
            look = account.estimated
        else:
            if self._supply.state == CONNECTED:
                self._silent_s += seconds
            look = self._silent_s and self._silent_s >= self._look_s
        if look and account.tariff is not None:
            self._estimate = self._ledger.estimate(self._estimate_s)

    def work(self):
        """One slice of the estimate of what could not be measured, when there is one."""
        if self._estimate is None:
            return
        account = self._ledger.account
        register = self._meter.register
        before = self._ledger.journal.sequence
        try:
            done = self._estimate.work(self._time.unix(), self._time.trust())
        except OSError:
            return  # storage cannot be read now: go on later
        if done:
            if self._ledger.journal.sequence > before:
                available = account.available(register.import_wh, register.export_wh)
                account.watch.arm(account.tariff, available)
            silent_s = self._silent_s = self._estimate.silent_s
            self._look_s = max(self._estimate_s, (silent_s // DAY_S + 1) * DAY_S)
            self._estimate = None
            self._keeper.urgent = True
