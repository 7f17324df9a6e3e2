"""Power quality: which conditions of the mains a reading shows now. Integers; nothing allocated.

Limits: EN 50160 (+-10 %, 50 Hz +-1 %), IEC 61000-4-30 (hysteresis of 2 %); docs/
tamper-and-quality.md has each.
"""

from wattledger.agent.metering.conditions import (
    FREQUENCY,
    HIGH_VOLTAGE,
    LOW_VOLTAGE,
    PHASE_LOSS,
    SAG,
    SATURATED,
    SEQUENCE,
    SWELL,
)
from wattledger.hal.sample import (
    FLAG_PHASE_LOSS,
    FLAG_SAG,
    FLAG_SATURATED,
    FLAG_SEQUENCE,
    FLAGS,
    FREQUENCY_MHZ,
    PHASE_FIELDS,
    VOLTAGE_MV,
)


class PowerQuality:
    """`levels` are those of quality_settings.py from `LEVELS` on."""

    def __init__(self, config, phases, levels):
        percent_mv = config.nominal_volts * 10
        self._phases = phases
        self._swell = config.over_percent * percent_mv
        self._sag = config.under_percent * percent_mv
        self._high = levels[3] * percent_mv
        self._low = levels[4] * percent_mv
        self._loss = levels[5] * percent_mv
        self._back = levels[6] * percent_mv
        self._hz = levels[12] * 1000
        self._off_hz = levels[12] * levels[13]

    def judge(self, sample, active):
        """The bits that hold in a good reading; one of `active` needs a clear way back."""
        flags = sample[FLAGS]
        found = 0
        phase = 0
        back = self._back
        while phase < self._phases:
            voltage = sample[phase * PHASE_FIELDS + VOLTAGE_MV]
            if (
                voltage < self._loss + (back if active & PHASE_LOSS << phase else 0)
                or flags & FLAG_PHASE_LOSS << phase
            ):
                found |= PHASE_LOSS << phase  # which is neither low nor a sag besides
            else:
                if voltage < self._low + (back if active & LOW_VOLTAGE << phase else 0):
                    found |= LOW_VOLTAGE << phase
                if (
                    voltage < self._sag + (back if active & SAG << phase else 0)
                    or flags & FLAG_SAG << phase
                ):
                    found |= SAG << phase
            if voltage > self._high - (back if active & HIGH_VOLTAGE << phase else 0):
                found |= HIGH_VOLTAGE << phase
            if voltage > self._swell - (back if active & SWELL << phase else 0):
                found |= SWELL << phase
            phase += 1
        if flags & FLAG_SEQUENCE:
            found |= SEQUENCE
        if flags & FLAG_SATURATED:
            found |= SATURATED
        frequency = sample[FREQUENCY_MHZ]
        if frequency and abs(frequency - self._hz) > self._off_hz:  # 0: the chip gives none
            found |= FREQUENCY
        return found
