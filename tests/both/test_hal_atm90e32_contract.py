"""The ATM90E32's driver keeps the promises of every metering chip."""

import unittest

from wattledger.tests.both import fixtures_spi as spi
from wattledger.tests.both.houses_chips import ChipBench, keep_promises


class Atm90e32Bench(ChipBench):
    phases = 3
    overflow_ms = (16_560, 44_521)  # 65 535 counts of 11 250 mWs are 737 268 750 mWs

    def __init__(self, phases):
        self.chip = spi.new_chip()
        self.driver = spi.new_driver(self.chip, phases)


class TestAtm90e32(unittest.TestCase):
    def test_it_keeps_the_promises(self):
        keep_promises(self, Atm90e32Bench)


if __name__ == "__main__":
    unittest.main()
