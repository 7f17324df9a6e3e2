"""Every fault of the table in vectors_faults.py on every chip."""

import unittest

from wattledger.hal.errors import BusError
from wattledger.hal.sample import NO_ANSWER
from wattledger.tests.both import houses_faults as faults
from wattledger.tests.both import vectors_faults as table
from wattledger.tests.both.test_hal_ade7953_contract import I2cBench, SpiBench
from wattledger.tests.both.test_hal_atm90e32_contract import Atm90e32Bench
from wattledger.tests.both.test_hal_ina228_contract import Ina228Bench
from wattledger.tests.both.test_hal_uart_contract import Bl0942Bench, Cse7766Bench, PzemBench

HEAP = "512K"


class SpiRun(faults.Run):
    answer_at = 2
    answer_bytes = 2


class AdeRun(faults.Run):
    answer_at = 3
    answer_bytes = 3


class I2cRun(faults.Run):
    answer_at = 0
    answer_bytes = 5


class DirectRun(I2cRun):
    over = (48_000, 300_000, 14_400_000)  # the board ends at 262 A


class SerialRun(faults.Run):
    """Faults are those of the simulated line."""

    over = (230_000, 80_000, 18_400_000)
    freeze_ticks = 100  # each of several readings: 60 kJ at 2.3 kW are 261

    def new_wire(self):
        return SerialWire(self.chip)

    def walk_frame(self, spoil):
        for at in range(self.frame):
            spoil(at)
            self.tick()
        return self.mended()

    def flip(self):
        return self.walk_frame(lambda at: self.chip.corrupt_next(1 << at % 8, at))

    def shorten(self):
        return self.walk_frame(self.chip.line.truncate_next)

    def fail(self):
        self.wire.fail = True
        for _ in range(3):
            if not self.tick() & NO_ANSWER:
                return "believed"
        return self.mended()


class SerialWire:
    """A line that breaks or sticks."""

    def __init__(self, chip):
        self._line = chip.line
        self._read_into = chip.read_into
        chip.read_into = self.read_into
        self.fail = False

    @property
    def level(self):
        return self._line.stuck

    @level.setter
    def level(self, byte):
        self._line.stuck = byte

    def clear(self):
        self.fail = False
        self._line.stuck = -1

    def read_into(self, buffer):
        if self.fail:
            raise BusError("the line is gone")
        return self._read_into(buffer)


class Bl0942Run(SerialRun):
    frame = 23


class Cse7766Run(SerialRun):
    frame = 24


class PzemRun(SerialRun):
    frame = 25
    load = (230_000, 50_000, 11_500_000)  # 3 Wh a second


class TestMatrix(unittest.TestCase):
    def hold(self, chip, run, bench):
        checked = 0
        for fault, method, cells in table.TABLE:
            outcome = cells[chip]
            if isinstance(outcome, tuple):
                continue  # a test of this chip alone has it
            with self.subTest(fault=fault):
                self.assertEqual(getattr(run(bench), method)(), outcome)
            checked += 1
        self.assertTrue(checked >= 8)

    def test_atm90e32(self):
        self.hold(table.ATM, SpiRun, Atm90e32Bench)

    def test_ade7953_on_spi(self):
        self.hold(table.ADE, AdeRun, SpiBench)

    def test_ade7953_on_i2c(self):
        self.hold(table.ADE, I2cRun, I2cBench)

    def test_ina228(self):
        self.hold(table.INA, DirectRun, Ina228Bench)

    def test_bl0942(self):
        self.hold(table.BL, Bl0942Run, Bl0942Bench)

    def test_cse7766(self):
        self.hold(table.CSE, Cse7766Run, Cse7766Bench)

    def test_pzem004t(self):
        self.hold(table.PZEM, PzemRun, PzemBench)


if __name__ == "__main__":
    unittest.main()
