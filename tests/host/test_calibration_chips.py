"""Every chip's constants from errors worked out by hand, and `calibrate` for every board."""

import io
import json
import math
import re

import pytest

from wattledger.hal.meter import calibration as files
from wattledger.hal.sample import ENERGY_COUNTS, NO_ANSWER, OK
from wattledger.tools import cli, wiring
from wattledger.tools.calibration import auto, chips, solve
from wattledger.tools.calibration.reading import CalibrationError, Reading, counted, measure
from wattledger.tools.calibration.simulated import SimulatedBench

LINE = ["calibrate", "--simulate", "--by", "A. Tech", "--against", "Fluke 435"]
# Offset done; gain; the count done; energy; verify.
BL0942 = ["", "230", "5", "1150", "", "230", "5", "1150", "230", "2.5", "575"]


def found(name, errors, nominal=None):
    """(bench, constants) of one phase after calibration."""
    table = chips.load(name)
    bench = SimulatedBench(table, nominal or [{}], *errors)
    constants = auto.calibrate(bench.build, table, bench.load, bench.wait_ms, bench.nominal)
    return bench, constants


def command(monkeypatch, tmp_path, answers, *options):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    out = tmp_path / "calibration.json"
    return cli.run([*LINE, "--out", str(out), *options]), out


def test_the_ade7953_s_registers():
    _, (constants,) = found("ade7953", (30_000, -50_000, 500))
    # 2**22 / 1.03 and / 0.95; half a degree of lag is 0.5 / 360 / 50 s = 27.8 us of advance.
    assert constants["voltage_gain"] == pytest.approx(4_072_140, rel=5e-6)
    assert constants["current_gain"] == pytest.approx(4_415_057, rel=2e-4)
    assert constants["phase"] == -25
    # What the milliampere of the current's reading left, at most 1 in 5000.
    assert constants["power_gain"] == pytest.approx(1 << 22, rel=2e-4)


def test_both_circuits_of_an_ade7953_share_the_voltage():
    table = chips.load("ade7953")
    bench = SimulatedBench(table, [{}, {}], 30_000, -50_000, 500)
    bench.chip.set_front_end(1, 30_000, 40_000, -1_000)
    first, second = auto.calibrate(bench.build, table, bench.load, bench.wait_ms, bench.nominal)
    assert "voltage_gain" in first and "voltage_gain" not in second
    # 2**22 / 1.04; a degree of lead is 1 / 360 / 50 x 895 000 = 49.7 steps.
    assert second["current_gain"] == pytest.approx(4_032_985, rel=2e-4)
    assert (first["phase"], second["phase"]) == (-25, 50)


def test_the_ade7953_s_offsets_are_in_its_units():
    table = chips.load("ade7953")
    constants = auto.full(table, {})
    # 20 mA are 2000 LSB, squared 4 000 000, in steps of 4096: 976.6. Full scale, 31 375.83 W, is
    # 4 862 401 LSB: 0.5 W are 77.49 of them, in steps of 1/512 LSB 39 674.
    table.offset(constants, 0.020, 0.5, 0.0)
    assert constants["current_offset"] == -977
    assert constants["power_offset"] == pytest.approx(-39_674, abs=2)
    # Twice the LSB an A: four times the square, twice the LSB a W.
    constants = auto.full(table, {})
    table.offset(constants, 0.020, 0.5, 0.0, amp_lsb=200_000)
    assert constants["current_offset"] == -3906
    assert constants["power_offset"] == pytest.approx(-79_349, abs=4)


def test_the_bl0942_s_gains():
    _, (constants,) = found("bl0942", (50_000, -50_000, 50))
    assert constants["voltage_gain"] == pytest.approx(952_381, rel=2e-5)
    assert constants["current_gain"] == pytest.approx(1_052_632, rel=2e-5)
    # 1.05 x 0.95 = 0.9975; the power after its two gains is too low by as much.
    assert constants["power_gain"] == pytest.approx(1_002_506, rel=2e-5)
    # Timed over 400 s to a look of 0.1 s at either end.
    assert constants["energy_gain"] == pytest.approx(1_002_506, rel=2.5e-4)


def test_energy_is_weighed_by_counts_and_not_by_the_power():
    """Two published constants of energy are apart by 1.55: the power knows nothing of it."""
    _, (constants,) = found("bl0942", (0, 0, 0), [{"energy_gain": 1_550_000}])
    assert constants["energy_gain"] == pytest.approx(1_000_000, rel=2.5e-4)
    assert constants["power_gain"] == pytest.approx(1_000_000, rel=2e-5)


@pytest.mark.parametrize("name", ["cse7766", "pzem004t"])
def test_the_plug_s_and_the_module_s_gains(name):
    _, (constants,) = found(name, (30_000, -42_000, 0))
    # 1 / 1.03, 1 / 0.958, 1 / (1.03 x 0.958). A cycle of 820 at 237 V may be off by a half, a
    # module shows 0.1 V of 237.
    assert constants["voltage_gain"] == pytest.approx(970_874, rel=6.1e-4)
    assert constants["current_gain"] == pytest.approx(1_043_841, rel=3e-4)
    assert constants["power_gain"] == pytest.approx(1_013_438, rel=3e-4)
    assert constants["energy_gain"] == pytest.approx(1_013_438, rel=2.5e-4)


def test_the_ina228_has_one_gain():
    bench, constants = found("ina228", (0, -40_000, 0))
    assert constants == [{"current_gain": pytest.approx(1_041_667, rel=1e-4)}]
    driver = bench.build(constants)
    bench.put(0, Reading(48.0, 20.0, 960.0))
    assert measure(driver, bench.wait_ms, 0).watts == pytest.approx(960, rel=3e-4)
    assert counted(driver, bench.wait_ms, 0) == pytest.approx(960, rel=4e-4)


def test_the_mcp3208_s_codes_and_angle():
    _, (constants,) = found("mcp3208", (31_000, -42_000, -2_000))
    # 195 312 / 1.031, 49 718 / 0.958; the sensed current leads by two degrees. 12 bits of 5 A in
    # a range of 100 A leave some ten millidegrees and some 0.1 %.
    assert constants["voltage_gain"] == pytest.approx(189_439, rel=2e-4)
    assert constants["current_gain"] == pytest.approx(51_898, rel=1e-3)
    assert constants["phase"] == pytest.approx(2_000, abs=60)


def test_no_constants_are_made_for_an_unknown_chip():
    with pytest.raises(
        CalibrationError, match="no calibration for a stpm34; there is one for ade"
    ):
        chips.load("stpm34")


class Counter:
    """A meter of 1 Wh a count at a steady power; `slow` answers every other time."""

    energy_numerator = energy_denominator = 1
    delayed = True

    def __init__(self, watts, slow=False):
        self._watts = watts
        self._slow = slow
        self._ws = 0.0
        self._turn = 0

    def wait_ms(self, ms):
        self._ws += self._watts * ms / 1000

    def read_into(self, sample):
        self._turn += 1
        if self._slow and self._turn % 2:
            return NO_ANSWER
        counts = math.floor(self._ws / 3600)
        self._ws -= counts * 3600
        sample[ENERGY_COUNTS] = counts
        return OK


@pytest.mark.parametrize(("watts", "slow"), [(1150.0, False), (1150.0, True), (57.5, False)])
def test_energy_is_timed_from_a_count_to_a_count(watts, slow):
    meter = Counter(watts, slow)
    # At 1150 W a Wh takes 3.13 s; whole counts in any 400 s would be off by up to 0.8 %.
    assert counted(meter, meter.wait_ms, 0) == pytest.approx(watts, rel=5e-4)


def test_a_meter_that_counts_nothing_is_told():
    meter = Counter(0.0)
    with pytest.raises(CalibrationError, match="counted no energy in 120 s: is the load on"):
        counted(meter, meter.wait_ms, 0)


def test_a_load_that_goes_off_while_it_is_counted_is_told():
    meter = Counter(1150.0)
    waited = 0

    def wait_ms(ms):
        nonlocal waited
        waited += ms
        if waited < 60_000:
            meter.wait_ms(ms)

    with pytest.raises(CalibrationError, match="counted no energy in 120 s"):
        counted(meter, wait_ms, 0)


def test_energy_that_went_the_other_way_is_told():
    table = chips.load("bl0942")
    with pytest.raises(CalibrationError, match=r"counted -1150.0 W .* reversed"):
        solve.energy(table, auto.full(table, {}), -1150.0, 1150.0)


def test_a_chip_that_falls_silent_is_told():
    bench, constants = found("bl0942", (0, 0, 0))
    driver = bench.build(constants)
    bench.chip.silent = True
    with pytest.raises(CalibrationError, match=r"reading failed \(status 1\); check power"):
        measure(driver, bench.wait_ms, 0)


@pytest.mark.parametrize("board", ["sim", *wiring.names()])
def test_every_board_s_chip_is_calibrated(monkeypatch, tmp_path, capsys, board):
    code, out = command(monkeypatch, tmp_path, [""] * 60, "--board", board, "--json")
    assert code == 0
    module = wiring.any_board(board)
    constants = files.load(out.read_bytes(), module.CHIP, chips.load(module.CHIP).TABLE)
    assert len(constants) == len(module.PHASES)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    for before, after in zip(told["before"], told["after"], strict=True):
        assert before[0] == pytest.approx(0.031, abs=2e-4)
        assert before[1] == pytest.approx(-0.042, abs=2e-3)
        # Voltage, power, energy within a fifth of class 1; the current's milliampere too.
        assert all(abs(error) < 0.002 for error in (after[0], *after[2:4]))
        assert abs(after[1]) <= 0.002 + 0.0015 / 2.5


def test_the_energy_of_a_count_is_asked_for_where_it_has_a_gain(monkeypatch, tmp_path, capsys):
    assert command(monkeypatch, tmp_path, BL0942, "--board", "esp32_bl0942")[0] == 0
    shown = capsys.readouterr()
    steps = re.findall(r"phase 1, (\w+):", shown.err)
    assert steps == ["offset", "gain", "count", "energy", "verify"]
    # 1.031 x 0.958 = 0.987698, of the energy as of the power.
    energy = next(line for line in shown.out.splitlines() if line.startswith("energy"))
    assert energy.split()[1].startswith("-1.2")


def answers(at, *numbers):
    return BL0942[:at] + [str(number) for number in numbers] + BL0942[at + len(numbers) :]


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        (answers(1, 330, 5, 1650), [], ("voltage_gain", "at most 20%")),
        (answers(5, 230, 5, 575), [], ("power factor is 0.500", "0.98 to 1.005")),
        (answers(5, 230, 12, 2760), [], ("energy_gain would be 24", "500000 to 2000000")),
        (answers(5, 230, 5.1, 1173), [], ("the energy of phase 1 is off by +2.0",)),
        (answers(8, 230, 2.5, 460), [], ("power factor is 0.800", "0.98 to 1.005")),
        (answers(8, 230, 2.5, 570), [], ("verification failed", "power", "nothing was saved")),
        (BL0942, ["--angle-mdeg", "180000"], ("reversed",)),
        (BL0942, ["--phases", "3"], ("--phases 3: esp32_bl0942 has 1",)),
    ],
)
def test_the_implausible_is_refused_of_a_bl0942(
    monkeypatch, tmp_path, capsys, lines, options, words
):
    code, out = command(monkeypatch, tmp_path, lines, "--board", "esp32_bl0942", *options)
    assert code == 1
    assert not out.exists()
    said = " ".join(capsys.readouterr().err.split())
    for word in words:
        assert word in said


def test_a_board_that_is_not_there_is_told(monkeypatch, tmp_path, capsys):
    assert command(monkeypatch, tmp_path, [], "--board", "pi_stpm34")[0] == 1
    assert "board list" in capsys.readouterr().err


def test_a_csv_brings_the_energy_s_means(monkeypatch, tmp_path):
    path = tmp_path / "ref.csv"
    rows = ["gain,230,5,1150", "energy,230,5,1149", "energy,230,5,1151", "verify,230,2.5,575"]
    path.write_text("time,step,voltage,current,power\n" + "\n".join(f"0,{r}" for r in rows))
    options = ("--board", "esp32_bl0942", "--reference", str(path))
    code, out = command(monkeypatch, tmp_path, [], *options)
    assert code == 0
    (constants,) = json.loads(out.read_text())["constants"]
    assert constants["energy_gain"] == pytest.approx(1_012_455, rel=2.5e-4)  # 1 / 0.987698
