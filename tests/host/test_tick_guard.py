"""Every number of a tick at its extremes stays a small integer of an ESP32 (below 2**30)."""

import ast
import contextlib
from types import SimpleNamespace

import pytest

from wattledger.hal.sample import ENERGY_COUNTS
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.tests.both import fixtures_spi as spi
from wattledger.tests.both.houses_watch import SampledChip
from wattledger.tests.guard import guarded_import
from wattledger.tests.micropython.staging import ROOT

SMALL = 2**30
DRIVER = "wattledger.hal.meter.atm90e32"
MODULES = (
    "wattledger.agent.units",
    "wattledger.agent.metering.quality",
    "wattledger.agent.metering.register",
    "wattledger.agent.metering.meter",
    "wattledger.hal.meter.atm90e32_port",
    "wattledger.hal.meter.atm90e32_energy",
    DRIVER,
)
GAINS = (0x8F5C, 0x7C29)
# One phase at the most the chip's power words may say, 42 kW; a current over 65.535 A does not
# fit its register, so the board's service is 152 A x 276 V = 41 952 W.
MAX_AMPS = 152
MAX_VOLTS = 276
PHASE_MW = 41_952_000
HIGHEST_WH = 999_999_999  # a meter of six digits of kWh turns over at 10**9 Wh


@contextlib.contextmanager
def guarded_meter(phase_sum="vector", ticks_start=0, phases=3):
    """(guard, meter, chip, clock, tick) with everything in the tick's way watched."""
    with guarded_import(MODULES) as guard:
        chip = Chip(*GAINS)
        driver = guard[DRIVER].Atm90e32(chip, lambda ms: None, spi.calibration(GAINS) * phases)
        clock = VirtualClock(0, ticks_start)
        config = SimpleNamespace(
            max_amps=MAX_AMPS,
            max_volts=MAX_VOLTS,
            tick_ms=1000,
            phase_sum=phase_sum,
            bill_on="phase",
        )
        meter = guard["wattledger.agent.metering.meter"].Meter(driver, clock, config)
        meter.begin()

        def tick(ms=1000, feed=True):
            clock.advance(ms)
            if feed:
                chip.feed(min(ms, 8_000))
            guard.armed = True
            meter.tick()
            guard.armed = False

        yield guard, meter, chip, clock, tick
        assert guard.checked > 50, "the guard did not look"
        assert guard.findings == {}, guard.report()


def load(chip, *milliwatts):
    for phase, power in enumerate(milliwatts):
        chip.set_phase(phase, 276_000, abs(power) // 276, power, power)
    chip.set_mains(65_000, 1_250)


@pytest.mark.parametrize("phase_sum", ["vector", "per_phase"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_highest_power_on_three_phases(phase_sum, sign):
    with guarded_meter(phase_sum) as (_, meter, chip, _, tick):
        load(chip, *[sign * PHASE_MW] * 3)
        for _ in range(12):
            tick()
        assert (meter.missed, meter.rejected) == (0, 0)
        counts = sum(chip.total_counts(phase) for phase in range(3))
        register = meter.register
        carried = register.import_wh * 320 + register.import_rest
        carried -= register.export_wh * 320 + register.export_rest
        assert carried == counts
        # Down to a whole mW a phase, and the chip's own 0.00032 W.
        assert abs(meter.power_mw() - 3 * sign * PHASE_MW) <= 3


def test_opposite_flows_and_a_full_word_of_every_kind():
    with guarded_meter("per_phase") as (_, meter, chip, _, tick):
        load(chip, PHASE_MW, -PHASE_MW, PHASE_MW)
        for _ in range(12):
            tick()
        assert meter.register.export_wh > 0


@pytest.mark.parametrize("high", [2039, 2040, 0x7FFF, 0x8000, 0xFFFF, 0x10000 - 2040])
def test_every_power_word_the_wire_can_carry(high):
    with guarded_meter() as (_, _, chip, _, tick):
        for first in (0xB1, 0xB5, 0xB9):
            for phase in range(3):
                chip.poke(first + phase, high)
                chip.poke(first + phase + 0x10, 0xFFFF)
        for register in (0xD9, 0xDA, 0xDB, 0xDD, 0xDE, 0xDF, 0xBD, 0xBE, 0xBF, 0xF8, 0xFC):
            chip.poke(register, 0xFFFF)
        for _ in range(6):
            tick(feed=False)


@pytest.mark.parametrize("start", [SMALL - 1, SMALL - 1_001, SMALL - 500, 0])
def test_the_wrap_of_the_clock(start):
    with guarded_meter(ticks_start=start) as (_, meter, chip, clock, tick):
        load(chip, PHASE_MW, PHASE_MW, PHASE_MW)
        for _ in range(3):
            tick()
        assert clock.ticks_ms() == (start + 3_000) % SMALL
        assert meter.rejected == 0


@pytest.mark.parametrize("gap", [17_000, 60_000, 4_094_000, 4_095_000, 4_096_001, SMALL - 1])
def test_a_gap_of_any_length(gap):
    with guarded_meter() as (_, meter, chip, _, tick):
        load(chip, PHASE_MW, PHASE_MW, PHASE_MW)
        tick()
        tick(gap)
        assert meter.late_gap_ms == gap
        assert meter.quality == 0


def test_a_day_of_energy_in_one_reading_of_a_wide_register():
    # 41 952 W are 3730 counts a second; 25/8000 Wh is 1/320 too, and larger in between.
    with guarded_import(MODULES) as guard:
        chip = SampledChip(1)
        chip.energy_numerator, chip.energy_denominator = 25, 8000
        config = SimpleNamespace(
            max_amps=MAX_AMPS,
            max_volts=MAX_VOLTS,
            tick_ms=100,
            phase_sum="vector",
            bill_on="phase",
        )
        clock = VirtualClock(0)
        meter = guard["wattledger.agent.metering.meter"].Meter(chip, clock, config)
        meter.tick()
        for sign in (1, -1):
            chip.sample[ENERGY_COUNTS] = sign * 3_729 * 86_400
            clock.advance(86_400_000)
            guard.armed = True
            meter.tick()
            guard.armed = False
        assert guard.findings == {}, guard.report()
        assert meter.register.import_wh == meter.register.export_wh == 3_729 * 86_400 // 320


@pytest.mark.parametrize("wh", [HIGHEST_WH - 1, SMALL - 100])
def test_registers_near_their_end(wh):
    # Above 2**30 Wh = 1 073 741 823 Wh the register is right and allocates: more than the billion
    # at which a meter of six digits turns over.
    with guarded_meter() as (_, meter, chip, _, tick):
        meter.register.restore(wh, 319, wh, 319)
        load(chip, PHASE_MW)
        tick()
        load(chip, -PHASE_MW)
        tick()
        assert meter.register.import_wh > wh and meter.register.export_wh > wh


def test_a_rejected_energy():
    with guarded_meter() as (_, meter, chip, _, tick):
        tick()
        for _ in range(20):
            for phase in range(3):
                chip.poke(0x81 + phase, 0xFFFE)
            tick(feed=False)
        # Three full registers a tick, until a step takes them.
        assert meter.rejected == 20 * 3 * 65_534


def test_a_tick_that_reports_its_trouble():
    with guarded_meter() as (_, meter, chip, _, tick):
        for mask in (1, 0xFFFF):
            chip.corrupt_next(mask, 0x81)
            tick()
        tick()
        chip.silent = True
        for _ in range(3):
            tick()
        assert meter.missed == 3


def test_the_guard_sees_a_meter_that_is_too_large():
    # The proof that it looks: a register beyond 2**30 must be a finding.
    with guarded_import(MODULES) as guard:
        register = guard["wattledger.agent.metering.register"].EnergyRegister(1, 320, 1000)
        register.restore(SMALL - 1, 319, 0, 0)
        guard.armed = True
        register.add(1)
        guard.armed = False
        assert list(guard.findings.values()) == [SMALL]


class _Names(ast.NodeVisitor):
    """Names a function body reads, other than as default arguments."""

    def __init__(self):
        self.found = set()

    def visit_Name(self, node):  # noqa: N802 - a name of ast
        self.found.add(node.id)


def _constants(tree, scope):
    """Module constants of a syntax tree with their integer values."""
    values = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(Exception):
                values[node.targets[0].id] = eval(  # noqa: S307 - our own constants
                    compile(ast.Expression(node.value), "constant", "eval"), dict(scope, **values)
                )
    return {name: value for name, value in values.items() if isinstance(value, int)}


@pytest.mark.parametrize(
    "path",
    [
        "agent/units.py",
        "agent/metering/quality.py",
        "agent/metering/register.py",
        "agent/metering/meter.py",
        "hal/meter/atm90e32.py",
        "hal/meter/atm90e32_energy.py",
        "hal/meter/atm90e32_port.py",
        "hal/meter/bl0942.py",
        "hal/meter/cse7766.py",
        "hal/meter/pzem004t.py",
        "hal/meter/running_counter.py",
        "hal/meter/scale.py",
        "hal/meter/uart_frames.py",
        "hal/sample.py",
    ],
)
def test_no_function_of_the_tick_reads_a_large_constant(path):
    """A name is no operation, so the guard does not see it; arithmetic with it allocates."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    large = {name for name, value in _constants(tree, {}).items() if abs(value) >= SMALL}
    found = []
    for node in ast.walk(tree):
        # Construction may allocate.
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            names = _Names()
            for statement in node.body:
                names.visit(statement)
            found += [f"{path}:{node.lineno}: {name}" for name in sorted(names.found & large)]
    assert found == []
