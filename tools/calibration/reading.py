"""One reading, of the meter or of the reference beside it, and the sum of both."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
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
READ_MS = 1_000
# A serial chip is now and then asked for something else than a reading.
TRIES = 4
# Energy is timed from a count to a count: off by a look at most, or by a count if that is shorter.
LOOK_MS = 100
SHORTEST_MS = 60_000
SHARE = 4_000  # of that in the whole time: 250 ppm
LONGEST_WAIT_MS = 120_000  # for a count


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
        _read(driver, wait_ms, sample, READ_MS)
        if turn >= SAMPLES:  # by then every slow or delayed value is of this load
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


def counted(driver: Any, wait_ms: Callable[[int], None], phase: int) -> float:
    """Mean W by the energy that the chip counts on a phase over minutes. CalibrationError.

    It begins and ends with the look at which a count has come.
    """
    sample = new_sample()
    at = phase * PHASE_FIELDS + ENERGY_COUNTS
    count_ws = 3600 * driver.energy_numerator / driver.energy_denominator
    for _ in range(TRIES):  # what was counted before this load came
        _read(driver, wait_ms, sample, READ_MS)
    for _ in range(TRIES):  # the first looks of a serial chip are still of the long waits
        _read(driver, wait_ms, sample, LOOK_MS)
    _next_count(driver, wait_ms, sample, at)
    passed = counts = 0
    # As long as either of a look and a count takes, whichever is less, is too much of it.
    while passed < max(SHORTEST_MS, SHARE * min(LOOK_MS, passed / (abs(counts) or 1))):
        passed += _next_count(driver, wait_ms, sample, at)
        counts += sample[at]
    return counts * count_ws * 1000 / passed


def _next_count(driver: Any, wait_ms: Callable[[int], None], sample: Any, at: int) -> int:
    """Look until a count has come; the ms that passed. CalibrationError."""
    passed = 0
    while passed < LONGEST_WAIT_MS:
        passed += _read(driver, wait_ms, sample, LOOK_MS)
        if sample[at]:
            return passed
    raise CalibrationError(
        f"the chip counted no energy in {LONGEST_WAIT_MS // 1000} s: is the load on, and on this "
        "phase?"
    )


def _read(driver: Any, wait_ms: Callable[[int], None], sample: Any, ms: int) -> int:
    """Wait and read; the ms that passed. CalibrationError."""
    for turn in range(1, TRIES + 1):
        wait_ms(ms)
        status = driver.read_into(sample)
        if status == OK:
            return turn * ms
        if status != NO_ANSWER or not getattr(driver, "delayed", False):
            break
    raise CalibrationError(
        f"the chip's reading failed (status {status}); check power and wiring to the chip"
    )
