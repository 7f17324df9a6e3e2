"""The world around the chip: exact energy whatever the steps, and the relay's contact."""

import json
from types import SimpleNamespace

import pytest

from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.load import Household
from wattledger.host_sim.load_csv import LoadCsv
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.world import World

T0 = 1_799_704_800_000
URMS, IRMS, MEAN_HIGH, MEAN_LOW, PF, FREQUENCY = 0xD9, 0xDD, 0xB1, 0xC1, 0xBD, 0xF8


def measuring_chip():
    chip = Atm90e32()
    into = bytearray(4)
    for frame in ("007F55AA", "00000001", "007F0000"):
        chip.transfer(bytearray.fromhex(frame), into)
    return chip


@pytest.fixture
def world_of(tmp_path):
    """A world from the text of a load file, with mains that do not drift."""
    steady = SimpleNamespace(
        voltage_mv=lambda unix_ms: 230_000,
        frequency_mhz=lambda unix_ms: 50_000,
        next_change=lambda unix_ms: unix_ms + 3_600_000,
    )

    def build(text):
        path = tmp_path / "load.csv"
        path.write_text(text)
        return World(T0, measuring_chip(), LoadCsv(path, T0), steady, LatchingRelay())

    return build


TWO_STEPS = "t_s,watts,pf\n0,1000,1\n600,2000,0.8\n1200,0,1\n"


@pytest.mark.parametrize("slice_ms", [19, 997, 10_000, 599_999, 1_200_000])
def test_energy_is_exact_whatever_the_slices(world_of, slice_ms):
    world = world_of(TWO_STEPS)
    passed = 0
    while passed < 1_200_000:
        step = min(slice_ms, 1_200_000 - passed)
        world.advance(step)
        passed += step
    assert world.time_ms == T0 + 1_200_000
    assert world.import_mws == 1_800_000_000  # 1000 W x 600 s + 2000 W x 600 s
    assert world.export_mws == 0
    assert world.chip.total_counts(0) == 160_000  # 500 Wh / 3.125 mWh


def test_chip_sees_voltage_current_and_power_factor(world_of):
    world = world_of(TWO_STEPS)
    world.advance(600_001)
    peek = world.chip.peek
    assert peek(URMS) == 23_000
    assert peek(IRMS) == 10_870  # 2500 VA / 230 V
    assert peek(MEAN_HIGH) << 16 | peek(MEAN_LOW) == 6_250_000  # 2000 W / 0.32 mW
    assert peek(PF) == 800
    assert peek(FREQUENCY) == 5_000


def test_voltage_of_the_file_goes_before_the_mains(world_of):
    world = world_of("t_s,watts,volts\n0,100,241.5\n60,100,241.5\n")
    world.advance(1)
    assert world.chip.peek(URMS) == 24_150


def test_export_is_apart_from_import(world_of):
    world = world_of("t_s,watts,export_watts\n0,0,500\n60,100,0\n120,0,0\n")
    world.advance(120_000)
    assert (world.import_mws, world.export_mws) == (6_000_000, 30_000_000)
    assert world.chip.total_counts(0) == 533 - 2_666  # 533.3 forward, 2 666.7 reverse
    assert (world.chip.true_import, world.chip.true_export) == (6_000_000_000, 30_000_000_000)


def test_open_contact_takes_current_but_not_voltage(world_of):
    world = world_of(TWO_STEPS)
    world.advance(60_000)
    world.relay.open()
    world.advance(60_000)
    assert world.import_mws == 60_000_000
    assert world.chip.peek(URMS) == 23_000
    assert world.chip.peek(IRMS) == 0
    world.relay.close()
    world.advance(1_000)
    assert world.import_mws == 61_000_000


def test_time_stands_still_without_advance(world_of):
    world = world_of(TWO_STEPS)
    world.advance(0)
    assert (world.time_ms, world.import_mws) == (T0, 0)


def test_a_day_of_the_household_leaves_no_count_behind():
    world = World(T0, measuring_chip(), Household(4), Mains(4), LatchingRelay())
    for _ in range(8_640):
        world.advance(10_000)
    load, instant, energy = Household(4), T0, 0
    while instant < T0 + 86_400_000:
        change = min(load.next_change(instant), T0 + 86_400_000)
        energy += load.power_mw(instant) * (change - instant)
        instant = change
    assert world.import_mws == energy // 1000
    assert world.chip.total_counts(0) == energy // 11_250_000


def test_uci_day_through_the_chip(reference_data):
    load = LoadCsv(reference_data / "uci-household" / "2007-02-01_1min.csv", T0)
    world = World(T0, measuring_chip(), load, Mains(1), LatchingRelay())
    for _ in range(86_500):
        world.advance(1_000)
    # 1824.760 kW min = 109 485 600 Ws; / 11.25 Ws
    assert world.import_mws == 109_485_600_000
    assert world.chip.total_counts(0) == 9_732_053


def test_restored_world_goes_on_to_the_same_end():
    def build():
        return World(T0, measuring_chip(), Household(9), Mains(9), LatchingRelay())

    through, first = build(), build()
    for _ in range(1_000):
        through.advance(7_777)
    for _ in range(400):
        first.advance(7_777)
    second = World(T0 + 5, Atm90e32(), Household(9), Mains(9), LatchingRelay(False))
    second.restore(json.loads(json.dumps(first.state())))
    assert second.state() == first.state()
    for _ in range(600):
        second.advance(7_777)
    assert second.state() == through.state()
