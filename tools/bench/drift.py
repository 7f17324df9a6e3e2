"""Ten years of energy through chip, driver and register: counts that went astray, none.

Accelerated: the load is the highest that a tick may hold, so that ten years of an average home
pass in some hundred thousand ticks, with every wrap of every counter on the way. Beside it what
accumulators of 32 and 64 bits of floating point make of ten years at a reading a second.
"""

from wattledger.agent.metering.register import EnergyRegister
from wattledger.hal.sample import CORRUPT, ENERGY_COUNTS, NO_ANSWER, new_sample
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.rows import Row
from wattledger.tools.bench.subjects import REPLAYS, Replay

HOME_WATTS = 400
YEARS = 10.0
HOURS_A_YEAR = 8766
WATTS = 13_801  # shares no factor with a count
CHUNK = 1_000_000


def drift_rows(years: float = YEARS) -> list[Row]:
    """A row a chip, and one for each floating-point accumulator. BenchError."""
    wh = round(HOME_WATTS * HOURS_A_YEAR * years)
    rows = []
    for make in REPLAYS:
        replay = make()
        off = _replay(replay, wh)
        rows.append(Row(f"{replay.name} after {years:g} years", off, 1, "counts", "a count", "0"))
    return rows + _float_rows(years)


def _replay(replay: Replay, wh: int) -> int:
    """Counts that the register is off after so many Wh."""
    driver, chip = replay.driver, replay.chip
    register = EnergyRegister(driver.energy_numerator, driver.energy_denominator, 1_000)
    tick_ms = driver.overflow_ms(WATTS) // 2
    chip.set_phase(0, 230_000, WATTS * 100 // 23, WATTS * 1000)
    sample = new_sample()
    read = replay.read
    read(sample)
    before = replay.fetched()
    while register.import_wh < wh:
        chip.feed(tick_ms)
        if read(sample) & (NO_ANSWER | CORRUPT):
            raise BenchError(f"the simulated {replay.name} was refused")
        register.add(sample[ENERGY_COUNTS])
    made = (replay.fetched() - before) * driver.energy_numerator
    held = register.import_wh * register.denominator + register.import_rest
    return abs(held - made) // driver.energy_numerator


def _float_rows(years: float) -> list[Row]:
    """What is off in a sum of the same Wh each second. Nothing without numpy: it takes long."""
    try:
        import numpy
    except ImportError:
        return []
    seconds = round(years * HOURS_A_YEAR * 3600)
    rows = []
    for bits, kind in ((32, numpy.float32), (64, numpy.float64)):
        each = kind(HOME_WATTS / 3600)
        total = kind(0)
        left = seconds
        while left:
            steps = numpy.full(min(CHUNK, left), each, kind)
            steps[0] += total
            total = numpy.add.accumulate(steps, dtype=kind)[-1]  # one after the other, in order
            left -= len(steps)
        true = seconds * HOME_WATTS / 3600
        name = f"a float of {bits} bits after {years:g} years"
        rows.append(Row(name, abs(float(total) - true) / 1000, true / 1000, "kWh", "all energy"))
    return rows
