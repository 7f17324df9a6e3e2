"""The accuracy bench sees the errors that arithmetic says are there, and no others."""

import json
import math

import pytest

from wattledger.tools.bench import accuracy, adc_drift, curve, drift, loads
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.loads import Load
from wattledger.tools.bench.reader import Reader
from wattledger.tools.bench.subjects import ATM90E32_GAINS, REPLAYS, SUBJECTS, Replay, Subject
from wattledger.tools.calibration import chips
from wattledger.tools.calibration.simulated import SimulatedBench

COUNTS = 10_000  # a step of 100 ppm
STEP_PPM = 150


def uncalibrated(*errors):
    return Subject("ATM90E32", "atm90e32", [dict(ATM90E32_GAINS)], errors, is_calibrated=False)


@pytest.fixture(scope="module")
def made():
    """Subjects by name, each made when it is first asked for."""
    makers = dict(
        zip(
            ("ATM90E32", "ADE7953", "BL0942", "BL0942 at 0.1 degree", "CSE7766", "PZEM-004T"),
            SUBJECTS,
            strict=False,
        )
    )
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = makers[name]()
            assert kept[name].name == name
        return kept[name]

    return get


@pytest.mark.parametrize(
    ("load", "percent"),
    [
        (Load(5_000), 100 * (math.cos(math.radians(2)) - 1)),  # -0.061
        (Load(5_000, 500), -6.1057),  # cos 62 / cos 60: cos 2 - tan 60 sin 2 - 1
        (Load(5_000, -800), 2.5566),  # cos 34.8699 / 0.8
    ],
)
def test_two_degrees_are_seen_at_their_size(load, percent):
    error = uncalibrated(0, 0, 2_000).error_ppm(load, counts=COUNTS)
    assert error == pytest.approx(percent * 1e4, abs=STEP_PPM)


def test_gains_are_seen_at_their_size():
    # 1.04 x 0.94 = 0.9776
    error = uncalibrated(40_000, -60_000, 0).error_ppm(Load(5_000), counts=COUNTS)
    assert error == pytest.approx(-22_400, abs=STEP_PPM)


def test_a_delay_that_stands_for_an_angle_is_off_with_the_frequency(made):
    # Two degrees as a time are 2.04 at 51 Hz: 0.04 degree x tan 60 = 0.121 %.
    subject = made("ATM90E32")
    half = Load(5_000, 500)
    high = Load(5_000, 500, frequency_mhz=51_000)
    change = subject.error_ppm(high) - subject.error_ppm(half)
    assert abs(change) == pytest.approx(1_209, abs=60)


@pytest.mark.parametrize("name", ["ATM90E32", "ADE7953", "BL0942"])
def test_calibrated_chips_stay_within_a_fifth_of_class_1(made, name):
    subject = made(name)
    rows = accuracy._points(subject)
    assert max(row.ratio for row in rows) <= 0.2
    kinds = [row.name[len(name) :] for row in rows]
    assert len(rows) == len(set(kinds)) == 13 + 9 + 2 + (5 if subject.phases == 3 else 0)


@pytest.mark.parametrize(
    ("name", "degree"), [("BL0942 at 0.1 degree", 0.1), ("PZEM-004T", 0.1), ("CSE7766", 0.05)]
)
def test_a_sensor_s_angle_stays_where_a_chip_has_no_constant_for_it(made, name, degree):
    error = made(name).error_ppm(Load(5_000, 500))
    wanted = -math.tan(math.radians(60)) * math.sin(math.radians(degree))
    # 250 ppm is what the energy's gain may be off.
    assert error == pytest.approx(wanted * 1e6, abs=250)


def test_what_unbalances_three_phases_reaches_the_chip(made, monkeypatch):
    subject = made("ATM90E32")
    chip = subject._bench.chip
    told = []
    set_phase, set_sequence = chip.set_phase, chip.set_sequence
    monkeypatch.setattr(chip, "set_phase", lambda *given: told.append(given) or set_phase(*given))
    monkeypatch.setattr(
        chip, "set_sequence", lambda given: told.append(given) or set_sequence(given)
    )
    subject.error_ppm(Load(5_000), (0, 1), is_interrupted=True, counts=1_000)
    loaded = (230_000, 5_000, 1_150_000, 0)
    assert told == [False, (0, *loaded), (1, *loaded), (2, 0, 0, 0, 0)]
    told.clear()
    accuracy._polyphase(subject)
    assert told.count(True) == 1 and (2, 0, 0, 0, 0) in told


def test_the_ina228_is_read_at_a_direct_current():
    rows = accuracy._points(SUBJECTS[6]())
    assert [row.name for row in rows][:2] == ["INA228 0.25 A of 48 V", "INA228 0.5 A of 48 V"]
    assert len(rows) == 5
    assert max(row.ratio for row in rows) < 0.05


def test_a_creep_is_seen():
    # 30 000 steps of 0.00032 W are 9.6 W, over the chip's start threshold.
    gains = {**ATM90E32_GAINS, "power_offset": 30_000}
    subject = Subject("crept", "atm90e32", [gains], (0, 0, 0), is_calibrated=False)
    assert subject.creep_wh(230_000, 3600) == pytest.approx(9.6, rel=0.01)


def test_limits_follow_the_tables():
    assert [loads.limit_ppm(ma) for ma in (125, 250, 499, 500, 60_000)] == [
        30_000,
        15_000,
        15_000,
        10_000,
        10_000,
    ]
    assert [loads.limit_ppm(ma, True) for ma in (500, 999, 1_000)] == [15_000, 15_000, 10_000]
    assert loads.grid(16_000)[4][0] == Load(16_000)


def test_a_chip_that_is_silent_is_no_accurate_chip():
    subject = SUBJECTS[2]()
    subject._bench.chip.silent = True
    with pytest.raises(BenchError, match="BL0942 was refused"):
        subject.error_ppm(Load(5_000))


# Years, and what is on their way: BL0942 3135 kWh to a wrap of 24 bits, PZEM-004T 10 MWh to its
# own turn; 3506 kWh a year.
@pytest.mark.parametrize(
    ("index", "years", "turns"), [(0, 0.2, 0), (1, 0.2, 0), (2, 1, 0), (3, 0.1, 0), (4, 3, 1)]
)
def test_no_count_goes_astray(index, years, turns):
    replay = REPLAYS[index]()
    assert drift._replay(replay, round(400 * 8766 * years)) == 0
    assert replay.restarts == turns


def test_the_ina228_loses_no_count():
    assert drift._replay(REPLAYS[5](), 400 * 8766) == 0


def test_the_raw_adc_s_sums_lose_no_count():
    assert adc_drift.lost_counts(400 * 8766 // 4) == 0


class Leaky(Replay):
    """Loses the 100th tick's last count."""

    def __init__(self):
        super().__init__("leaky", "bl0942", {})
        self._ticks = 0

    def after(self, ms):
        counts = super().after(ms)
        self._ticks += 1
        if self._ticks == 100:
            counts[0] -= 1
        return counts


def test_one_lost_count_in_years_is_seen():
    assert drift._replay(Leaky(), 400 * 8766) == 1


def test_a_reading_is_of_now_however_late_the_chip_answers():
    table = chips.load("pzem004t")
    bench = SimulatedBench(table, [{}])
    reader = Reader("PZEM-004T", bench, [{}])
    bench.chip.set_phase(0, 230_000, 15_652, 3_600_000)
    # 3.6 kW: a Wh a second, and a hundred of them are more than the driver believes at once.
    assert reader.after(1_000) == [1]
    assert reader.after(100_000) == [100]


def test_the_report_and_its_picture(tmp_path):
    report = accuracy.run(SUBJECTS[6:], {}, years=0.01)
    found = json.loads(json.dumps(report.report()))
    assert set(found["worst"]) == {"INA228"}
    assert found["worst"]["INA228"]["ratio"] < 0.05
    assert [row["name"] for row in found["rows"] if "years" in row["name"]][:2] == [
        "ATM90E32 after 0.01 years",
        "ADE7953 after 0.01 years",
    ]
    assert all(row["ratio"] == 0 for row in found["rows"] if row["unit"] == "counts")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "accuracy.png"
    curve.draw(report, path)
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 20_000


def test_a_picture_takes_a_chip_of_alternating_current(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    report = accuracy.Report("accuracy", "", [])
    report.curves["X"] = [(20, -0.5, None), (500, 0.0, 1e9), (60_000, 12.0, -3.0)]
    curve.draw(report, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 20_000


@pytest.mark.nightly
def test_the_whole_bench():
    found = accuracy.run().report()
    for name in ("ATM90E32", "ADE7953", "BL0942"):
        assert found["worst"][name]["ratio"] <= 0.2
    drifts = [row for row in found["rows"] if row["unit"] == "counts"]
    assert len(drifts) == 7
    assert all(row["ratio"] == 0 for row in drifts)
