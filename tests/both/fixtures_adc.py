"""A driver on the simulated MCP3208, and a slow model of what its samples are worth."""

from wattledger.hal.meter.mcp3208 import Mcp3208
from wattledger.hal.meter.waveform import Line
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip

PAIRS = ((0, 1), (2, 3), (4, 5))
VOLTAGE_GAIN = 195_312
CURRENT_GAIN = 49_718


def no_wait(ms):
    """The simulated chip needs no time."""


class House:
    """`chip`, `sampler` and `driver` that go together, begun."""

    def __init__(self, phases=1, pairs=400, pair_us=250, calibration=None, **more):
        wired = PAIRS[:phases]
        self.chip = Chip(wired, VOLTAGE_GAIN, CURRENT_GAIN)
        self.sampler = SimulatedSampler(self.chip, pairs, pair_us)
        given = [calibration or {} for _ in wired]
        line = more.get("line", Line)
        self.driver = Mcp3208(
            self.chip, no_wait, given, self.sampler, wired, line, more.get("mhz", 50_000)
        )
        self.chip.set_mains(more.get("mhz", 50_000))
        for phase in range(phases):
            self.chip.set_phase(phase, 230_000, 0, 0)
        self.driver.begin()


class PairModel:
    """What one phase's pairs are worth in counts of 1 mWh, pair by pair; allocates nothing.

    Written from the rule and not from the driver: the voltage at the current's instant from the
    voltage before it and the one after it, less the offsets, which follow the blocks' means.
    `before` and `after` are the weights of the two voltages in 2**-20.
    """

    def __init__(self, before, after, block, pair_us):
        self.weights = (before, after)
        self.block = block
        self.pair_us = pair_us
        # 3.6 J in units of code**2 / 256 x 2**-20 x us
        gain = VOLTAGE_GAIN * CURRENT_GAIN  # pW a code**2
        self.counts = 0
        self.energy = 0  # code**2 / 256 x us
        self.small = 0  # and below it, 2**-20
        self.one = (3_600_000_000_000_000_000 * 256 + gain // 2) // gain
        self.v_mean = 0
        self.i_mean = 0
        self.blocks = 64
        self.restart()

    def restart(self):
        """The next pair has none before it."""
        self.v_last = (self.v_mean + (1 << 19)) >> 20
        self.i_last = (self.i_mean + (1 << 19)) >> 20
        self.seen = 0
        self.v_sum = 0
        self.i_sum = 0
        self.v_off = (self.v_mean + (1 << 15)) >> 16
        self.i_off = (self.i_mean + (1 << 15)) >> 16

    def add(self, voltage, current):
        """One more pair of codes 0..4095."""
        voltage -= 2048
        current -= 2048
        before, after = self.weights
        wanted = before * (16 * self.v_last - self.v_off) + after * (16 * voltage - self.v_off)
        self.small += wanted * (16 * self.i_last - self.i_off)
        self.v_sum += self.v_last
        self.i_sum += self.i_last
        self.v_last = voltage
        self.i_last = current
        self.seen += 1
        if self.seen < self.block:
            return
        self.energy += (self.small >> 20) * self.pair_us
        self.small &= (1 << 20) - 1
        whole = abs(self.energy) // self.one
        if self.energy < 0:
            whole = -whole
        self.energy -= whole * self.one
        self.counts += whole
        self.blocks = min(self.blocks + 1, 1024)
        self.v_mean += ((self.v_sum << 20) // self.block - self.v_mean) // self.blocks
        self.i_mean += ((self.i_sum << 20) // self.block - self.i_mean) // self.blocks
        v_last = self.v_last
        i_last = self.i_last
        self.restart()
        self.v_last = v_last
        self.i_last = i_last


class TappedSampler(SimulatedSampler):
    """Keeps the blocks it hands out, as many as there is room for; `models` see them later."""

    def __init__(self, chip, models, pairs, pair_us, room):
        super().__init__(chip, pairs, pair_us)
        self.models = models
        self._log = bytearray(room * pairs * 6 * len(models))
        self._logged = 0

    def start(self):
        super().start()
        self._log[self._logged] = 0
        self._logged += self.pairs * 6 * len(self.models)

    def take(self, block):
        if not super().take(block):
            return False
        size = len(block.raw)
        if self._logged + size <= len(self._log):
            for index in range(size):  # a slice would take heap
                self._log[self._logged + index] = block.raw[index]
        self._logged += size
        return True

    def replay(self):
        """Let the models see what was handed out since the last time."""
        log = self._log
        if self._logged > len(log):
            raise ValueError("no room for so many blocks")
        size = self.pairs * 6 * len(self.models)
        for block in range(0, self._logged, size):
            # A start, or a dead bus: the pair before the next block is no neighbour.
            if log[block] == 0 or log[block + 1] & 0x10:
                for model in self.models:
                    model.restart()
                continue
            at = block
            while at < block + size:
                for model in self.models:
                    model.add(
                        (log[at + 1] & 15) << 8 | log[at + 2],
                        (log[at + 4] & 15) << 8 | log[at + 5],
                    )
                    at += 6
        self._logged = 0
