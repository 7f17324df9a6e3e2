"""The serial drivers on pyserial as it is, on pseudo-terminals with simulated chips behind."""

import unittest

import pytest

from wattledger.hal.bus.uart_linux import LinuxUart
from wattledger.tests.both import fixtures_uart as uart
from wattledger.tests.both.houses_chips import keep_promises
from wattledger.tests.both.test_hal_uart_contract import Bl0942Bench, Cse7766Bench, PzemBench
from wattledger.tests.host.pty_bench import Pty


class Line:
    """A LinuxUart whose other end is a chip: what is written gets there before the next byte."""

    def __init__(self, chip, baud, even=False):
        self._chip = chip
        self._pty = Pty()
        self._uart = LinuxUart(self._pty.name, baud, even)

    def write(self, buffer):
        self._uart.write(buffer)
        self._pty.carry(self._chip)

    def read_into(self, buffer):
        self._pty.carry(self._chip)
        return self._uart.read_into(buffer)


class Bl0942OnALine(Bl0942Bench):
    hour_readings = 120

    def __init__(self, phases):
        super().__init__(phases)
        self.driver = uart.Bl0942(Line(self.chip, 9600), uart.no_wait, [{}] * phases)


class Cse7766OnALine(Cse7766Bench):
    hour_readings = 120

    def __init__(self, phases):
        super().__init__(phases)
        self.driver = uart.Cse7766(Line(self.chip, 4800, True), self.pushed, [{}] * phases)


class PzemOnALine(PzemBench):
    hour_readings = 120

    def __init__(self, phases):
        super().__init__(phases)
        self.driver = uart.Pzem004t(Line(self.chip, 9600), uart.no_wait, [{}] * phases)


@pytest.mark.parametrize("bench", [Bl0942OnALine, Cse7766OnALine, PzemOnALine])
def test_a_driver_keeps_its_promises_on_a_line(bench):
    keep_promises(unittest.TestCase(), bench)
