"""Checks of the computer around the meter: who runs it, its service, the card under its files."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from wattledger.tools.findings import FAIL, OK, WARN, Finding

UNIT = "wattledger.service"
PROPERTIES = ("LoadState", "ActiveState", "UnitFileState", "NRestarts", "Result")
BUS_GROUP = {"spi": "spi", "i2c": "i2c", "uart": "dialout"}
INSTALL = "sudo python3 tools/install_pi.py install"
# These lose what was written for good, or wear a card that cannot level its writes.
IN_MEMORY = ("tmpfs", "ramfs", "overlay")


def _mine() -> tuple[str, set[str]]:
    numbers = {os.getegid(), *os.getgroups()}
    names = {entry.gr_name for entry in grp.getgrall() if entry.gr_gid in numbers}
    return pwd.getpwuid(os.geteuid()).pw_name, names


def groups(board: ModuleType, mine: Callable[[], tuple[str, set[str]]] = _mine) -> Finding:
    """Is this user in the groups that the board's devices belong to?"""
    user, names = mine()
    if user == "root":
        fix = "run it as the meter's user, to see what that may: sudo -u meter ..."
        return Finding("user", WARN, "root may use every device; the meter does not run so", fix)
    # The battery clock of every board is on I2C.
    wanted = list(dict.fromkeys((BUS_GROUP[board.BUS], "i2c", "gpio")))
    lacking = [name for name in wanted if name not in names]
    if lacking:
        fix = f"sudo usermod -aG {','.join(lacking)} {user}, and log in again"
        return Finding("user", WARN, f"{user} is not in {', '.join(lacking)}", fix)
    return Finding("user", OK, f"{user} is in {', '.join(wanted)}")


def _shown() -> str | None:
    program = shutil.which("systemctl")
    if program is None:
        return None
    words = [program, "show", UNIT, "--property=" + ",".join(PROPERTIES)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10)
    return done.stdout if done.returncode == 0 else None


def service(shown: Callable[[], str | None] = _shown) -> Finding:
    """Is the meter's service installed, started at boot, and does it stay up?"""
    text = shown()
    if text is None:
        return Finding("service", WARN, "systemd does not run here", "start the meter by hand")
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if found.get("LoadState") != "loaded":
        return Finding("service", WARN, f"{UNIT} is not installed", INSTALL)
    state, restarts = found.get("ActiveState", "unknown"), found.get("NRestarts", "0")
    what = f"{state}, started again {restarts} times"
    if state == "failed" or found.get("Result", "success") != "success":
        fix = f"why: journalctl -u {UNIT} -p warning -n 20"
        return Finding("service", FAIL, f"{what}: {found.get('Result')}", fix)
    if found.get("UnitFileState") != "enabled":
        fix = f"sudo systemctl enable {UNIT}"
        return Finding("service", WARN, f"{what}; it does not start at boot", fix)
    return Finding("service", OK, what)


def mounted(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> Finding:
    """Does the file system under the state folder keep what is written, and spare the card?"""
    try:
        place, options, kind = _mount(folder.resolve(), mounts.read_text().splitlines())
    except OSError as error:
        return Finding("card", WARN, f"how {folder} is mounted is not known: {error.strerror}")
    found = f"{kind} at {place}, {','.join(options)}"
    if "ro" in options:
        fix = "the card is worn, or was damaged: copy what it has, and replace it"
        return Finding("card", FAIL, found + ": nothing can be written", fix)
    if kind in IN_MEMORY:
        fix = "keep the state on a file system of the card or a disk: raspi-config, overlay off"
        return Finding("card", FAIL, found + ": a power cut loses the money", fix)
    if not {"noatime", "relatime"} & set(options):
        fix = f"add noatime to the line of {place} in /etc/fstab"
        return Finding("card", WARN, found + ": each read writes to the card", fix)
    return Finding("card", OK, found)


def _mount(folder: Path, lines: Sequence[str]) -> tuple[str, list[str], str]:
    """(mount point, options, file system) of the deepest mount over `folder` (proc(5))."""
    best = ("/", ["rw"], "unknown")
    for line in lines:
        fields = line.split(" ")
        place = fields[4].replace("\\040", " ")
        rest = fields[fields.index("-") + 1 :]
        if folder.is_relative_to(place) and len(place) >= len(best[0]):
            # A file system that gave up after an error is ro of its own, whatever the mount is.
            options = fields[5].split(",")
            if "ro" in rest[2].split(","):
                options = ["ro", *options]
            best = (place, options, rest[0])
    return best
