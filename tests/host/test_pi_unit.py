"""The unit of systemd under systemd's own checks: it is correct, and it may do little."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wattledger.agent.decommission import FINAL
from wattledger.firmware import launch_linux

UNIT = Path(__file__).resolve().parents[2] / "firmware" / "wattledger.service"
PROGRAM = "/opt/wattledger/bin/python"
MOST_TENTHS = 20  # of exposure; 1.9 by systemd 252, where a service that says nothing has 9.6


def analyzed(*words):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze: apt install systemd")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=30)


def settings():
    """{name: [value of each of its lines]}"""
    found = {}
    for line in UNIT.read_text().splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_is_correct(tmp_path):
    # verify wants the program to be there.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(PROGRAM, sys.executable))
    done = analyzed("verify", "--man=no", str(copy))
    assert (done.returncode, done.stderr) == (0, "")
    copy.write_text(copy.read_text().replace("WatchdogSec=8", "WatchdogSecs=8"))
    assert "Unknown key" in analyzed("verify", "--man=no", str(copy)).stderr


def test_its_exposure_stays_low(tmp_path):
    done = analyzed("security", "--offline=true", f"--threshold={MOST_TENTHS}", str(UNIT))
    assert done.returncode == 0, done.stdout
    weaker = tmp_path / UNIT.name
    weaker.write_text(UNIT.read_text().replace("ProtectSystem=strict\n", "").replace("=~@", "=@"))
    weak = analyzed("security", "--offline=true", f"--threshold={MOST_TENTHS}", str(weaker))
    assert weak.returncode != 0


def test_it_has_no_capability_and_no_other_device():
    found = settings()
    assert found["CapabilityBoundingSet"] == [""] and found["AmbientCapabilities"] == [""]
    assert found["NoNewPrivileges"] == ["yes"]
    assert found["DevicePolicy"] == ["closed"]
    kinds = ("spi", "i2c", "gpiochip", "ttyAMA", "ttyS")
    assert found["DeviceAllow"] == [f"char-{kind} rw" for kind in kinds]
    assert found["User"] == ["meter"] and "DynamicUser" not in found


def test_it_may_ask_whether_a_time_server_is_followed():
    # adjtimex(2) is the meter's only source of that; all of these would refuse the question.
    found = settings()
    assert "ProtectClock" not in found
    assert found["SystemCallFilter"][-1].split()[:2] == ["adjtimex", "clock_adjtime"]
    # gpiozero reads the model of the Pi in /proc/device-tree or /proc/cpuinfo.
    assert "ProcSubset" not in found


def test_the_meter_is_never_given_up():
    found = settings()
    assert found["Restart"] == ["always"] and found["StartLimitIntervalSec"] == ["0"]
    assert found["Type"] == ["notify"] and found["WatchdogSec"] == ["8"]
    # Not by an exit code: a wrong release could end with any.
    assert not {"RestartPreventExitStatus", "SuccessExitStatus"} & set(found)
    assert found["ExecCondition"] == [f"/usr/bin/test ! -s /var/lib/wattledger/{FINAL}"]


def test_it_starts_the_meter_through_the_installed_launcher():
    text = UNIT.read_text().replace("\\\n", " ")
    words = text[text.index("ExecStart=") :].splitlines()[0].partition("=")[2].split()
    # -I: a release that the environment names has no say in which release is started.
    assert words[:4] == [PROGRAM, "-I", "-m", launch_linux.__name__]
    state, root, program, site, *options = words[5:]
    assert program == "/opt/wattledger/bin/wattledger-meter"
    assert options == ["--state", state, "--releases", root, "$WATTLEDGER_OPTIONS"]


def test_the_meter_writes_its_state_and_its_releases_and_nothing_else():
    found = settings()
    assert found["ProtectSystem"] == ["strict"]
    assert found["StateDirectory"] == ["wattledger wattledger-releases"]
    assert found["RuntimeDirectory"] == ["wattledger"]
    writable = "ReadWritePaths", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory"
    assert not set(writable) & set(found)
    assert found["NoExecPaths"] == ["/var/lib/wattledger /var/lib/wattledger-releases"]
