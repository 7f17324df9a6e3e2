"""A systemd of its own for the unit, in namespaces and a root of its own: nothing of this machine
but the programs below /usr is seen there, and nothing is written outside of the test's folder.

    with Systemd(folder) as machine: machine.systemctl("start", "wattledger")

Needs root, and systemd 252 or later. The unit is the one that is installed; a drop-in puts
pi_release_meter.py in the place of `wattledger-meter`, for there are no chips here.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wattledger.tests.host.mqtt_bench import until
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools.pack import pack

SYSTEMD = Path("/lib/systemd/systemd")
UNIT = "wattledger.service"
USER = 990
PYTHON = "python%d.%d" % sys.version_info[:2]
PACKAGES = f"opt/wattledger/lib/{PYTHON}/site-packages"
FOLDERS = (
    "usr", "etc/systemd/system", "etc/wattledger", "var/lib", "var/log", "var/tmp", "tmp", "run",
    "proc", "sys", "dev", "old", "root", "home", "opt/wattledger/bin", "srv/python",
    "srv/packages", "srv/source",
)  # fmt: skip
FILES = {
    "etc/passwd": f"root:x:0:0::/root:/bin/sh\nmeter:x:{USER}:{USER}::/var/lib:/bin/sh\n",
    "etc/group": f"root:x:0:\nmeter:x:{USER}:\nspi:x:991:meter\ni2c:x:992:meter\n"
    "gpio:x:993:meter\ndialout:x:994:meter\ntty:x:5:\nsystemd-journal:x:995:\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/os-release": "ID=test\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "opt/wattledger/pyvenv.cfg": "home = /srv/python/bin\n",
}
# Nothing that asks for a kernel of its own.
MASKED = (
    "modprobe@.service", "systemd-udevd.service", "systemd-udev-trigger.service",
    "systemd-sysctl.service", "systemd-modules-load.service", "getty@.service",
    "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service",
    "dbus.service", "dbus.socket", "systemd-logind.service",
)  # fmt: skip
METER = "/opt/wattledger/bin/python -P /srv/source/tests/host/pi_release_meter.py"
SCRIPT = """
set -eu
cd "$1"
mount --bind . .
cd "$1"
bind() { mount --bind "$1" "$2"; mount -o remount,ro,bind "$2"; }
bind /usr usr
bind "$2" srv/python
bind "$3" srv/packages
bind "$4" srv/source
mount -t proc proc proc
bind proc/sys proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
mount -t tmpfs -o mode=755 tmpfs run
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mkdir -m 1777 dev/shm
ln -s /proc/self/fd dev/fd
pivot_root . old
less=-sys_module,-sys_time,-syslog,-sys_rawio
exec chroot . /bin/sh -c 'umount -l /old; exec setpriv --bounding-set='$less' \\
    /lib/systemd/systemd --unit=multi-user.target'
"""


def cgroups():
    """Where groups of processes are made; skips the test where that cannot be."""
    for folder in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if os.path.exists(folder + "/cgroup.procs") and os.access(folder, os.W_OK):
            return Path(folder)
    pytest.skip("no cgroup2 file system that may be written")


class Systemd:
    """`folder` is an empty one; `systemctl(...)`, `said()` is the journal of the meter."""

    def __init__(self, folder):
        if os.geteuid() != 0:
            pytest.skip("needs root, for namespaces of its own")
        if not SYSTEMD.exists() or shutil.which("unshare") is None:
            pytest.skip("no systemd on this machine: apt install systemd")
        self.root = folder / "root"
        self._log = folder / "systemd.log"
        self._group = cgroups() / f"wattledger-test-{os.getpid()}"
        self._process = None
        self._pid = 0
        self._lay()

    def path(self, name):
        return self.root / name

    def _lay(self):
        for name in FOLDERS:
            self.path(name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            if os.path.lexists("/" + name):
                self.path(name).symlink_to("usr/" + name)
        for name, text in FILES.items():
            self.path(name).write_text(text)
        self.path("opt/wattledger/bin/python").symlink_to("/srv/python/bin/" + PYTHON)
        pack(self.path(PACKAGES))
        self.path(PACKAGES + "/packages.pth").write_text("/srv/packages\n")
        for name in MASKED:
            self.path("etc/systemd/system/" + name).symlink_to("/dev/null")
        os.chmod(self.path("etc/wattledger"), 0o700)
        os.chown(self.path("etc/wattledger"), USER, USER)
        text = (ROOT / "firmware" / UNIT).read_text()
        unit = self.path("etc/systemd/system/" + UNIT)
        unit.write_text(text)
        start = text[text.index("ExecStart=") :].split("\nSyslog")[0]
        start = start.replace("/opt/wattledger/bin/wattledger-meter", METER)
        # A Python that is moved finds its own library by its name only.
        more = "WATTLEDGER_WORLD=/srv/world.json LD_LIBRARY_PATH=/srv/python/lib"
        self.drop_in("meter", f"ExecStart=\n{start}\nEnvironment={more}")
        wants = self.path("etc/systemd/system/multi-user.target.wants")
        wants.mkdir()
        (wants / UNIT).symlink_to("/etc/systemd/system/" + UNIT)

    def drop_in(self, name, text):
        """More of the unit."""
        folder = self.path(f"etc/systemd/system/{UNIT}.d")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.conf").write_text(f"[Service]\n{text}\n")

    def give(self, path, name):
        """A file or folder of this machine, for the user meter."""
        out = self.path(name)
        if path.is_dir():
            shutil.copytree(path, out, dirs_exist_ok=True)
        else:
            shutil.copy(path, out)
        for each in (out, *out.rglob("*")):
            os.chown(each, USER, USER)

    def world(self, **more):
        """What pi_release_meter.py reads."""
        found = {"start": int(time.time()), "speed": 1, "milliwatts": 1_000_000, **more}
        new = self.path("srv/world.new")
        new.write_text(json.dumps(found))
        new.rename(self.path("srv/world.json"))

    def __enter__(self):
        self._group.mkdir()

        def join():
            (self._group / "cgroup.procs").write_text("0")

        words = ["unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup"]
        words += ["--kill-child=SIGKILL", "sh", "-c", SCRIPT, "sh", str(self.root)]
        words += [sys.base_prefix, str(Path(pytest.__file__).parents[1]), str(ROOT)]
        environment = {"PATH": os.environ["PATH"], "container": "wattledger-test"}
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                preexec_fn=join,
                start_new_session=True,
            )
        assert until(self._is_up, 20), self._log.read_text()
        return self

    def _is_up(self):
        pid = self._process.pid
        assert self._process.poll() is None, self._log.read_text()
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not found:
            return False
        self._pid = int(found[0])
        return self.systemctl("is-system-running")[1].strip() in ("running", "degraded")

    def run(self, *words, user=None):
        """(exit code, output) of a command in there."""
        enter = ["nsenter", "-t", str(self._pid), "--mount", "--pid", "--root", "--wd=/"]
        if user is not None:
            enter += ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        done = subprocess.run(
            [*enter, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            env={"PATH": "/usr/bin:/usr/sbin"},
        )
        return done.returncode, done.stdout

    def systemctl(self, *words):
        return self.run("systemctl", *words)

    def show(self, name):
        """A property of the unit."""
        return self.systemctl("show", "--property", name, "--value", UNIT)[1].strip()

    def said(self):
        """What the meter's journal has."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", UNIT)[1]

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            # The first process of its namespace: all others go with it.
            os.kill(self._pid or self._process.pid, signal.SIGKILL)
        self._process.wait(20)
        self._remove(self._group)

    def _remove(self, group):
        for inner in [path for path in group.iterdir() if path.is_dir()]:
            self._remove(inner)
        assert until(lambda: not (group / "cgroup.procs").read_text(), 10)
        group.rmdir()
