"""A simulated chip that is read until a reading is of now: what an accuracy bench stands on."""

from collections.abc import Callable
from typing import Any

from wattledger.hal.sample import (
    CORRUPT,
    ENERGY_COUNTS,
    NO_ANSWER,
    PHASE_FIELDS,
    RESTARTED,
    new_sample,
)
from wattledger.tools.bench.device import BenchError
from wattledger.tools.calibration.simulated import SimulatedBench

# A serial chip's answer is to the reading before; a far jump waits for one more that agrees.
READINGS = 3
MORE = 4  # now and then one asks for something else than energy


class Reader:
    """Driver and chip of a bench; `total(chip)` is the driver's counts that the chip ever made."""

    def __init__(
        self,
        name: str,
        bench: SimulatedBench,
        constants: list[dict[str, int]],
        total: Callable[[Any], int] | None = None,
    ) -> None:
        self.name = name
        self.chip = bench.chip
        self.driver = bench.build(constants)
        self.restarts = 0
        self._wait_ms = bench.wait_ms
        self._total = total
        asks = getattr(self.driver, "delayed", False) and not hasattr(self.chip, "push")
        self._readings = READINGS if asks else 1
        self._sample = new_sample()

    def total(self) -> int:
        """Counts of the first phase that were ever made; all are read after `after()`."""
        return int(self._total(self.chip) if self._total else self.chip.total_counts(0))

    def after(self, ms: int) -> list[int]:
        """Counts of each phase of the `ms` that pass now. BenchError when they cannot be had."""
        self._wait_ms(ms)
        phases = self.driver.phases
        counts = [0] * phases
        for turn in range(self._readings + MORE):
            status = self.driver.read_into(self._sample)
            if status & RESTARTED:
                self.restarts += 1
            if not status & (NO_ANSWER | CORRUPT):
                for phase in range(phases):
                    counts[phase] += self._sample[phase * PHASE_FIELDS + ENERGY_COUNTS]
                if turn + 1 >= self._readings:
                    return counts
            elif self._readings == 1:
                break
        raise BenchError(f"the simulated {self.name} was refused")
