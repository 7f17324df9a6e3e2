"""`wattledger calibrate` on an emulated bus, with sensors that are wrong."""

import json
import tempfile
from pathlib import Path

from wattledger.board import pi_atm90e32
from wattledger.firmware import parts_linux
from wattledger.tests.host.umockdev_bench import emulated
from wattledger.tools import cli, doctor
from wattledger.tools.calibration.wired import WiredBench

# What the reference shows at each step: V, A, W; the phase step is a load of factor 0.5.
LOADS = {"gain": (230, 5, 1150), "phase": (230, 5, 575), "verify": (230, 10, 2300)}


def calibrate_the_first_phase(chip):
    # The sensors of the emulated board are others than those of the real one.
    pi_atm90e32.CALIBRATION = ({"voltage_gain": 36_700, "current_gain": 31_785},) * 3
    chip.set_mains(50_000)
    chip.set_front_end(0, 20_000, -30_000, 0)  # 2 % too high, 3 % too low
    parts_linux.wait_ms = chip.feed

    def switch_on(bench, step, phase):
        volts, amps, watts = LOADS.get(step, (230, 0, 0) if step == "offset" else LOADS["gain"])
        # 5 A at factor 0.5 inductive: 1150 x 0.866025 = 995.929 var
        chip.set_phase(0, 1000 * volts, 1000 * amps, 1000 * watts, 995_929 * (step == "phase"))

    WiredBench.load = switch_on
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "reference.csv"
        rows = ["time,step,voltage,current,power"]
        rows += ["0,%s,%d,%d,%d" % (step, *shown) for step, shown in LOADS.items()]
        table.write_text("\n".join(rows) + "\n")
        out = Path(folder) / "calibration.json"
        words = ["calibrate", "--board", "pi_atm90e32", "--phases", "1", "--by", "A. Tech"]
        words += ["--against", "Fluke 435", "--reference", str(table), "--out", str(out)]
        assert cli.run(words) == 0
        document = json.loads(out.read_text())
    assert document["chip"] == "atm90e32"
    found = document["constants"][0]
    # A reading that is 2 % too high needs a gain that is lower by as much.
    assert abs(found["voltage_gain"] - 36_700 / 1.02) < 40
    assert abs(found["current_gain"] - 31_785 / 0.97) < 80


def test_on_an_emulated_bus():
    emulated("atm90e32", "spi", calibrate_the_first_phase)


def test_a_board_must_be_named_and_no_meter_may_run(monkeypatch, capsys):
    words = ["calibrate", "--by", "A", "--against", "B"]
    assert cli.run(words) == 1
    assert "name the board of this computer with --board" in capsys.readouterr().err
    monkeypatch.setattr(doctor, "running_meter", lambda: 9)
    assert cli.run([*words, "--board", "pi_atm90e32"]) == 1
    assert "a meter runs (process 9)" in capsys.readouterr().err
    assert cli.run([*words, "--board", "esp32_bl0942"]) == 1
    assert "is no board of a Raspberry Pi" in capsys.readouterr().err
