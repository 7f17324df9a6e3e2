"""The shipped scenarios: each gives the figures its story works out, and keeps every promise."""

from functools import partial

import pytest

from wattledger.agent import events
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.host_sim.load import Household
from wattledger.host_sim.solar import Solar
from wattledger.tests.host.scenario_bench import (
    FLAT,
    HOUR_S,
    PEAK,
    VALLEY,
    WEEKEND,
    WORKDAY,
    moves,
    price_at,
    shipped,
    told,
)
from wattledger.tools import scenario_file, sim_plan
from wattledger.tools.scenario import FOLDER

NAMES = [
    "broker-outage",
    "emergency-credit",
    "forty-cuts",
    "friday-night",
    "price-change",
    "solar-house",
    "spoofed-clock",
    "tamper",
    "tiny-load",
    "tokens",
    "week-on-credit",
    "welded-relay",
]
BLOCKS = ((180_000, 0), (280_000, 50_000), (1 << 60, 300_000))  # up to Wh, dearer by


@pytest.fixture
def play(tmp_path):
    """Runs a shipped scenario; nothing may break a promise."""
    return partial(shipped, tmp_path)


def test_all_that_are_shipped_are_known_and_each_tells_its_story():
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == NAMES
    for name in NAMES:
        assert len(scenario_file.load(FOLDER / f"{name}.yaml").story) > 100


def test_the_tables_of_this_test_are_the_demo_tariffs():
    assert sum(WORKDAY) == 9 * VALLEY + 9 * FLAT + 6 * PEAK
    assert len(WORKDAY) == len(WEEKEND) == 24


def test_a_week_on_credit(play):
    report = play("week-on-credit").report
    assert report["register_wh"] == 168_000
    assert report["charged_micro"] == 83_200_000
    assert report["balance_nano"] == 36_800_000_000
    assert report["relay_ops"] == 0


def test_running_out_on_a_friday_night(play):
    outcome = play("friday-night")
    # A Wh takes 7.2 s: the crossing is seen with the Wh that makes it.
    (exhausted,) = told(outcome, events.CREDIT_EXHAUSTED)
    assert 0 <= exhausted - (18 * HOUR_S + 38 * 60 + 42) <= 13
    (opened, opening), (closed, closing) = moves(outcome)
    assert not opening and closing
    assert 0 <= opened - 70 * HOUR_S <= 5  # Monday, 06:00
    assert 0 <= closed - (72 * HOUR_S + 300) <= 15  # 08:05 and 3 s of holding
    # 70 h and about 6890 s at 500 W.
    assert abs(outcome.report["register_wh"] - (35_000 + 957.5)) < 2
    # Friday 4.46 + 0.31, two weekend days of 5.26, Monday's valley 0.93, three days' standing
    # 0.36 and 958 Wh of peak: 4.77 + 10.52 + 0.93 + 0.36 + 0.74724.
    assert abs(outcome.report["charged_micro"] - 17_327_240) <= 3_000
    assert outcome.report["credited_nano"] == 35_300_000_000


def test_a_solar_house(play):
    outcome = play("solar-house")
    scenario = scenario_file.load(FOLDER / "solar-house.yaml")
    house, sun = Household(3), Solar(5000, 3)
    taken = given = cost = 0
    now, end = scenario.start_s * 1000, (scenario.start_s + 3 * 86_400) * 1000
    while now < end:
        until = min(house.next_change(now), sun.next_change(now), end)
        energy = (house.power_mw(now) - sun.power_mw(now)) * (until - now)  # uWs
        if energy > 0:
            taken += energy
            cost += energy * price_at(now // 1000)
        else:
            given -= energy
        now = until
    wh = 3.6e9
    net = (taken - given) / wh
    registers = outcome.evidence.registers
    assert abs((registers[0] - registers[1]) / 3.6e6 - net) < 0.05
    assert 15_000 < taken / wh < 40_000
    assert given / wh > 20_000
    # Import and export are summed with sign each tick, so a tick in which the sign turns keeps
    # only the difference: less than a Wh a day here.
    assert 0 <= taken / wh - registers[0] / 3.6e6 < 4
    # Three standing charges and that of the next day's first instant; 0.35 for each kWh given.
    expected = cost / wh / 1000 + 4 * 120_000 - given / wh * 350
    assert abs(outcome.report["charged_micro"] - expected) < 5_000


def test_a_three_day_broker_outage(play):
    outcome = play("broker-outage")
    report = outcome.report
    assert report["register_wh"] == 57_600
    hours = range(scenario_file.load(FOLDER / "broker-outage.yaml").start_s, 1 << 40, HOUR_S)
    charged = sum(400 * price_at(hour) for hour in hours[: 6 * 24]) + 6 * 120_000_000
    assert report["charged_nano"] == charged == 29_020_000_000
    assert report["balance_nano"] == 65_000_000_000 - charged
    # The purchase of Wednesday arrives on Friday, and the copy is whole again.
    (credit,) = [e for e in outcome.evidence.entries if e.kind == records.CREDIT]
    assert 0 <= credit.time - outcome.evidence.entries[0].time - 4 * 86_400 <= 120
    assert len(outcome.evidence.copy) >= report["journal_head"]["sequence"] - 2


def test_a_welded_relay(play):
    outcome = play("welded-relay")
    # 08:00 to 13:00 at 1 kW, and on to the telling that the free contact follows: at most 61 s.
    register_wh = outcome.report["register_wh"]
    assert 5_000 < register_wh <= 5_017
    # Three hours at 0.78 and the rest at 0.53: nano-units are Wh times micro-units.
    charged = 3_000 * 780_000 + (int(register_wh) - 3_000) * 530_000
    assert outcome.report["charged_nano"] == charged
    assert outcome.report["balance_nano"] == 2_000_000_000 - charged
    assert outcome.evidence.movements == [False]  # it was told to, and could not until it was free
    ((opened, _),) = moves(outcome)
    assert 0 <= opened - 9_231 <= 5  # 2.00 / 0.78 h
    (welded,) = told(outcome, events.WELDED_CONTACT)
    assert 0 < welded - opened <= 10
    (freed,) = told(outcome, events.CONTACT_FREED)
    assert 18_000 <= freed <= 18_000 + 121


def test_a_tampered_meter(play):
    outcome = play("tamper")
    start = outcome.evidence.entries[0].time
    found = [
        (entry.time - start, *readers.unpack_event(entry.payload))
        for entry in outcome.evidence.entries
        if entry.kind == records.EVENT and readers.unpack_snapshot(entry.payload)
    ]
    # On phase A (1), ended +8; a reading a second.
    expected = [
        (20 * 60 + 2, events.SAG, 1),
        (21 * 60 + 1, events.LOW_VOLTAGE, 1),
        (25 * 60 + 4, events.SAG, 9),
        (26 * 60 + 1, events.LOW_VOLTAGE, 9),
        (40 * 60 + 2, events.SWELL, 1),
        (40 * 60 + 6, events.SWELL, 9),
        (60 * 60 + 11, events.REVERSE, 1),
        (70 * 60 + 11, events.REVERSE, 9),
    ]
    assert [entry[1:] for entry in found] == [entry[1:] for entry in expected]
    for (at, *_), (wanted, *_) in zip(found, expected, strict=True):
        assert abs(at - wanted) <= 1
    voltages = [
        readers.unpack_snapshot(e.payload)
        for e in outcome.evidence.entries
        if e.kind == records.EVENT and readers.unpack_snapshot(e.payload)
    ]
    assert 169_000 < voltages[0][0] < 176_000
    assert voltages[6][2] == pytest.approx(-1_000_000, abs=1)
    assert outcome.report["relay_ops"] == 0
    # 6600 s and 600 s at 1000 W.
    assert outcome.evidence.registers == pytest.approx((6_600_000_000, 600_000_000), rel=0.001)
    expected_micro = 1833 * 780 - 167 * 350
    assert abs(outcome.report["charged_micro"] - expected_micro) < 1_500


@pytest.mark.parametrize("days", [6, pytest.param(30, marks=pytest.mark.nightly)])
def test_a_month_with_40_power_cuts(play, days):
    outcome = play("forty-cuts", days)
    report = outcome.report
    path = FOLDER / "forty-cuts.yaml"
    scenario = scenario_file.shorten(scenario_file.load(path), days, path)
    cuts = [action for action in sim_plan.plan(scenario, 40) if action.what == "cut"]
    assert report["power_cuts"] == len(cuts) == 40
    off = sorted((cut.ms // 1000, cut.ms // 1000 + -(-cut.value // 10) * 10) for cut in cuts)
    now, end = scenario.start_s, scenario.start_s + days * 86_400
    used = cost = 0
    while now < end:
        if off and off[0][0] <= now < off[0][1]:
            now = off.pop(0)[1]
            continue
        dearer = next(add for limit, add in BLOCKS if used < limit * 3600)
        used += 6000  # Ws in 10 s at 600 W
        cost += 6000 * (price_at(now) + dearer)
        now += 10
    assert 0 <= used / 3600 - report["truth_wh"] + 0.3 < 5
    lost = report["truth_wh"] - report["register_wh"]
    assert 0 < lost < 200.3
    expected = cost / 3600 / 1000 + (days + 1) * 120_000
    assert abs(report["charged_micro"] - expected) < 250_000  # 200 Wh of the dearest price
    dates = [e for e in outcome.evidence.entries if e.kind == records.STANDING]
    assert len(dates) == days + 1
    credits = [e.amount for e in outcome.evidence.entries if e.kind == records.CREDIT]
    assert len(credits) == 6
    assert report["credited_nano"] == 300_000_000_000 + sum(credits)


def test_a_flat_with_a_tiny_load(play):
    report = play("tiny-load").report
    assert report["register_wh"] == 360
    assert report["charged_nano"] == 903_600_000
    assert report["balance_nano"] == 4_096_400_000
