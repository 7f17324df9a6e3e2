"""Chips under test: simulated with sensors that are wrong, calibrated, and read to the register.

The whole chain is in a figure: the sensors' errors and what calibration leaves of them, the steps
of the chip's constants, its rounding, the driver, the register of whole Wh and its rest.
"""

from collections.abc import Callable
from typing import Any

from wattledger.agent.metering.register import EnergyRegister
from wattledger.hal.sample import CORRUPT, ENERGY_COUNTS, NO_ANSWER, PHASE_FIELDS, new_sample
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.loads import Load
from wattledger.tools.bench.rows import Row
from wattledger.tools.calibration import auto
from wattledger.tools.calibration.simulated import SimulatedBench

COUNTS_WANTED = 40_000  # a point lasts until so many: the count's own step is then 25 ppm
LEAST_S, MOST_S = 20, 4 * 3600
MOST_WATTS = 17_000


class Subject:
    """One chip on a calibrated board; `open_bench(name)` makes it with its sensors' errors."""

    def __init__(self, name: str, bench: SimulatedBench) -> None:
        self.name = name
        self._bench = bench
        self.constants = auto.calibrate(
            bench.build, bench.table, bench.load, bench.wait_ms, bench.nominal
        )
        self._driver = bench.build(self.constants)
        self.phases: int = self._driver.phases

    def error_ppm(self, load: Load, phases: tuple[int, ...] | None = None) -> float:
        """Error of the energy at a load on `phases` (all by default), ppm of the true energy."""
        used = tuple(range(self.phases)) if phases is None else phases
        voltage, current, power, reactive = load.at_terminals()
        chip = self._bench.chip
        chip.set_mains(load.frequency_mhz)
        for phase in range(self.phases):
            if phase in used:
                chip.set_phase(phase, voltage, current, power, reactive)
            else:
                chip.set_phase(phase, voltage, 0, 0, 0)
        seconds = self._seconds(power * len(used))
        found, true = self._run(seconds)
        if not true:
            raise BenchError("a load without power has no error")
        return (found - true) / true * 1e6

    def extra_rows(self) -> list[Row]:
        """Rows of influences that only this kind of chip has."""
        return []

    def creep_wh(self, voltage_mv: int, seconds: int) -> float:
        """Wh that are registered at a voltage without any current."""
        self._bench.chip.set_mains(50_000)
        for phase in range(self.phases):
            self._bench.chip.set_phase(phase, voltage_mv, 0, 0, 0)
        return self._run(seconds)[0]

    def _seconds(self, power_mw: int) -> int:
        driver = self._driver
        count_mws = 3_600_000 * driver.energy_numerator / driver.energy_denominator
        return min(max(int(COUNTS_WANTED * count_mws / power_mw), LEAST_S), MOST_S)

    def _run(self, seconds: int) -> tuple[float, float]:
        """(Wh registered, true Wh) of `seconds`, in ticks as long as the chip allows."""
        driver, chip = self._driver, self._bench.chip
        tick_ms = min(driver.overflow_ms(MOST_WATTS) // 2, 10_000)
        register = EnergyRegister(driver.energy_numerator, driver.energy_denominator, 1_000)
        sample = new_sample()
        self._read(sample)
        before = chip.true_import - chip.true_export
        passed = 0
        while passed < seconds * 1000:
            chip.feed(tick_ms)
            passed += tick_ms
            self._read(sample)
            for phase in range(self.phases):
                register.add(sample[phase * PHASE_FIELDS + ENERGY_COUNTS])
        unit = register.denominator
        found = register.import_wh - register.export_wh
        found += (register.import_rest - register.export_rest) / unit
        return found, (chip.true_import - chip.true_export - before) / 3_600_000_000

    def _read(self, sample: Any) -> None:
        if self._driver.read_into(sample) & (NO_ANSWER | CORRUPT):
            raise BenchError(f"the simulated {self.name} was refused")


class Replay:
    """A chip and its driver for a long run: `read(sample)`, `fetched()` counts handed on."""

    def __init__(self, name: str, chip: Any, driver: Any) -> None:
        self.name = name
        self.chip = chip
        self.driver = driver
        driver.begin()

    def read(self, sample: Any) -> int:
        """A fresh reading."""
        return int(self.driver.read_into(sample))

    def fetched(self) -> int:
        """Counts that were made and read."""
        return int(self.chip.total_counts(0) - self.chip.held_counts(0))


ATM90E32_GAINS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}


def atm90e32() -> Subject:
    """Three phases behind current transformers: 4 %, -6 %, and two degrees."""
    from wattledger.tools.calibration import atm90e32 as table

    nominal = [dict(ATM90E32_GAINS) for _ in range(3)]
    return Subject("ATM90E32", SimulatedBench(table, nominal, 40_000, -60_000, 2_000))


def atm90e32_replay() -> Replay:
    """One phase at the gains its board needs."""
    from wattledger.hal.meter.atm90e32 import Atm90e32
    from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip

    chip = Chip(**ATM90E32_GAINS)
    return Replay("ATM90E32", chip, Atm90e32(chip, chip.feed, [ATM90E32_GAINS]))


SUBJECTS: tuple[Callable[[], Subject], ...] = (atm90e32,)
REPLAYS: tuple[Callable[[], Replay], ...] = (atm90e32_replay,)
