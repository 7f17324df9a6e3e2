"""Tamper: what a reading, the meter's switches and its relay show now. Nothing allocated.

Proposed limits and their sources: docs/tamper-and-quality.md.
"""

from wattledger.agent.metering.conditions import (
    BYPASS,
    COVER,
    FROZEN,
    IMBALANCE,
    MAGNET,
    NO_POTENTIAL,
    REVERSE,
)
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    NEUTRAL_MA,
    PHASE_FIELDS,
    POWER_MW,
    VOLTAGE_MV,
    field_bit,
)

INPUT_COVER = 1  # bits of TamperInputs.read()
INPUT_MAGNET = 2


class Tamper:
    """`inputs` may be None; `is_open()` says that the relay is open, as far as it can tell."""

    def __init__(self, config, meter, levels, inputs, is_open):
        self._meter = meter
        self._inputs = inputs
        self._is_open = is_open
        self._export = config.export_expected
        self._reverse = -levels[0] * config.max_amps * config.max_volts
        self._potential = levels[1] * config.nominal_volts * 10
        self._potential_ma = levels[2]
        self._imbalance_ma = levels[7]
        self._imbalance_percent = levels[8]
        self._frozen_mw = levels[9] * 1000
        self._readings = levels[10]
        self._bypass_mw = levels[11] * 1000
        # A neutral carries the current of one phase only where there is one.
        self._neutral = meter.phases == 1 and meter.gives & field_bit(NEUTRAL_MA)
        self._wh = self._rest = -1  # the registers at the look before
        self._same = 0  # readings in a row of which nothing differed
        self._last = 0

    def judge(self, sample, active):
        """The bits that hold in a good reading; one of `active` needs a clear way back."""
        found = 0
        phase = at = 0
        while phase < self._meter.phases:
            if not self._export and sample[at + POWER_MW] < (
                self._reverse // 2 if active & REVERSE << phase else self._reverse
            ):
                found |= REVERSE << phase
            if (
                sample[at + VOLTAGE_MV] < self._potential
                and sample[at + CURRENT_MA] > self._potential_ma
            ):
                found |= NO_POTENTIAL << phase
            phase += 1
            at += PHASE_FIELDS
        if self._neutral and self.differ(sample[CURRENT_MA], sample[NEUTRAL_MA]):
            found |= IMBALANCE
        power = abs(self._meter.power_mw())
        if self._stands(sample, power):
            found |= FROZEN
        if power > self._bypass_mw and self._is_open():
            found |= BYPASS
        if self._inputs is not None:
            inputs = self._inputs.read()
            if inputs & INPUT_COVER:
                found |= COVER
            if inputs & INPUT_MAGNET:
                found |= MAGNET
        return found

    def differ(self, phase_ma, neutral_ma):
        """True when phase and neutral lie further apart than an honest pair does."""
        apart = abs(phase_ma - neutral_ma)
        return (
            apart > self._imbalance_ma
            and apart > max(phase_ma, neutral_ma) // 100 * self._imbalance_percent
        )

    def _stands(self, sample, power):
        """True while the energy does not move under load, or nothing at all changes."""
        register = self._meter.register
        wh = register.import_wh + register.export_wh
        rest = register.import_rest + register.export_rest
        stands = wh == self._wh and rest == self._rest
        self._wh, self._rest = wh, rest
        if power <= self._frozen_mw:
            self._same = 0
            return False
        if self._readings:
            # The last digit of one of these moves in any real house.
            trace = (
                sample[VOLTAGE_MV]
                ^ sample[CURRENT_MA] << 7
                ^ sample[POWER_MW]
                ^ sample[ENERGY_COUNTS] << 3
            )
            self._same = min(self._same + 1, self._readings) if trace == self._last else 0
            self._last = trace
            if self._same >= self._readings:
                return True
        return stands
