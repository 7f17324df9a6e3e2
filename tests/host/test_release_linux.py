"""Releases on a Raspberry Pi: signed folders, a link that is switched, and kill -9 at any time."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from wattledger.firmware import launch_linux, release_linux, slots
from wattledger.firmware.errors import UpdateError
from wattledger.firmware.release_linux import FileMirror, install, linked, running, start
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import signing, update

KID = update.FIRMWARE_KID


class Pi:
    """A root, a state folder and the utility's keys."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root"
        self.state = folder / "state"
        self.keys = folder / "keys"
        self.root.mkdir()
        self.state.mkdir()
        self.signer = signing.create(self.keys, KID)
        self.storage = PosixStorage(self.state)
        self.lines = []

    def release(self, sequence, text, hw_class="pi", signer=None):
        """A signed release folder of three files."""
        source = self.folder / f"source{sequence}"
        (source / "wattledger/agent").mkdir(parents=True)
        (source / "wattledger/__init__.py").write_text("")
        (source / "wattledger/agent/agent.py").write_text(text * 2000)
        (source / "version.txt").write_text(text)
        out = self.folder / f"release{sequence}"
        update.sign(source, out, signer or self.signer, sequence, hw_class, f"0.{sequence}")
        return out

    def install(self, release):
        return install(self.root, self.storage, release, signing.public_keys(self.keys))

    def start(self):
        """What `current` shows after a start: the text of the release, None for the installed."""
        start(self.root, self.storage, self.lines.append)
        current = self.root / "current"
        return (current / "version.txt").read_text() if current.exists() else None

    def proven(self, sequence, text):
        self.install(self.release(sequence, text))
        assert self.start() == text
        slots.good(self.storage)


@pytest.fixture
def pi(tmp_path):
    return Pi(tmp_path)


def test_without_a_release_the_installed_code_runs(pi):
    assert (pi.start(), linked(pi.root)) == (None, None)


def test_a_release_is_started_and_the_one_before_is_the_way_back(pi):
    pi.proven(1, "one")
    pi.install(pi.release(2, "two"))
    assert pi.start() == "two"
    assert [pi.start() for _ in range(4)] == ["two", "two", "one", "one"]
    assert linked(pi.root) == "a"
    assert slots.load(pi.storage).failed == 2


def test_one_that_was_changed_after_its_installation_is_not_started(pi):
    pi.proven(1, "one")
    pi.install(pi.release(2, "two"))
    (pi.root / "releases/b/version.txt").write_text("tow")
    assert pi.start() == "one"
    assert pi.lines == ["release in slot b is not as it was signed; it is not started"]


def test_compiled_files_beside_the_signed_ones_are_not_started(pi):
    pi.proven(1, "one")
    (pi.root / "releases/a/wattledger/__pycache__").mkdir()
    assert pi.start() is None


def refused(pi, release):
    with pytest.raises(UpdateError) as caught:
        pi.install(release)
    assert pi.start() == "five"
    return str(caught.value)


def test_what_is_not_signed_for_this_meter_is_refused(pi):
    pi.proven(5, "five")
    other = signing.create(pi.folder / "others", KID)
    assert refused(pi, pi.release(6, "six", signer=other)) == "manifest: wrong signature"
    assert refused(pi, pi.release(7, "7", hw_class="esp32")) == "is for esp32, this is pi"
    assert refused(pi, pi.release(4, "four")) == "sequence 4 is below 6"
    changed = pi.release(8, "eight")
    (changed / "version.txt").write_text("eighT")
    assert refused(pi, changed) == "version.txt is not as it was signed"


def test_a_way_back_that_is_written_over_is_none_any_more(pi, monkeypatch):
    pi.proven(1, "one")
    pi.proven(2, "two")
    assert slots.load(pi.storage).before == "a"

    release = pi.release(3, "three")

    def broken(tree, ignore_errors):
        raise OSError(5, "no more")

    monkeypatch.setattr(release_linux.shutil, "rmtree", broken)
    with pytest.raises(OSError, match="no more"):
        pi.install(release)
    assert slots.load(pi.storage).before is None


def test_a_lost_state_folder_lets_no_older_release_in(pi):
    pi.start()  # makes the folder
    FileMirror(pi.root).write(5)
    with pytest.raises(UpdateError, match="sequence 5 is below 6"):
        pi.install(pi.release(5, "five"))
    (pi.root / "releases/floor").write_text("rot")
    assert FileMirror(pi.root).read() == 0


def test_the_commands_of_a_person(pi, capsys):
    site = pi.folder / "site"
    site.mkdir()
    (site / "device.json").write_text(
        '{"v":1,"meter":"pi-0001","tenant":"demo","board":"pi_atm90e32"}'
    )
    (site / "device.key").write_text("ab" * 32)
    (site / "device.key").chmod(0o600)
    points = {kid: point.hex() for kid, point in signing.public_keys(pi.keys).items()}
    (site / "public_keys.json").write_text(json.dumps(points))
    where = [str(pi.root), "--state", str(pi.state)]

    def shown():
        assert release_linux.main(["show", *where]) == 0
        return capsys.readouterr().out.splitlines()

    assert shown() == ["started next: the installed code", "only taken: a sequence above 0"]
    for sequence, text in ((1, "one"), (2, "two")):
        release = str(pi.release(sequence, text))
        assert release_linux.main(["install", *where, "--site", str(site), release]) == 0
        assert shown()[0] == (
            f"started next: sequence {sequence} in slot {'ab'[sequence - 1]}, on trial, "
            "3 starts left"
        )
        assert pi.start() == text
        slots.good(pi.storage)
    assert release_linux.main(["install", *where, "--site", str(site), release]) == 1
    assert "sequence 2 is below 3" in capsys.readouterr().err
    assert shown()[1:] == ["way back: sequence 1 in slot a", "only taken: a sequence above 2"]
    assert release_linux.main(["back", *where]) == 0
    assert pi.start() == "one"
    assert shown() == [
        "started next: sequence 1 in slot a, proven",
        "only taken: a sequence above 2",
        "given up: sequence 2",
    ]
    assert release_linux.main(["install", *where, "--site", str(site), release]) == 1


def test_the_way_back_to_the_installed_code(pi):
    pi.proven(1, "one")
    pi.proven(2, "two")
    assert release_linux.back(pi.storage, installed=True) == 2
    assert (pi.start(), linked(pi.root)) == (None, None)
    assert slots.load(pi.storage).failed == 2
    pi.install(pi.release(3, "three"))
    assert pi.start() == "three"
    slots.good(pi.storage)
    pi.install(pi.release(4, "four"))
    assert release_linux.back(pi.storage, installed=True) == 4
    assert pi.start() is None


def test_what_a_running_meter_writes_is_durable_at_once(pi, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "sync", pytest.fail)  # may last longer than the watchdog waits
    files = release_linux.files_of(pi.root)
    files.append("a", "wattledger/x.py", b"x")
    folder = f"{pi.root}/releases"
    assert synced == [f"{folder}/a/wattledger/x.py"]
    files.sync()
    assert synced[1:] == [folder, f"{folder}/a", f"{folder}/a/wattledger"]


def test_another_user_writes_nothing(pi, monkeypatch, capsys):
    # What root writes, the meter could not read.
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    for action in ("show", "back"):
        assert release_linux.main([action, str(pi.root), "--state", str(pi.state)]) == 1
        assert "run this as the one the meter runs as" in capsys.readouterr().err


class TestLaunch:
    def launched(self, pi, **more):
        environment = {"PATH": "/bin", launch_linux.DAMAGED: "ab", **more}
        made = launch_linux.prepared(pi.root, pi.state, environment, Lines(pi.lines))
        assert environment[launch_linux.DAMAGED] == "ab"
        return made

    def test_the_release_is_first_on_the_path_by_its_own_name_and_is_not_compiled(self, pi):
        pi.proven(1, "one")
        made = self.launched(pi)
        tree = str(pi.root / "releases/a")
        assert (made["PYTHONPATH"], made["PYTHONDONTWRITEBYTECODE"]) == (tree, "1")
        assert made["PATH"] == "/bin" and made[launch_linux.DAMAGED] == ""
        assert self.launched(pi, PYTHONPATH="/x")["PYTHONPATH"] == tree + ":/x"

    def test_without_a_release_the_installed_code_is_on_the_path(self, pi):
        assert self.launched(pi, PYTHONPATH="/x")["PYTHONPATH"] == "/x"
        assert "PYTHONPATH" not in self.launched(pi)

    def test_the_journal_will_be_told_of_a_damaged_slot(self, pi):
        pi.proven(1, "one")
        pi.proven(2, "two")
        (pi.root / "releases/b/version.txt").write_text("tow")
        made = self.launched(pi)
        assert (made[launch_linux.DAMAGED], linked(pi.root)) == ("b", "a")

    def test_whatever_fails_the_installed_code_is_started(self, pi, monkeypatch):
        pi.proven(1, "one")

        def broken(root, slot):
            raise MemoryError("anything")

        monkeypatch.setattr(release_linux, "switch", broken)
        assert "PYTHONPATH" not in self.launched(pi)
        assert "the installed code starts, for no release can be" in pi.lines[-1]
        pi.root = pi.folder / "none/such"
        (pi.folder / "none").write_text("a file")
        assert "PYTHONPATH" not in self.launched(pi)

    def test_a_program_that_is_not_there_is_told(self, pi, capsys):
        words = ["--state", str(pi.state), str(pi.root)]
        assert launch_linux.main([*words, "/no/such", "--state", "x"]) == 1
        assert capsys.readouterr().err.splitlines()[-1] == "/no/such: No such file or directory"
        with pytest.raises(SystemExit):
            launch_linux.main(words)

    def test_code_knows_the_slot_it_lies_in_and_not_by_the_link(self, pi):
        pi.proven(1, "one")
        file = "wattledger/firmware/release_linux.py"
        assert running(pi.root, str(pi.root / "releases/b" / file)) == "b"
        assert running(pi.root, str(pi.root / "current" / file)) == "a"
        assert running(pi.root) is None  # this code, while the link names slot a


class Lines:
    """A log that keeps its lines."""

    def __init__(self, lines):
        self._lines = lines

    def __call__(self, line):
        self._lines.append(line)

    warning = error = __call__


PROGRAM = """
import sys
from wattledger.firmware.release_linux import install, start
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools import signing
root, state, keys, release = sys.argv[1:]
print("ready", flush=True)
storage = PosixStorage(state)
install(root, storage, release, signing.public_keys(keys))
for _ in range(2):
    start(root, storage, print)
"""


@pytest.mark.parametrize("late_ms", (0, 5, 20, 40, 60, 90, 130, 200))
def test_kill_9_leaves_the_old_or_the_new_release_whole(pi, late_ms, count):
    pi.proven(1, "one")
    release = pi.release(2, "two")
    places = [str(place) for place in (pi.root, pi.state, pi.keys, release)]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *places], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"ready\n"
    time.sleep(late_ms / 1000)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    count(1, "kills in a Pi's installation")
    text = pi.start()
    assert text in ("one", "two")
    tree = pi.root / "current"
    assert (tree / "wattledger/agent/agent.py").read_text() == text * 2000
    if text == "one":
        pi.install(release)
        assert pi.start() == "two"
    slots.good(pi.storage)
    assert slots.load(pi.storage).floor == 2


def test_a_kill_at_each_step_of_an_installation(pi, monkeypatch, count):
    """The process ends before its n-th change of the disk, for each n."""
    pi.proven(1, "one")
    release = pi.release(2, "two")
    steps = 0
    while True:
        steps += 1
        child = os.fork()
        if child == 0:
            _die_at(steps)
            try:
                pi.install(release)
                pi.start()
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        text = pi.start()
        assert text in ("one", "two")
        assert (pi.root / "current/wattledger/agent/agent.py").read_text() == text * 2000
        if not os.WIFSIGNALED(status):
            break
        if text == "two":  # back to the beginning
            slots.revert(pi.storage)
            assert pi.start() == "one"
    count(steps, "kills in a Pi's installation")
    assert text == "two"
    assert steps > 15


def _die_at(step):
    """End this process by SIGKILL before its `step`th call that changes the disk."""
    left = [step]

    def watched(call):
        def dying(*arguments, **named):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return dying

    for name in (
        "rename",
        "replace",
        "symlink",
        "unlink",
        "mkdir",
        "rmdir",
        "write",
        "fsync",
        "sync",
    ):
        setattr(os, name, watched(getattr(os, name)))
