"""The INA228's driver keeps the promises of every metering chip."""

import unittest

from wattledger.hal.meter.ina228 import Ina228
from wattledger.host_sim.chip.ina228 import Ina228 as Chip
from wattledger.tests.both.houses_chips import ChipBench, keep_promises

SHUNT = 625  # micro-ohm: 131072 x 500 uA x 625 / 10**7 = 4096 exactly, so nothing is rounded
RAW_A_COUNT = 1125


class Ina228Bench(ChipBench):
    voltage_mv = 48_000  # the pin takes 85 V
    signed_current = True
    # 251 658 240 LSBs of 25.6 mJ are 6 442 450 944 mJ; at 16 560 W 389 036 ms.
    overflow_ms = (16_560, 389_036)
    slack = (1, 2, 1_700)  # LSBs: 0.2 mV, 0.5 mA, 1.6 W

    def __init__(self, phases):
        self.chip = Chip(SHUNT)
        self.driver = Ina228(self.chip, lambda ms: None, [{}], 250, SHUNT)
        self.unread = False
        self.read = (0, 0)

    def mains(self, phase, voltage_mv, current_ma, power_mw):
        self.chip.set_phase(phase, 48_000, abs(power_mw) // 48, power_mw)

    def fetch(self, sample):
        self.unread = self.unread and self.chip.silent
        return self.driver.read_into(sample)

    def feed(self, ms):
        if not self.unread:
            self.read = self.chip.made()
            self.unread = True
        self.chip.feed(ms)

    def counts(self, made):
        return made[0] // RAW_A_COUNT - made[1] // RAW_A_COUNT

    def made(self, phase):
        return self.counts(self.chip.made())

    def waiting(self, phase):
        if not self.unread:
            return 0
        return self.counts(self.chip.made()) - self.counts(self.read)


class TestIna228(unittest.TestCase):
    def test_it_keeps_the_promises(self):
        keep_promises(self, Ina228Bench)


if __name__ == "__main__":
    unittest.main()
