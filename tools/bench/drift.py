"""Ten years of energy through chip, driver and register: counts that went astray, none.

Accelerated: the load is the highest that a tick may hold, so that ten years of an average home
pass in some hundred thousand ticks, with every wrap of every counter on the way. Beside it what
accumulators of 32 and 64 bits of floating point make of ten years at a reading a second.
"""

from wattledger.agent.metering.register import EnergyRegister
from wattledger.tools.bench import adc_drift
from wattledger.tools.bench.rows import Row
from wattledger.tools.bench.subjects import REPLAYS, Replay

HOME_WATTS = 400
YEARS = 10.0
HOURS_A_YEAR = 8766
CHUNK = 1_000_000


def drift_rows(years: float = YEARS) -> list[Row]:
    """A row a chip, and one for each floating-point accumulator. BenchError."""
    wh = round(HOME_WATTS * HOURS_A_YEAR * years)
    rows = []
    for make in REPLAYS:
        replay = make()
        off = _replay(replay, wh)
        told = f", {replay.restarts} gaps told" if replay.restarts else ""
        rows.append(_row(replay.name, years, off, told))
    rows.append(_row("MCP3208's sums", years, adc_drift.lost_counts(wh)))
    return rows + _float_rows(years)


def _row(name: str, years: float, off: int, told: str = "") -> Row:
    return Row(f"{name} after {years:g} years{told}", off, 1, "counts", "a count", "0")


def _replay(replay: Replay, wh: int) -> int:
    """Counts that the register is off after so many Wh, those of a tick that was told as a gap
    aside: the PZEM-004T's own register turns over at 9 999 990 Wh, and says no more of it."""
    driver = replay.driver
    register = EnergyRegister(driver.energy_numerator, driver.energy_denominator, 1_000)
    replay.after(0)
    before = made = replay.total()
    told = 0
    while register.import_wh < wh:
        restarts = replay.restarts
        (counts,) = replay.after(replay.tick_ms)
        register.add(counts)
        if replay.restarts != restarts:
            told += replay.total() - made - counts
        made = replay.total()
    registered = register.import_wh * register.denominator + register.import_rest
    return abs(registered // driver.energy_numerator + told - (made - before))


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
