"""Chips under test: simulated with sensors that are wrong, calibrated, and read to the register.

The whole chain is in a figure: the sensors' errors and what calibration leaves of them, the steps
of the chip's constants, its rounding, the driver, the register of whole Wh and its rest.
"""

from collections.abc import Callable
from typing import Any

from wattledger.agent.metering.register import EnergyRegister
from wattledger.tools.bench import loads
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.loads import Load
from wattledger.tools.bench.reader import Reader
from wattledger.tools.calibration import auto, chips
from wattledger.tools.calibration.simulated import SimulatedBench

COUNTS_WANTED = 40_000  # a point lasts until so many: the count's own step is then 25 ppm
LEAST_TICKS = 20
TICK_MS = 600_000  # of a replay, or as long as a chip allows
MOST_WATTS = 17_000
ATM90E32_GAINS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}


class Subject:
    """One chip on a board that was calibrated against its sensors' errors."""

    def __init__(
        self,
        name: str,
        chip: str,
        nominal: list[dict[str, int]],
        errors: tuple[int, int, int],
        imax_ma: int = loads.IMAX_MA,
        is_calibrated: bool = True,
    ) -> None:
        """`errors` of the sensors: ppm of voltage, of current, 1/1000 degree of lag."""
        self.name = name
        self.imax_ma = imax_ma
        table = chips.load(chip)
        self.is_direct = hasattr(table, "DIRECT")
        self._bench = SimulatedBench(table, nominal, *errors)
        self.constants = nominal
        if is_calibrated:
            bench = self._bench
            self.constants = auto.calibrate(
                bench.build, table, bench.load, bench.wait_ms, nominal, bench.options
            )
        self._reader = Reader(name, self._bench, self.constants)
        self.phases: int = self._reader.driver.phases

    def error_ppm(
        self,
        load: Load,
        phases: tuple[int, ...] | None = None,
        is_interrupted: bool = False,
        is_reversed: bool = False,
        counts: int = COUNTS_WANTED,
    ) -> float:
        """Error of the energy at a load on `phases` (all by default), ppm of the true energy.

        `is_interrupted` takes the voltage off the others, `is_reversed` turns the phases' order.
        """
        used = tuple(range(self.phases)) if phases is None else phases
        voltage, current, power, reactive = load.at_terminals()
        chip = self._bench.chip
        chip.set_mains(load.frequency_mhz)
        if self.phases == 3:
            chip.set_sequence(is_reversed)
        for phase in range(self.phases):
            if phase in used:
                chip.set_phase(phase, voltage, current, power, reactive)
            else:
                chip.set_phase(phase, 0 if is_interrupted else voltage, 0, 0, 0)
        driver = self._reader.driver
        count_mws = 3_600_000_000 * driver.energy_numerator // driver.energy_denominator
        found, true = self._run(counts * count_mws // (power * len(used)))
        if not true:
            raise BenchError("a load without power has no error")
        return (found - true) / true * 1e6

    def creep_wh(self, voltage_mv: int, seconds: int) -> float:
        """Wh that are registered at a voltage without any current."""
        self._bench.chip.set_mains(50_000)
        for phase in range(self.phases):
            self._bench.chip.set_phase(phase, voltage_mv, 0, 0, 0)
        return self._run(seconds * 1000)[0]

    def _run(self, ms: int) -> tuple[float, float]:
        """(Wh registered, true Wh) of at least `ms`."""
        driver, chip = self._reader.driver, self._bench.chip
        tick_ms = min(driver.overflow_ms(MOST_WATTS) // 2, max(ms // LEAST_TICKS, 1000))
        register = EnergyRegister(driver.energy_numerator, driver.energy_denominator, 1_000)
        self._reader.after(0)
        before = chip.true_import - chip.true_export
        for _ in range(-(-ms // tick_ms)):
            for counts in self._reader.after(tick_ms):
                register.add(counts)
        unit = register.denominator
        found = register.import_wh - register.export_wh
        found += (register.import_rest - register.export_rest) / unit
        return found, (chip.true_import - chip.true_export - before) / 3_600_000_000


def _subject(*given: Any) -> Callable[[], Subject]:
    return lambda: Subject(*given)


# A transformer is out by a degree or two and more; a shunt by what its inductance makes of it.
SUBJECTS = (
    _subject("ATM90E32", "atm90e32", [dict(ATM90E32_GAINS)] * 3, (40_000, -60_000, 2_000)),
    _subject("ADE7953", "ade7953", [{}], (30_000, -50_000, 500)),
    _subject("BL0942", "bl0942", [{}], (50_000, -50_000, 50), 40_000),
    _subject("BL0942 at 0.1 degree", "bl0942", [{}], (-50_000, 50_000, 100), 40_000),
    _subject("CSE7766", "cse7766", [{}], (30_000, -40_000, 50), 16_000),
    _subject("PZEM-004T", "pzem004t", [{}], (10_000, -10_000, 100)),
    _subject("INA228", "ina228", [{}], (0, -40_000, 0)),
)


class Replay(Reader):
    """A chip and its driver for a long run at a load that its counters bear."""

    def __init__(
        self,
        name: str,
        chip: str,
        gains: dict[str, int],
        voltage_mv: int = loads.NOMINAL_MV,
        watts: int = 13_801,
        total: Callable[[Any], int] | None = None,
    ) -> None:
        """`watts` share no factor with a count."""
        bench = SimulatedBench(chips.load(chip), [gains])
        super().__init__(name, bench, [gains], total)
        self.tick_ms = min(self.driver.overflow_ms(watts) * 9 // 10, TICK_MS)
        self.chip.set_phase(0, voltage_mv, watts * 1_000_000 // voltage_mv, watts * 1000)


def _replay(*given: Any, **more: Any) -> Callable[[], Replay]:
    return lambda: Replay(*given, **more)


REPLAYS = (
    _replay("ATM90E32", "atm90e32", ATM90E32_GAINS),
    # A count of these drivers is 64 and 1125 of their chips'.
    _replay("ADE7953", "ade7953", {}, total=lambda chip: chip.total_counts(0) // 64),
    _replay("BL0942", "bl0942", {}),
    _replay("CSE7766", "cse7766", {}),
    _replay("PZEM-004T", "pzem004t", {}),
    _replay("INA228", "ina228", {}, loads.DIRECT_MV, 9_601, lambda chip: chip.made()[0] // 1125),
)
