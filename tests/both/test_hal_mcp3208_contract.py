"""The MCP3208's driver keeps the promises of every metering chip."""

import unittest

from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tests.both import fixtures_adc as adc
from wattledger.tests.both.houses_chips import ChipBench, keep_promises

HEAP = "768K"

# 50 pairs in 7 cycles of 50 Hz: few, for an hour of them, and at 50 different angles. Pairs are
# 50.4 degrees apart; a current lies half a pair after its voltage with one phase, a sixth with
# three. sin 25.2 / sin 50.4 = 0.552592; sin 42 and sin 8.4 / sin 50.4 are 0.868422 and 0.189592;
# all in 2**-20.
PAIR_US = 2_800
BLOCK = 50
WEIGHTS = {1: (579_434, 579_434), 3: (910_606, 198_801)}
ROOM = 240  # blocks that a test may ask the model about


class Mcp3208Bench(ChipBench):
    phases = 3
    overflow_ms = (10_000, 8_960)  # 64 blocks of 140 ms
    overflow_follows_power = False  # blocks last as long at any power
    finds_reset = False  # it has no registers
    holds_energy = False  # what passes while nobody samples is gone
    # A code is 0.2 V and 50 mA; a window ends within a seventh of a cycle.
    slack = (400, 15, 2_000)
    slack_counts = 1_000  # 0.1 % of a kilowatt hour

    def __init__(self, phases):
        pairs = adc.PAIRS[:phases]
        self.chip = Chip(pairs, adc.VOLTAGE_GAIN, adc.CURRENT_GAIN)
        before, after = WEIGHTS[phases]
        models = [adc.PairModel(before, after, BLOCK, PAIR_US) for _ in pairs]
        self.sampler = adc.TappedSampler(self.chip, models, BLOCK, PAIR_US, ROOM)
        self.driver = Mcp3208(self.chip, adc.no_wait, [{}] * phases, self.sampler, pairs)
        # Its bias and the mains are there before it is asked anything.
        for phase in range(phases):
            self.chip.set_phase(phase, 230_000, 0, 0)

    def waiting(self, phase):
        return 0  # the model stands behind the sampler: it knows what was taken

    def made(self, phase):
        self.sampler.replay()
        return self.sampler.models[phase].counts

    def cut_bus(self, cut):
        self.chip.silent = cut
        if not cut:
            self.chip.feed(300)  # there is nothing to read before a block has passed


class TestMcp3208(unittest.TestCase):
    def test_it_keeps_the_promises(self):
        keep_promises(self, Mcp3208Bench)


if __name__ == "__main__":
    unittest.main()
