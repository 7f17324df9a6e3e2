"""The chip of a Raspberry Pi's board on its real bus, for the guide: loads are the person's."""

from typing import Any

from wattledger.firmware import chips, parts_linux
from wattledger.hal.meter.waveform_linux import best_line
from wattledger.tools import doctor
from wattledger.tools.calibration.reading import CalibrationError, Reading


class WiredBench:
    """A bench for the chip of a board by name; `nominal` as its CALIBRATION.

    CalibrationError while a meter runs, BusError without a bus.
    """

    def __init__(self, name: str, table: Any, nominal: list[dict[str, int]]) -> None:
        board = parts_linux.board(name)
        meter = doctor.running_meter()
        if meter is not None:
            raise CalibrationError(
                f"a meter runs (process {meter}) and has the chip; "
                "stop it: sudo systemctl stop wattledger"
            )
        self.table = table
        self.nominal = nominal
        self.options = board.OPTIONS
        self._board = board
        self._device = parts_linux.bus_device(board)
        self._sampler = None
        if board.CHIP == "mcp3208":
            self._sampler = parts_linux.sampler(board, self._device)

    def build(self, constants: list[dict[str, int]]) -> Any:
        """A driver with these constants, begun."""
        line = best_line() if self._sampler else None
        driver = chips.driver(
            self._board, self._device, self.wait_ms, constants, self._sampler, line
        )
        driver.begin()
        return driver

    def wait_ms(self, ms: int) -> None:
        """Let time pass."""
        parts_linux.wait_ms(ms)

    def load(self, step: str, phase: int) -> Reading | None:
        """Nothing to put on and nothing known: the person's reference shows it."""
        return None

    def close(self) -> None:
        """Give the bus back."""
        if self._sampler is not None:
            self._sampler.stop()
        self._device.close()
