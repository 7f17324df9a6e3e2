"""The meter's own limits: voltage and temperature for safety, the load, and its balance over the
phases.

They look at good readings only: a silent chip moves nothing. Times are powered seconds.
"""

from wattledger.agent import events
from wattledger.agent.supply import rules
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.sample import (
    PHASE_FIELDS,
    POWER_MW,
    QUALITY_OK,
    TEMPERATURE_DC,
    VOLTAGE_MV,
)

STABLE_S = 180  # safe for so long before the supply is ready again
CALM_S = 3600  # connected for so long, and the overloads are forgotten


class Limits:
    """Puts `safety` and `load limit` into the reasons and takes them out."""

    def __init__(self, config, meter, supply, time, report):
        self._meter = meter
        self._supply = supply
        self._time = time
        self._report = report
        self._over_mv = config.nominal_volts * config.over_percent * 10
        self._max_dc = config.max_celsius * 10
        self._safety_s = config.safety_s
        self.unbalance_limit_w = 0  # 0: none; a token sets it
        self.take_config(config)
        self._unsafe_since = None
        self._safe_since = None
        self._over_since = None

    def take_config(self, config):
        """Take what can change in the field."""
        self._overload_s = config.load_limit_s
        self._reclose_s = config.load_reclose_s
        self.set_load_limit(config.load_limit_w)

    def set_load_limit(self, watts):
        """The load limit from now on, W; 0 for none. Whoever sets it keeps it over reboots."""
        self.load_limit_w = watts
        self._over_since = None

    def judge(self):
        """Once a tick."""
        meter = self._meter
        if meter.missed or not meter.answered or meter.quality != QUALITY_OK:
            return
        now = self._time.powered_s
        sample = meter.sample
        highest = sample[VOLTAGE_MV]
        least = most = sample[POWER_MW]
        for phase in range(1, meter.phases):
            at = phase * PHASE_FIELDS
            highest = max(highest, sample[at + VOLTAGE_MV])
            least = min(least, sample[at + POWER_MW])
            most = max(most, sample[at + POWER_MW])
        self._judge_safety(now, highest, sample[TEMPERATURE_DC])
        self._judge_load(now, meter.power_mw() // 1000, (most - least) // 1000)

    def _judge_safety(self, now, highest, temperature):
        if highest > self._over_mv or temperature > self._max_dc:
            self._safe_since = None
            if self._unsafe_since is None:
                self._unsafe_since = now
            if now - self._unsafe_since >= self._safety_s:
                self._cut_for_safety(highest, temperature)
            return
        self._unsafe_since = None
        if self._safe_since is None:
            self._safe_since = now
        if self._supply.reasons & rules.SAFETY and now - self._safe_since >= STABLE_S:
            self._supply.hold_open(rules.SAFETY, False)

    def _cut_for_safety(self, highest, temperature):
        if not self._supply.hold_open(rules.SAFETY, True):
            return
        if highest > self._over_mv:
            self._report(events.OVER_VOLTAGE, highest)
        else:
            self._report(events.OVER_TEMPERATURE, temperature)

    def _judge_load(self, now, watts, apart):
        supply = self._supply
        if supply.state != CONNECTED:
            self._over_since = None
            if supply.reasons & rules.LOAD_LIMIT and now - supply.last_move_s >= self._reclose_s:
                supply.hold_open(rules.LOAD_LIMIT, False)
            return
        unbalanced = 0 < self.unbalance_limit_w < apart
        if not unbalanced and (not self.load_limit_w or watts <= self.load_limit_w):
            self._over_since = None
            if supply.load_tries and now - (supply.last_move_s or 0) >= CALM_S:
                supply.load_tries = 0
            return
        if self._over_since is None:
            self._over_since = now
        if now - self._over_since >= self._overload_s:
            supply.hold_open(rules.LOAD_LIMIT, True)
            if unbalanced:
                self._report(events.PHASE_UNBALANCE, apart)
            else:
                self._report(events.OVERLOAD, watts)
