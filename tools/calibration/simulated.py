"""A simulated chip with sensors that are wrong, loads, and a reference that is right."""

from typing import Any

from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.tools.calibration.auto import LOADS
from wattledger.tools.calibration.reading import Reading


class SimulatedBench:
    """A bench for one chip: build a driver on it, let time pass, set a load."""

    def __init__(
        self,
        chip: Any,
        nominal: list[dict[str, int]],
        voltage_ppm: int = 0,
        current_ppm: int = 0,
        angle_mdeg: int = 0,
    ) -> None:
        self.table = chip
        self.nominal = nominal
        self.chip = Chip(nominal[0]["voltage_gain"], nominal[0]["current_gain"])
        self.chip.set_mains(50_000)
        for phase in range(len(nominal)):
            self.chip.set_front_end(phase, voltage_ppm, current_ppm, angle_mdeg)

    def build(self, constants: list[dict[str, int]]) -> Any:
        """A driver with these constants, begun."""
        driver = self.table.DRIVER(self.chip, self.wait_ms, constants)
        driver.begin()
        return driver

    def wait_ms(self, ms: int) -> None:
        """Let time pass."""
        self.chip.feed(ms)

    def load(self, step: str, phase: int) -> Reading:
        """Put the load of a step on a phase; what a right reference shows."""
        load = LOADS[step]
        self.put(phase, load)
        return load

    def put(self, phase: int, load: Reading) -> None:
        """Put any load on a phase."""
        self.chip.set_phase(
            phase,
            round(load.volts * 1000),
            round(load.amps * 1000),
            round(load.watts * 1000),
            round(load.vars * 1000),
        )
