"""`wattledger calibrate` against a simulated chip whose sensors are wrong."""

import json
import math

import pytest

from wattledger.board import sim as board
from wattledger.hal.meter import calibration as files
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import calibrate, cli
from wattledger.tools.calibration import atm90e32, auto, solve
from wattledger.tools.calibration.reading import CalibrationError, Reading, mean, measure
from wattledger.tools.calibration.reference import FromCsv
from wattledger.tools.calibration.simulated import SimulatedBench

NOMINAL = board.CALIBRATION[0]
LINE = ["calibrate", "--simulate", "--by", "A. Tech", "--against", "Fluke 435"]
# Answers to the prompts, in order: offset done; volts, amperes, watts of gain, phase, verify.
ANSWERS = ["", "230", "5", "1150", "230", "5", "575", "230", "2.5", "460"]
HEAD = "time,step,voltage,current,power\n"
ROWS = [
    "2026-11-28T10:00:00Z,gain,230.01,5.000,1150.1",
    "2026-11-28T10:00:05Z,gain,229.99,5.000,1149.9",
    "2026-11-28T10:05:00Z,phase,230.0,5.0,575.0",
    "2026-11-28T10:10:00Z,verify,230.0,2.5,460.0",
]


def bench(voltage_ppm=31_000, current_ppm=-42_000, angle_mdeg=-2_000, phases=1):
    nominal = [dict(NOMINAL) for _ in range(phases)]
    return SimulatedBench(atm90e32, nominal, voltage_ppm, current_ppm, angle_mdeg)


def run(monkeypatch, tmp_path, answers, *options):
    """(exit code, path of the file) of the command with these lines typed."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    out = tmp_path / "calibration.json"
    return cli.run([*LINE, "--out", str(out), *options]), out


def test_typed_numbers_give_the_constants_worked_out_by_hand(monkeypatch, tmp_path, capsys):
    code, out = run(monkeypatch, tmp_path, ANSWERS)
    assert code == 0
    (constants,) = files.load(out.read_bytes(), "atm90e32", atm90e32.TABLE)
    # 36700 / 1.031 = 35596.5; 31785 / 0.958 = 33178.5; the current is read in whole mA, so one
    # in 4790 is the most it may be off. 2 degrees are 2 / 360 x 40 960 = 227.6 cycles.
    assert constants["voltage_gain"] == pytest.approx(35596.5, abs=1)
    assert constants["current_gain"] == pytest.approx(33178.5, abs=33178 / 4790)
    assert constants["phase"] == 228
    assert abs(constants["power_gain"]) <= 10  # 3e-4: what the milliampere left
    found = json.loads(out.read_text())
    assert (found["by"], found["chip"]) == ("A. Tech", "atm90e32")
    assert found["against"] == "Fluke 435 (typed numbers)"
    shown = capsys.readouterr()
    assert "Mains voltage kills" in shown.err
    # U x 1.031, I x 0.958; P x 1.031 x 0.958 x cos(36.87 - 2) / cos(36.87) = x 1.0130.
    for text in ("+3.100%", "-4.2", "+1.29"):
        assert text in shown.out


def test_a_csv_of_the_reference_does_the_same(monkeypatch, tmp_path, capsys):
    path = tmp_path / "ref.csv"
    path.write_text(HEAD + "\n".join(ROWS) + "\n")
    code, out = run(monkeypatch, tmp_path, [], "--reference", str(path), "--json")
    assert code == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["constants"][0]["phase"] == 228
    assert all(abs(error) < 0.002 for error in found["after"][0][::2])
    assert json.loads(out.read_text())["against"] == "Fluke 435 (ref.csv)"


def typed(at, *numbers):
    """The answers with those of the step at index `at` replaced."""
    return ANSWERS[:at] + [str(number) for number in numbers] + ANSWERS[at + len(numbers) :]


@pytest.mark.parametrize(
    ("answers", "options", "words"),
    [
        (typed(1, 330), [], ("power factor is 0.697", "another load")),
        (typed(1, 330, 5, 1650), [], ("voltage_gain", "at most 20%", "units")),
        (typed(2, 0), [], ("0 A", "at least 0.5 A")),
        (typed(2, 5, 2000), [], ("2000 W are more than 230 V x 5 A",)),
        (typed(2, "nan"), [], ("power factor is nan",)),
        (typed(4, 230, 5, 1150), [], ("power factor is 1.000", "0.3 to 0.7")),
        (typed(7, 230, 2.5, 500), [], ("verification failed", "power", "nothing was saved")),
        (typed(7, 0), [], ("the reference shows 0 V",)),
        (ANSWERS, ["--angle-mdeg", "180000"], ("reversed", "turn it round")),
        (ANSWERS, ["--current-ppm", "-1000000"], ("reads 0.000 A", "plugged in")),
        (ANSWERS, ["--current-ppm", "-300000"], ("current_gain", "+42", "passes through")),
        (ANSWERS, ["--angle-mdeg", "-4000"], ("phase would be 455", "-255 to 255")),
    ],
)
def test_the_implausible_is_refused_and_nothing_saved(
    monkeypatch, tmp_path, capsys, answers, options, words
):
    code, out = run(monkeypatch, tmp_path, answers, *options)
    assert code == 1
    assert not out.exists()
    said = capsys.readouterr().err
    for word in words:
        assert word in said


def test_without_a_board_it_says_what_to_do(capsys):
    assert cli.run(["calibrate"]) == 1
    assert "--simulate" in capsys.readouterr().err


def test_input_that_ends_early_is_told_and_saves_nothing(monkeypatch, tmp_path, capsys):
    code, out = run(monkeypatch, tmp_path, ANSWERS[:4])
    assert code == 1
    assert not out.exists()
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == "the input ended at 'reference voltage, V', and nothing was done; answer it"


def test_an_interrupt_at_a_question_puts_the_old_constants_back():
    class Interrupted(Scripted):
        def read(self, step, phase, shown):
            if step == "verify":
                raise KeyboardInterrupt
            return shown

    house = bench()
    with pytest.raises(KeyboardInterrupt):
        calibrate.Guide(house, Interrupted(), lambda text: None).run()
    assert house.chip.peek(0x61) == NOMINAL["voltage_gain"]


def test_a_number_that_is_none_is_asked_for_again(monkeypatch, tmp_path, capsys):
    code, out = run(monkeypatch, tmp_path, ["", "x", *ANSWERS[1:]])
    assert code == 0 and out.exists()
    assert "'x' is no number, as 230.1; once more\n" in capsys.readouterr().err


def test_stdout_holds_the_json_alone(monkeypatch, tmp_path, capsys):
    code, out = run(monkeypatch, tmp_path, ANSWERS, "--json")
    shown = capsys.readouterr().out
    assert code == 0
    assert shown.startswith("{") and shown.count("\n") == 1
    assert json.loads(shown)["file"] == str(out)


class Scripted:
    """A reference that shows what it is told to."""

    name = "scripted"

    def __init__(self, **changes):
        self._changes = changes

    def wait(self):
        pass

    def read(self, step, phase, shown):
        return self._changes.get(step, shown)


def test_a_failed_verification_puts_the_old_constants_back():
    house = bench()
    wrong = Scripted(verify=Reading(230.0, 2.5, 470.0))
    with pytest.raises(CalibrationError, match="verification failed"):
        calibrate.Guide(house, wrong, lambda text: None).run()
    assert house.chip.peek(0x61) == NOMINAL["voltage_gain"]
    assert house.chip.peek(0x48) == 0


def test_what_was_verified_is_in_the_chip():
    house = bench()
    result = calibrate.Guide(house, Scripted(), lambda text: None).run()
    assert house.chip.peek(0x61) == result.constants[0]["voltage_gain"]
    assert house.chip.peek(0x48) == 228


def test_each_phase_has_its_own_constants():
    house = bench(phases=3)
    house.chip.set_front_end(1, -20_000, 15_000, 500)
    result = calibrate.Guide(house, Scripted(), lambda text: None).run()
    # 36700 / 0.98 = 37449; 0.5 degrees behind are 56.9 cycles less.
    assert result.constants[1]["voltage_gain"] == pytest.approx(37449, abs=1)
    assert [constants["phase"] for constants in result.constants] == [228, -57, 228]


def test_a_load_that_is_still_on_is_no_offset():
    house = bench()
    house.load = lambda step, phase: house.put(phase, auto.LOADS["gain"]) or auto.LOADS["gain"]
    with pytest.raises(CalibrationError, match=r"4.790 A where none should flow"):
        calibrate.Guide(house, Scripted(), lambda text: None).run()


def test_offsets_are_in_the_units_of_the_chip():
    # 20 mA are 20 x 65536 of the 32-bit reading, >> 7 that is 10 240, and its complement
    # (ESPHome left the shift out); 0.64 W are 2000 of 0.00032 W.
    constants = auto.full(atm90e32, {})
    atm90e32.offset(constants, 0.020, 0.64, -0.32)
    assert constants["current_offset"] == -10_240
    assert (constants["power_offset"], constants["reactive_offset"]) == (-2000, 1000)
    house = bench(0, 0, 0)
    house.nominal[0]["current_offset"] = 10_240
    found = auto.calibrate(house.build, atm90e32, house.load, house.wait_ms, house.nominal)
    assert found[0]["current_offset"] == 0


def test_the_worked_example_of_the_application_note():
    # Atmel-46103A: 0x8000 x 220.00 / 123.453 = 0xE41B; it rounds 58 394.4 up.
    constants = auto.full(atm90e32, {})
    atm90e32.voltage(constants, 220.00 / 123.453)
    assert constants["voltage_gain"] == 0xE41B - 1
    # PQGain for an error e is the complement of -e / (1 + e) x 2^15: 1 % is -324.4.
    atm90e32.power(constants, 1 / 1.01)
    assert constants["power_gain"] == -324
    # Phi at 50 Hz is e x 3763.739 for an error e at power factor 0.5: 1 % is 37.6 cycles.
    atm90e32.angle(constants, math.degrees(0.01 / math.sqrt(3)), 50.0)
    assert constants["phase"] == 38


def test_readings_that_differ_are_noise():
    steady = Reading(230.0, 5.0, 1150.0)
    assert mean([steady, Reading(230.2, 5.01, 1152.0)], "it").volts == pytest.approx(230.1)
    with pytest.raises(CalibrationError, match="from 1150.000 to 1190.000 W.*steady load"):
        mean([steady, Reading(230.0, 5.0, 1190.0)], "it")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,step,voltage,current\n", "lacks the column power"),
        (HEAD + "1,gain,230,x,5\n", r":2: a cell is empty or no number"),
        (HEAD + "1,gain,230\n", r":2: a cell is empty"),
        (HEAD + "1,gain,230,5,1150\n1,gain,230,5,1200\n", "the reference moved"),
        (HEAD + "1,phase,230,5,575\n", "no row of step gain, phase 1"),
    ],
)
def test_a_csv_that_does_not_serve_says_where(tmp_path, text, said):
    path = tmp_path / "ref.csv"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=said):
        FromCsv(path).read("gain", 0, None)


# Amperes from 0.05 Ib (5 A) to Imax (60 A); limits of IEC 62053-21 class 1 in percent.
GRID = [(1.0, 0, 0.1), (0.5, 1, 0.2), (0.8, -1, 0.2)]


@pytest.mark.parametrize("errors", [(31_000, -42_000, -2_000), (-25_000, 30_000, 2_000)])
def test_the_grid_of_class_1_stays_within_a_fifth_of_its_limits(errors):
    house = bench(*errors)
    found = auto.calibrate(house.build, atm90e32, house.load, house.wait_ms, house.nominal)
    driver = house.build(found)
    worst = 0.0
    for factor, direction, wide_below in GRID:
        for share in (0.05, 0.1, 0.2, 1.0, 4.0, 12.0):
            if factor != 1.0 and share < 0.1:
                continue
            amps = 5.0 * share
            limit = 1.5 if share < wide_below else 1.0
            watts = 230 * amps * factor
            lag = direction * 230 * amps * math.sqrt(1 - factor * factor)
            house.put(0, Reading(230.0, amps, watts, lag))
            error = 100 * (measure(driver, house.wait_ms, 0).watts / watts - 1)
            worst = max(worst, abs(error) / limit)
    # Half a step of Phi at 0.5 is 4.4 millidegrees x tan 60 = 0.013 %; PQGain's half step 0.002 %.
    assert worst < 0.03


def test_check_constants_takes_its_own_nominal():
    nominal = auto.full(atm90e32, NOMINAL)
    solve.check_constants(atm90e32, nominal, dict(nominal))
    with pytest.raises(CalibrationError, match="voltage_gain would be 29300, -20.2%"):
        solve.check_constants(atm90e32, nominal, dict(nominal, voltage_gain=29_300))


def test_the_file_in_the_docs_is_one(tmp_path):
    text = (ROOT / "docs" / "calibration.md").read_text("utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    assert files.load(example.encode(), "atm90e32", atm90e32.TABLE)[0]["phase"] == 228
    rows = text.split("```\ntime,")[1].split("```")[0]
    path = tmp_path / "docs.csv"
    path.write_text("time," + rows)
    found = FromCsv(path).read("gain", 0, None)
    assert (found.volts, found.amps, found.watts) == pytest.approx((230.0, 5.0, 1150.0))
