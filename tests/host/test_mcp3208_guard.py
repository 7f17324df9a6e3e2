"""The raw ADC's numbers at their extremes: within 62 bits inside, below 2**30 outside."""

import random
from types import SimpleNamespace

import pytest

from wattledger.hal.sample import NO_ANSWER, new_sample
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.guard import guarded_import

AGENT = (
    "wattledger.agent.units",
    "wattledger.agent.metering.quality",
    "wattledger.agent.metering.register",
    "wattledger.agent.metering.meter",
)
DRIVER = (
    "wattledger.hal.meter.trigonometry",
    "wattledger.hal.meter.waveform",
    "wattledger.hal.meter.adc_phase",
    "wattledger.hal.meter.adc_cycles",
    "wattledger.hal.meter.mcp3208",
)
PAIRS = ((0, 1), (2, 3), (4, 5))
SMALL_INT_64 = 2**62  # what MicroPython keeps without heap where a word has 64 bits


def clipped(chip):
    """Full squares on every input: the largest sums there can be."""
    for phase in range(3):
        chip.set_phase(phase, 3_000_000, 1, 400_000_000)


def noise(chip):
    rng = random.Random(1)
    chip.convert = lambda channel, at: rng.choice((1, 4094, 4095))


@pytest.mark.parametrize("waves", [clipped, noise])
@pytest.mark.parametrize("pair_us", [250, 2_050])
@pytest.mark.parametrize("gains", [{}, {"voltage_gain": 10_000, "current_gain": 1_000}])
def test_no_intermediate_needs_more_than_62_bits(waves, pair_us, gains):
    with guarded_import(DRIVER, SMALL_INT_64) as guard:
        chip = Chip(PAIRS)
        driver = guard["wattledger.hal.meter.mcp3208"].Mcp3208(
            chip,
            lambda ms: None,
            [{"phase": 3_000, "voltage_offset": 8_000, "current_offset": -8_000, **gains}] * 3,
            SimulatedSampler(chip, 512, pair_us),
            PAIRS,
        )
        driver.begin()
        waves(chip)
        sample = new_sample()
        guard.armed = True
        for _ in range(3):
            chip.feed(2_200)
            driver.read_into(sample)
        guard.armed = False
        assert guard.checked > 1000
        assert guard.findings == {}, guard.report()


@pytest.mark.parametrize("late_ms", [1_000, 3_100, 20_000])
def test_the_meter_gets_small_integers(late_ms):
    with guarded_import(AGENT) as guard:
        from wattledger.hal.meter.mcp3208 import Mcp3208

        chip = Chip(PAIRS)
        driver = Mcp3208(chip, lambda ms: None, [{}] * 3, SimulatedSampler(chip), PAIRS)
        clock = VirtualClock(0, 0)
        config = SimpleNamespace(
            max_amps=100, max_volts=276, tick_ms=1000, phase_sum="vector", bill_on="phase"
        )
        meter = guard["wattledger.agent.metering.meter"].Meter(driver, clock, config)
        meter.begin()
        for phase in range(3):
            chip.set_phase(phase, 276_000, 71_000, 19_596_000)
        for ms in (1_000, late_ms, 1_000, 1_000):
            clock.advance(ms)
            chip.feed(ms)
            guard.armed = True
            meter.tick()
            guard.armed = False
        assert guard.findings == {}, guard.report()
        assert meter.rejected == 0 and meter.register.import_wh > 40
        assert driver.read_into(meter.sample) != NO_ANSWER
