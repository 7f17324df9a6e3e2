"""Bits that flip both ways on the ADE7953's lines: counts are exact, or bounded and never wild."""

import pytest

from wattledger.hal.meter.ade7953 import Ade7953
from wattledger.hal.meter.ade7953_i2c import Ade7953I2c
from wattledger.hal.meter.ade7953_spi import Ade7953Spi
from wattledger.hal.sample import CORRUPT, ENERGY_COUNTS, NO_ANSWER, RESTARTED, new_sample
from wattledger.host_sim.chip.ade7953 import Ade7953 as Chip
from wattledger.tests.host.flips_ade7953 import FlippingI2c, FlippingSpi, Flips

BUSES = {"spi": (Ade7953Spi, FlippingSpi), "i2c": (Ade7953I2c, FlippingI2c)}
# 100 A x 276 V is 27.6 kW: 27 600 x 6.594 LSB a W and second, 64 a count.
CAP_PER_S = 2_844


def run(bus, rate, ticks, power_mw, seed=1):
    """(handed on, made, restarts, worst share of Imax x Vmax x dt, lowest, flips)."""
    port, wire = BUSES[bus]
    chip = Chip()
    flips = Flips(0, seed)
    driver = Ade7953(port(wire(chip, flips)), lambda ms: None, [{}])
    driver.begin()
    flips.rate = rate
    flips._wait = flips._next()
    chip.set_mains(50_000)
    chip.set_phase(0, 230_000, 10_000, power_mw)
    sample = new_sample()
    handed = restarts = 0
    lowest, worst, since = 0, 0.0, 0
    for _ in range(ticks):
        chip.feed(1_000)
        since += 1
        status = driver.read_into(sample)
        restarts += bool(status & RESTARTED)
        if status & (NO_ANSWER | CORRUPT | RESTARTED):
            continue
        counts = sample[ENERGY_COUNTS]
        handed += counts
        lowest = min(lowest, counts if power_mw > 0 else -counts)
        worst = max(worst, abs(counts) / (since * CAP_PER_S))
        since = 0
    # What one undisturbed reading still finds is not lost.
    flips.rate = 0
    flips._wait = 1 << 60
    while driver.read_into(sample) & (NO_ANSWER | CORRUPT | RESTARTED):
        restarts += 1
    handed += sample[ENERGY_COUNTS]
    made = (chip.total_counts(0) - chip.held_counts(0)) // 64
    return handed, made, restarts, worst, lowest, flips.flipped


@pytest.mark.parametrize("power", [2_300_000, -2_300_000])
@pytest.mark.parametrize("bus", ["spi", "i2c"])
def test_at_one_in_100_000_every_count_arrives_once(bus, power):
    handed, made, restarts, worst, lowest, flipped = run(bus, 1e-5, 2_000, power)
    assert flipped > 10
    assert (handed, restarts) == (made, 0)
    assert worst <= 1 and lowest >= 0


@pytest.mark.nightly
@pytest.mark.parametrize("power", [2_300_000, -2_300_000])
@pytest.mark.parametrize("bus", ["spi", "i2c"])
def test_ten_thousand_ticks_at_one_in_100_000(bus, power):
    handed, made, restarts, worst, lowest, flipped = run(bus, 1e-5, 10_000, power)
    assert flipped > 50
    assert (handed, restarts) == (made, 0)
    assert worst <= 1 and lowest >= 0


@pytest.mark.nightly
@pytest.mark.parametrize(("rate", "bound"), [(1e-4, 0.001), (1e-3, 0.01)])
@pytest.mark.parametrize("bus", ["spi", "i2c"])
def test_above_that_within_a_bound(bus, rate, bound):
    handed, made, _, worst, lowest, _ = run(bus, rate, 10_000, 2_300_000)
    assert abs(handed - made) <= bound * made
    assert worst <= 1 and lowest >= 0
