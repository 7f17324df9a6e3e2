"""The simulated household and the mains."""

from itertools import pairwise

import pytest

from wattledger.host_sim import load as load_module
from wattledger.host_sim.appliances import Appliance
from wattledger.host_sim.load import Household, reactive_mvar
from wattledger.host_sim.mains import Mains

DAY_MS = 86_400_000
# Tuesday 2027-01-12 06:00 at UTC+8, the start of the demo, and its midnight.
START_MS = 1_799_704_800_000
MIDNIGHT_MS = START_MS - 6 * 3_600_000


def steps(load, start, end):
    """(start, end, mW) of the constant pieces between two instants."""
    while start < end:
        change = load.next_change(start)
        yield start, min(change, end), load.power_mw(start)
        start = change


@pytest.mark.parametrize("seed", range(25))
def test_a_day_takes_6_to_14_kwh(seed):
    load = Household(seed)
    for day in range(7):
        begin = MIDNIGHT_MS + day * DAY_MS
        energy = sum((end - start) * mw for start, end, mw in steps(load, begin, begin + DAY_MS))
        assert 6 < energy / 3.6e12 < 14


@pytest.mark.parametrize("seed", range(25))
def test_power_changes_visibly_within_the_first_minute_of_the_demo(seed):
    hour = list(steps(Household(seed), START_MS, START_MS + 3_600_000))
    powers = [mw for _, _, mw in hour]
    assert len(hour) >= 15
    assert min(powers) < 300_000
    assert max(powers) > 1_700_000
    first_visible = next(start for start, _, mw in hour if abs(mw - powers[0]) >= 50_000)
    assert first_visible - START_MS < 600_000


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_power_is_constant_between_changes(seed):
    load = Household(seed)
    other = Household(seed)
    for start, end, mw in steps(load, MIDNIGHT_MS, MIDNIGHT_MS + 2 * DAY_MS):
        for instant in (start, (start + end) // 2, end - 1):
            assert other.power_mw(instant) == mw
            assert start < other.next_change(instant) == load.next_change(start)


def test_it_is_a_function_of_seed_and_time_alone():
    instants = [START_MS + k * 12_345_678 for k in range(50)]
    forwards, backwards = Household(5), Household(5)
    expected = [(forwards.power_mw(t), forwards.power_factor(t)) for t in instants]
    got = [(backwards.power_mw(t), backwards.power_factor(t)) for t in reversed(instants)]
    assert got[::-1] == expected
    other = Household(6)
    assert [other.power_mw(t) for t in instants] != [mw for mw, _ in expected]


def test_power_factor_is_plausible():
    load = Household(1)
    for start, _, mw in steps(load, START_MS, START_MS + DAY_MS):
        assert 500 <= load.power_factor(start) <= 1000
        assert mw > 0
        assert load.voltage_mv(start) is None


def test_a_use_that_reaches_past_midnight_is_not_cut_there(monkeypatch):
    late = Appliance(0, ((1000, 1000, 100),), (1430, 1430), (30, 30), 100)
    monkeypatch.setattr(load_module, "PLAIN", {"late": late})
    load = Household(3)
    for minutes, on in ((-11, False), (-10, True), (-1, True), (0, True), (19, True), (20, False)):
        assert (load.power_mw(MIDNIGHT_MS + minutes * 60_000) >= 1_000_000) == on


def test_reactive_power_of_a_power_factor():
    assert reactive_mvar(300_000, 600) == 400_000  # 3, 4, 5
    assert reactive_mvar(-300_000, 600) == 400_000
    assert reactive_mvar(1_000_000, 1000) == 0
    assert reactive_mvar(0, 500) == 0


def test_mains_drift_slowly_around_230_v_and_50_hz():
    mains = Mains(1)
    voltages = [mains.voltage_mv(START_MS + k * 10_000) for k in range(8_640)]
    frequencies = [mains.frequency_mhz(START_MS + k * 10_000) for k in range(8_640)]
    assert 226_000 <= min(voltages) < 228_000 and 232_000 < max(voltages) <= 234_000
    assert 49_970 <= min(frequencies) < 49_985 and 50_015 < max(frequencies) <= 50_030
    # At most the whole swing of 8 V in the 60 steps between two knots, and one for rounding.
    assert max(abs(b - a) for a, b in pairwise(voltages)) <= 134


def test_mains_hold_until_their_next_change():
    mains = Mains(1)
    assert mains.next_change(START_MS) == START_MS + 10_000
    assert mains.next_change(START_MS + 9_999) == START_MS + 10_000
    assert mains.voltage_mv(START_MS) == mains.voltage_mv(START_MS + 9_999)
    assert mains.voltage_mv(START_MS) != Mains(2).voltage_mv(START_MS)
