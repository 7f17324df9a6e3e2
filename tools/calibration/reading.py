"""One reading, of the meter or of the reference beside it, and the sum of both."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wattledger.hal.sample import (
    CURRENT_MA,
    FREQUENCY_MHZ,
    OK,
    PHASE_FIELDS,
    POWER_MW,
    REACTIVE_MVAR,
    VOLTAGE_MV,
    new_sample,
)
from wattledger.tools.errors import ToolError

SAMPLES = 10
NOISE = 0.005  # of the mean, between samples
MAINS_HZ = 50.0


class CalibrationError(ToolError):
    """A calibration that must not be believed; says what to look at."""


@dataclass(frozen=True)
class Reading:
    """Volts, amperes, watts, vars (lagging is positive), hertz."""

    volts: float
    amps: float
    watts: float
    vars: float = 0.0
    hertz: float = MAINS_HZ

    @property
    def factor(self) -> float:
        """Power factor, signed."""
        apparent = self.volts * self.amps
        return self.watts / apparent if apparent else 0.0


def mean(readings: Sequence[Reading], who: str) -> Reading:
    """The mean of several. CalibrationError when they differ too much to be of one load."""
    sums = [
        math.fsum(getattr(reading, name) for reading in readings) / len(readings)
        for name in Reading.__dataclass_fields__
    ]
    found = Reading(*sums)
    for name, what in (("volts", "V"), ("amps", "A"), ("watts", "W")):
        values = [getattr(reading, name) for reading in readings]
        spread = max(values) - min(values)
        if spread > max(2 * NOISE * abs(getattr(found, name)), 0.02):
            raise CalibrationError(
                f"{who} moved from {min(values):.3f} to {max(values):.3f} {what} within one step: "
                "too noisy to calibrate with; use a steady load, a heater and not a motor"
            )
    return found


def measure(driver: Any, wait_ms: Callable[[int], None], phase: int) -> Reading:
    """What the meter reads on a phase, over some seconds. CalibrationError."""
    sample = new_sample()
    found = []
    at = phase * PHASE_FIELDS
    for turn in range(2 * SAMPLES):
        wait_ms(1_000)
        status = driver.read_into(sample)
        if status != OK:
            raise CalibrationError(
                f"the chip's reading failed (status {status}); check power and wiring to the chip"
            )
        if turn >= SAMPLES:  # by then every slow value is of this load
            found.append(
                Reading(
                    sample[at + VOLTAGE_MV] / 1000,
                    sample[at + CURRENT_MA] / 1000,
                    sample[at + POWER_MW] / 1000,
                    sample[at + REACTIVE_MVAR] / 1000,
                    sample[FREQUENCY_MHZ] / 1000 or MAINS_HZ,
                )
            )
    return mean(found, "the meter")
