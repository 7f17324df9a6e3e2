"""Other ways to meter from the same samples, each as its projects do it, in floats.

What the raw-ADC driver is measured beside: a fixed window (no whole cycles), no correction of the
delay between two conversions, and linear interpolation between voltages (IoTaWatt).
"""

from wattledger.host_sim.chip.mcp3208 import Mcp3208 as Chip
from wattledger.tools.bench.adc_accuracy import DITHER, STARTS_US, error_ppm
from wattledger.tools.bench.loads import Load

PAIR_US = 250
UW_A_CODE = 195_312 * 49_718 / 1e6


def _samples(load: Load, seconds: float, start_us: int) -> tuple[list[float], list[float]]:
    """Codes of voltage and current from their middle, the current half a pair later."""
    chip = Chip()
    chip.noise_permille = DITHER
    chip.set_mains(load.frequency_mhz)
    chip.set_phase(0, load.voltage_mv, load.current_ma, *load.powers())
    if load.harmonic:
        chip.set_harmonic(*load.harmonic)
    times = [start_us + PAIR_US * pair for pair in range(int(seconds * 1_000_000 / PAIR_US))]
    voltage = [chip.convert(0, at) - 2048.0 for at in times]
    return voltage, [chip.convert(1, at + PAIR_US // 2) - 2048.0 for at in times]


def _true_code(load: Load) -> float:
    """Mean product of the true waves in codes."""
    power: float = load.powers()[0]
    if load.harmonic:
        _, voltage, current = load.harmonic
        power += power * voltage * current / 1e6
    return power * 1000 / UW_A_CODE


def _mean_power(voltage: list[float], current: list[float]) -> float:
    count = len(current)
    offsets = sum(voltage) / count * sum(current) / count
    return sum(v * i for v, i in zip(voltage, current, strict=True)) / count - offsets


def _whole(load: Load, samples: int) -> int:
    """As many of `samples` as are whole cycles, to the nearest sample."""
    cycle = 1e9 / load.frequency_mhz / PAIR_US
    return round(int(samples / cycle) * cycle)


def uncorrected(load: Load, start_us: int) -> float:
    """Voltage times the current that was converted after it."""
    voltage, current = _samples(load, 2, start_us)
    count = _whole(load, len(current))
    return _mean_power(voltage[:count], current[:count])


def linear(load: Load, start_us: int) -> float:
    """The voltage half way on the straight line between its neighbours in time."""
    voltage, current = _samples(load, 2, start_us)
    count = _whole(load, len(current) - 1)
    between = [(before + after) / 2 for before, after in zip(voltage, voltage[1:], strict=False)]
    return _mean_power(between[:count], current[:count])


def fixed_window(load: Load, start_us: int) -> float:
    """200 ms and not whole cycles; the delay corrected, so that the window's error is alone."""
    voltage, current = _samples(load, 0.200_25, start_us)
    between = [(before + after) / 2 for before, after in zip(voltage, voltage[1:], strict=False)]
    return _mean_power(between, current[:-1])


def errors() -> dict[str, dict[str, float]]:
    """Error in ppm furthest from zero, by load and method; `ours` is the driver's."""
    loads = {
        "50 Hz, PF 1": Load(30_000),
        "50 Hz, PF 0.5": Load(30_000, 500),
        "49 Hz, PF 0.5": Load(30_000, 500, frequency_mhz=49_000),
        "5th harmonic 10 % U, 40 % I": Load(30_000, harmonic=(5, 100, 400)),
    }
    methods = (uncorrected, linear, fixed_window)
    found = {}
    for name, load in loads.items():
        true = _true_code(load)
        row = {
            method.__name__: max(
                ((method(load, start) - true) / true * 1e6 for start in STARTS_US), key=abs
            )
            for method in methods
        }
        row["ours"] = error_ppm(load, DITHER, 5)
        found[name] = row
    return found
