"""The ADE7953's driver keeps the promises of every metering chip, on SPI and on I2C."""

import unittest

from wattledger.tests.both import fixtures_ade7953 as ade
from wattledger.tests.both.houses_chips import ChipBench, keep_promises


class SpiBench(ChipBench):
    phases = 2
    # Full scale is 9032007^2 / (26 000 x 100 000) = 31 375.83 W; 8 388 607 / 206 900 = 40.5443 s,
    # and 31 375.83 / 31 375 of it at the whole number of watts below.
    overflow_ms = (31_375, 40_545)
    slack = (1, 1, 20)  # the registers' own steps; a factor to 1e-5
    slack_counts = 1
    port = ade.Ade7953Spi

    def __init__(self, phases):
        self.chip = ade.Chip()
        self.driver = ade.Ade7953(
            self.port(self.chip),
            ade.no_wait,
            [{}] * phases,
            second="phase" if phases == 2 else "neutral",
        )

    # A count is 64 LSB of the chip's energy register, rounded down over all that was handed on.

    def made(self, phase):
        return self.chip.total_counts(phase) // 64

    def waiting(self, phase):
        fetched = self.chip.total_counts(phase) - self.chip.held_counts(phase)
        return self.made(phase) - fetched // 64


class I2cBench(SpiBench):
    port = ade.Ade7953I2c


class TestAde7953(unittest.TestCase):
    def test_it_keeps_the_promises_on_spi(self):
        keep_promises(self, SpiBench)

    def test_it_keeps_the_promises_on_i2c(self):
        keep_promises(self, I2cBench)


if __name__ == "__main__":
    unittest.main()
