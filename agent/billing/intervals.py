"""Intervals: closed at every profile boundary and when the clock is set, then rated and posted.

Every boundary of a tariff lies on a quarter of an hour and a profile period divides one, so an
interval never spans two bands while the chip is read in time. One that does (a gap) keeps the band
of its start and is marked estimated.
"""

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.metering.quality import worse
from wattledger.agent.timekeeping import STEP_S
from wattledger.agent.units import QUARTER_S
from wattledger.hal.sample import QUALITY_ESTIMATED, TRUST_SYNCED


class Intervals:
    """Opens and closes the account's interval by the meter's registers and the clock."""

    def __init__(self, config, clock, meter, ledger, keeper, time):
        self._profile_s = config.profile_s
        self._clock = clock
        self._meter = meter
        self._ledger = ledger
        self._keeper = keeper
        self._time = time

    def recover(self, state):
        """After a boot: energy up to the snapshot belongs to the interval that was open then."""
        account = self._ledger.account
        register = self._meter.register
        moved = (
            register.import_wh != account.start_import
            or register.export_wh != account.start_export
        )
        if not self._ledger.missing and (moved or state.unix > account.start):
            account.trust = state.trust
            account.look_up()
            self._post(state.unix, worse(state.quality, QUALITY_ESTIMATED))
        self._open(self._time.unix())
        self.take_time()

    def take_time(self):
        """Set the clock when a source offers a time worth taking; the open interval closes."""
        offered = self._time.offered()
        if offered is None:
            return
        now = self._time.unix()
        trust = self._time.trust()
        if now > self._ledger.account.start:
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
        self._ledger.account.close(end, register.import_wh, register.export_wh, quality)
        self._keeper.urgent = True
