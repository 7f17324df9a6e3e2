"""The raw ADC's benches on a small size, and its accuracy at points that take a second."""

import pytest

from wattledger.hal.meter import waveform_linux
from wattledger.tools.bench import adc_methods, dsp
from wattledger.tools.bench.adc_accuracy import DITHER, error_ppm, measured_mw
from wattledger.tools.bench.loads import GRID, INFLUENCES, NO_LOAD_MV, Load


def test_dsp_compares_equal_work_in_one_run():
    report = dsp.run(count=20, rounds=1)
    rows = {row["name"]: row for row in report.report()["rows"]}
    wanted = {"sums, pure Python", "reading, pure Python"}
    if waveform_linux.numpy is not None:
        wanted |= {"sums, numpy", "reading, numpy"}
    assert set(rows) == wanted
    for row in rows.values():
        assert row["measured"] > 0 and row["reference"] > 0 and row["unit"] == "ns a pair"


def test_dsp_without_numpy_says_so(monkeypatch):
    monkeypatch.setattr(waveform_linux, "numpy", None)
    report = dsp.run(count=20, rounds=1)
    assert len(report.rows) == 2 and "pip install numpy" in report.notes[-1]


def test_a_load_s_powers():
    # 230 V x 10 A at 0.8 leading: 1840 W, -1380 var.
    assert Load(10_000, -800).powers() == (1_840_000, -1_380_000)


def test_a_middle_load_is_right_with_and_without_dither():
    # Ib at PF 1: class 1 allows 10 000 ppm; the rounding of 12 bits leaves about 0.1 %.
    assert abs(error_ppm(Load(5_000), 0, 2)) < 1_500
    assert abs(error_ppm(Load(5_000), DITHER, 2)) < 500


def test_no_load_counts_nothing():
    found, true = measured_mw(Load(0, voltage_mv=NO_LOAD_MV), DITHER, 5)
    # Noise alone. Class 1 lets a pulse of 1/k kWh be in 600 000 000 / (k x 230 V x 60 A) minutes:
    # 1.38 W.
    assert true == 0 and abs(found) < 138


@pytest.mark.nightly
def test_class_1_holds_with_dither_and_class_2_without():
    for load, class_1, class_2 in GRID:
        assert abs(error_ppm(load, DITHER)) <= 0.2 * class_1, load
        if class_2:
            assert abs(error_ppm(load, 0)) <= 0.8 * class_2, load


@pytest.mark.nightly
def test_influence_quantities_stay_within_their_limits_of_class_1():
    for name, load, reference, limit in INFLUENCES:
        change = error_ppm(load, DITHER) - error_ppm(reference, DITHER)
        assert abs(change) <= 0.2 * limit, name


@pytest.mark.nightly
def test_other_methods_err_as_their_mathematics_say():
    errors = adc_methods.errors()
    half = errors["50 Hz, PF 0.5"]
    # tan 60 x 2.25 degrees = 6.8 %; cos 2.25 degrees = 1 - 0.077 %
    assert 65_000 < half["uncorrected"] < 69_000
    assert -900 < half["linear"] < -650
    assert abs(errors["49 Hz, PF 0.5"]["fixed_window"]) > 20_000
    for name, row in errors.items():
        # The 5th harmonic is 4 % of the power, at cos 11.25 / cos 2.25 degrees: - 0.073 %.
        assert abs(row["ours"]) < (900 if "5th" in name else 100)
