"""Simulated chips with sensors that are wrong, loads, and a reference that is right."""

from collections.abc import Callable
from typing import Any

from wattledger.tools.calibration import auto
from wattledger.tools.calibration.reading import Reading

Wait = Callable[[int], None]
NEVER_MS = 1 << 40
SHUNT_UOHM = 625  # of the INA228's board, for 250 A
MAX_AMPS = 250


class SimulatedBench:
    """A bench for one chip: build a driver on it, let time pass, set a load."""

    def __init__(
        self,
        table: Any,
        nominal: list[dict[str, int]],
        voltage_ppm: int = 0,
        current_ppm: int = 0,
        angle_mdeg: int = 0,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.nominal = nominal
        self.options = options or {}
        self.chip, self._device, more = MAKERS[table.NAME](nominal, self.options)
        self._more = {**more, **self.options}
        self.chip.set_mains(50_000)
        for phase in range(len(nominal)):
            self.chip.set_front_end(phase, voltage_ppm, current_ppm, angle_mdeg)

    def build(self, constants: list[dict[str, int]]) -> Any:
        """A driver with these constants, begun."""
        driver = self.table.DRIVER(self._device, self.wait_ms, constants, **self._more)
        driver.begin()
        return driver

    def wait_ms(self, ms: int) -> None:
        """Let time pass."""
        self.chip.feed(ms)
        if hasattr(self.chip, "push"):
            # Two frames that agree are believed however far the counts went.
            self.chip.push()
            self.chip.push()

    def load(self, step: str, phase: int) -> Reading:
        """Put the load of a step on a phase; what a right reference shows."""
        load = auto.load_of(self.table, step)
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


# Each: (chip, device, what the driver takes beside the board's options).
Made = tuple[Any, Any, dict[str, Any]]


def _atm90e32(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.host_sim.chip.atm90e32 import Atm90e32

    chip = Atm90e32(nominal[0]["voltage_gain"], nominal[0]["current_gain"])
    return chip, chip, {}


def _ade7953(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.hal.meter.ade7953_i2c import Ade7953I2c
    from wattledger.host_sim.chip.ade7953 import Ade7953

    amps = options.get("amp_lsb", 100_000)
    chip = Ade7953(options.get("volt_lsb", 26_000), amps, amps)
    return chip, Ade7953I2c(chip), {"second": "phase" if len(nominal) == 2 else "neutral"}


def _bl0942(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.host_sim.chip.bl0942 import Bl0942

    parts = ("address", "shunt_uohm", "divider_low", "divider_high", "vref_uv")
    chip = Bl0942(**{name: options[name] for name in parts if name in options})
    return chip, chip, {}


def _cse7766(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.host_sim.chip.cse7766 import Cse7766

    chip = Cse7766(period_ms=NEVER_MS)  # the bench pushes the frames
    return chip, chip, {}


def _pzem004t(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.host_sim.chip.pzem004t import Pzem004t

    chip = Pzem004t()
    return chip, chip, {}


def _ina228(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.host_sim.chip.ina228 import Ina228

    shunt = options.get("shunt_micro_ohm", SHUNT_UOHM)
    chip = Ina228(shunt)
    return chip, chip, {"max_amps": MAX_AMPS, "shunt_micro_ohm": shunt}


def _mcp3208(nominal: list[dict[str, int]], options: dict[str, Any]) -> Made:
    from wattledger.hal.meter.waveform_linux import best_line
    from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
    from wattledger.host_sim.chip.mcp3208 import Mcp3208

    pairs = options.get("pairs", ((0, 1), (2, 3), (4, 5))[: len(nominal)])
    chip = Mcp3208(pairs)
    return chip, chip, {"sampler": SimulatedSampler(chip), "pairs": pairs, "line": best_line()}


MAKERS: dict[str, Callable[[list[dict[str, int]], dict[str, Any]], Made]] = {
    "ade7953": _ade7953,
    "atm90e32": _atm90e32,
    "bl0942": _bl0942,
    "cse7766": _cse7766,
    "ina228": _ina228,
    "mcp3208": _mcp3208,
    "pzem004t": _pzem004t,
}
