"""The unit under a real systemd: started, watched, started again, held to what it may do.

Needs root; systemd has namespaces and a root of its own (systemd_bench.py).
"""

import time

import pytest

from wattledger.firmware import slots
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.host.pi_release_bench import Pi
from wattledger.tests.host.systemd_bench import USER, Systemd

pytest.importorskip("gpiozero")
pytestmark = pytest.mark.nightly

RELEASES = "/var/lib/wattledger-releases"


@pytest.fixture
def pi(tmp_path):
    folder = tmp_path / "pi"
    folder.mkdir()
    made = Pi(folder)
    made.commission(5_000_000)
    return made


@pytest.fixture
def machine(tmp_path, pi):
    folder = tmp_path / "machine"
    folder.mkdir()
    made = Systemd(folder)
    made.world()
    made.give(pi.site, "etc/wattledger")
    made.give(pi.state, "var/lib/wattledger")
    with made:
        yield made


def release(machine, action, *words):
    """What a person does by hand, as the user meter."""
    program = ["/opt/wattledger/bin/python", "-I", "-m", "wattledger.firmware.release_linux"]
    where = [RELEASES, "--state", "/var/lib/wattledger"]
    environment = ["env", "LD_LIBRARY_PATH=/srv/python/lib"]
    return machine.run(*environment, *program, action, *where, *words, user=USER)


def test_the_meter_runs_and_may_write_its_state_and_releases_alone(machine):
    assert until(lambda: machine.show("SubState") == "running", 10), machine.said()
    pid = machine.show("MainPID")
    status = machine.run("cat", f"/proc/{pid}/status")[1].splitlines()
    found = dict(line.split(":\t") for line in status if ":\t" in line)
    assert found["Uid"].split() == [str(USER)] * 4
    assert (found["NoNewPrivs"], found["CapBnd"], found["Seccomp"]) == ("1", "0" * 16, "2")
    assert sorted(map(int, found["Groups"].split())) == [990, 991, 992, 993, 994]

    def writes(path):
        """May the meter's user write there, as the meter sees the file system?"""
        inside = ["nsenter", "-t", pid, "--mount", "--wd=/", "setpriv", f"--reuid={USER}"]
        words = [f"--regid={USER}", "--clear-groups", "touch", path + "/new"]
        return machine.run(*inside, *words)[0] == 0

    places = ["/var/lib/wattledger", RELEASES, "/run/wattledger", "/tmp"]
    assert [writes(place) for place in places] == [True] * 4
    places = ["/opt/wattledger", "/etc/wattledger", "/etc", "/usr", "/var/lib", "/srv", "/dev"]
    assert [writes(place) for place in places] == [False] * 7
    # What lies in the releases is never a program of its own.
    machine.run("cp", "/usr/bin/true", RELEASES + "/true")
    machine.run("chmod", "755", RELEASES + "/true")
    inside = ["nsenter", "-t", pid, "--mount", "--wd=/"]
    assert machine.run(*inside, RELEASES + "/true")[0] != 0
    assert machine.run(RELEASES + "/true")[0] == 0
    assert machine.systemctl("stop", "wattledger")[0] == 0
    assert machine.show("Result") == "success"
    assert "coils 0" in machine.said()


def test_a_tick_that_hangs_is_ended_within_the_watchdogs_time_and_started_again(machine, count):
    assert until(lambda: machine.show("SubState") == "running", 10), machine.said()
    time.sleep(3)
    assert machine.show("NRestarts") == "0"
    began = time.monotonic()
    machine.world(hangs=True)
    assert until(lambda: machine.show("SubState") != "running", 20)
    took = time.monotonic() - began
    assert 6 < took < 10  # of 8, since the last tick, one a second, that was well
    count(round(took * 1000), "ms from a hung tick to its end by systemd")
    said = machine.said()
    assert "Watchdog timeout (limit 8s)!" in said
    assert "Fatal Python error: Aborted" in said and "in transfer" in said
    machine.world()
    assert until(lambda: machine.show("SubState") == "running", 20), machine.said()
    assert machine.show("NRestarts") == "1"
    assert "coils" not in machine.said().partition("Aborted")[0]


def test_a_release_that_fails_three_starts_gives_way_under_the_unit(machine, pi):
    for sequence, changes in (
        (1, {}),
        (2, {"firmware/main_pi.py": lambda text: text + "\n1 / 0\n"}),
    ):
        machine.give(pi.release(sequence, changes).folder, f"var/tmp/release{sequence}")
    assert until(lambda: machine.show("SubState") == "running", 10), machine.said()
    machine.systemctl("stop", "wattledger")
    code, said = release(machine, "install", "--site", "/etc/wattledger", "/var/tmp/release1")
    assert (code, "sequence 1 is started next" in said) == (0, True), said
    machine.world(speed=60)
    machine.systemctl("start", "wattledger")
    assert until(lambda: "has proven itself" in machine.said(), 20), machine.said()
    machine.systemctl("stop", "wattledger")
    code, said = release(machine, "install", "--site", "/etc/wattledger", "/var/tmp/release2")
    assert code == 0, said
    machine.systemctl("start", "wattledger")  # fails, and is tried again
    assert until(lambda: "application 1 runs" in machine.said().rpartition("1 / 0")[2], 40)
    said = machine.said()
    assert said.count("ZeroDivisionError") == 3
    assert said.count("the release in slot b starts") == 3
    assert until(lambda: machine.show("SubState") == "running", 10)
    assert slots.load(PosixStorage(machine.path("var/lib/wattledger"))).failed == 2
    assert release(machine, "show")[1].splitlines() == [
        "started next: sequence 1 in slot a, proven",
        "only taken: a sequence above 1",
        "given up: sequence 2",
    ]
    assert release(machine, "back")[0] == 0
    machine.systemctl("restart", "wattledger")
    assert "no release: the installed code starts" in machine.said().splitlines()[-8:]


def test_a_meter_out_of_service_is_not_started_again(machine):
    assert until(lambda: machine.show("SubState") == "running", 10), machine.said()
    machine.systemctl("stop", "wattledger")
    machine.path("var/lib/wattledger/final").write_text("{}")
    machine.systemctl("start", "wattledger")
    time.sleep(7)
    assert (machine.show("SubState"), machine.show("Result")) == ("dead", "exec-condition")
    assert machine.said().count("meter pi-0001 measures") == 1
