"""Error of the raw-ADC path at a load: simulated MCP3208, its sampler and its driver.

One point at a time, so that any grid can be built of them. Quantisation, noise and the method are
in it; the sensors, the reference's drift and the chip's own non-linearity are not.
"""

from wattledger.hal.meter.mcp3208 import Mcp3208 as Driver
from wattledger.hal.meter.waveform_linux import best_line
from wattledger.hal.sample import CORRUPT, ENERGY_COUNTS, NO_ANSWER, new_sample
from wattledger.host_sim.chip.adc_sampler import SimulatedSampler
from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.loads import Load

DITHER = 500  # of 1/1000 LSB
SETTLE_MS = 1000
STARTS_US = (0, 1_037, 2_311, 3_529)  # where in a cycle the first sample falls
BIAS = (217, 383)  # 1/1000 code beside the middle: a bias is not just between two codes


def measured_mw(
    load: Load, noise: int = 0, seconds: int = 10, start_us: int = 0, angle_mdeg: int = 0
) -> tuple[float, float]:
    """(mW by the energy that was counted, true mW), of `seconds` after the first.

    `noise` is its peak in 1/1000 LSB; `angle_mdeg` what the current sensor leads, calibrated out.
    """
    chip = Chip()
    chip.noise_permille = noise
    chip.now_us = start_us
    for channel, millicodes in enumerate(BIAS):
        chip.set_offset(channel, millicodes)
    chip.set_mains(load.frequency_mhz)
    power, reactive = load.powers()
    chip.set_phase(0, load.voltage_mv, load.current_ma, power, reactive)
    chip.set_front_end(0, angle_mdeg=-angle_mdeg)
    if load.harmonic:
        chip.set_harmonic(*load.harmonic)
    sampler = SimulatedSampler(chip)
    driver = Driver(chip, lambda ms: None, [{"phase": angle_mdeg}], sampler, line=best_line())
    driver.begin()
    sample = new_sample()

    def pass_ms(ms: int) -> int:
        chip.feed(ms)
        if driver.read_into(sample) & (NO_ANSWER | CORRUPT):
            raise BenchError("the simulated ADC was refused")
        return sample[ENERGY_COUNTS]

    pass_ms(SETTLE_MS)
    began, one = driver.part(0)
    before = chip.true_import
    counts = sum(pass_ms(1000) for _ in range(seconds))
    passed_ms = 1000 * seconds
    energy = (counts + (driver.part(0)[0] - began) / one) * 3_600_000
    return energy / passed_ms, (chip.true_import - before) / passed_ms


def error_ppm(load: Load, noise: int = 0, seconds: int = 10, angle_mdeg: int = 0) -> float:
    """The error furthest from zero over four places in the cycle to begin at, in ppm."""
    errors = []
    for start_us in STARTS_US:
        found, true = measured_mw(load, noise, seconds, start_us, angle_mdeg)
        errors.append((found - true) / true * 1e6)
    return max(errors, key=abs)
