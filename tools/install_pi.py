"""Makes this Raspberry Pi a meter, or takes the program off it again; the state is kept.

    sudo python3 tools/install_pi.py install [--board NAME] [--dry-run]
    sudo python3 tools/install_pi.py uninstall [--releases] [--dry-run]

Run by the system's Python from a clone: only the standard library is used. What is there already
is left as it is, so a second run repairs and upgrades. --root DIR installs into the root of a card
or an image. Nothing is put into the system's own Python (PEP 668): the meter has an environment of
its own in /opt/wattledger.
"""

import argparse
import grp
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

CLONE = Path(__file__).resolve().parent.parent
UNIT = "wattledger.service"
USER = "meter"
GROUPS = ("spi", "i2c", "gpio", "dialout")
PROGRAM, SITE, STATE = "opt/wattledger", "etc/wattledger", "var/lib/wattledger"
# Signed releases (docs/update.md), and the floor below which none is taken, which is always kept.
RELEASES = "var/lib/wattledger-releases"
CURRENT, SLOTS, FLOOR = "current", ("releases/a", "releases/b"), "releases/floor"
UNITS = "etc/systemd/system"
RULES = "etc/udev/rules.d/60-wattledger.rules"
RULES_OF_OTHERS = ("etc/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d")
# As Raspberry Pi OS has them; Debian gives these devices to root alone.
RULES_TEXT = """\
SUBSYSTEM=="spidev", GROUP="spi", MODE="0660"
SUBSYSTEM=="i2c-dev", GROUP="i2c", MODE="0660"
SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"
"""
OLDEST = (3, 10)
COMPATIBLE = "proc/device-tree/compatible"  # texts that end with a zero byte
PI_5 = "brcm,bcm2712"
CONSOLES = ("console=serial0", "console=ttyAMA0", "console=ttyS0")
HOMES = ("/home/", "/root/")
FAILED = 1
Run = Callable[[list[str]], None]


class InstallError(Exception):
    """The installation cannot go on; the text says what to do."""


class Step(NamedTuple):
    """One thing to do, as a person would write it, and the way to do it."""

    text: str
    do: Callable[[], object]


class Place(NamedTuple):
    """Where to install: the root, `/` for this computer, and what runs a command."""

    root: Path
    run: Run

    @property
    def here(self) -> bool:
        """Is it the running system?"""
        return self.root == Path("/")

    def command(self, *words: str) -> Step:
        """A step that is a command."""
        return Step(shlex.join(words), lambda: self.run(list(words)))


def missing_packages() -> list[str]:
    """The packages of Debian that an installation needs and this system lacks."""
    wanted = []
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        wanted.append("python3-venv")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        wanted.append("python3-dev")  # spidev is compiled
    if shutil.which("gcc") is None:
        wanted.append("gcc")
    if importlib.util.find_spec("lgpio") is None:
        wanted.append("python3-lgpio")
    return wanted


def check(place: Place, base: str = sys.base_prefix) -> None:
    """InstallError when the installation could not be finished. `base` is this Python's folder."""
    if sys.version_info < OLDEST:
        raise InstallError(
            "Python %d.%d or later is needed; this is %s" % (*OLDEST, sys.version.split()[0])
        )
    if base.startswith(HOMES):  # ProtectHome= hides it from the service
        raise InstallError(f"the service cannot use the Python in {base}: run /usr/bin/python3")
    wanted = missing_packages()
    if wanted:
        raise InstallError("these packages are missing: sudo apt install " + " ".join(wanted))
    program = place.root / PROGRAM
    if (program / "bin").exists() and not (program / "pyvenv.cfg").exists():
        raise InstallError(
            f"{program} is no environment of Python; move it away, and run this again"
        )


def members(root: Path, group: str) -> list[str] | None:
    """Who is in the group, by etc/group below `root`; None when there is no such group."""
    for line in _lines(root / "etc/group"):
        fields = line.split(":")
        if fields[0] == group and len(fields) == 4:
            return fields[3].split(",") if fields[3] else []
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def steps(place: Place, source: str) -> Iterator[Step]:
    """What an installation has yet to do. `source` is what pip is given, without the extras."""
    yield from _account(place)
    for folder in (SITE, STATE, RELEASES):
        path = place.root / folder
        if not path.is_dir():
            text = f"make {path} for {USER} alone"
            yield Step(text, lambda path=path: _private_folder(place, path))  # type: ignore[misc]
    program = place.root / PROGRAM
    python = str(program / "bin" / "python")
    if not os.path.exists(python):
        # The environment sees the system's lgpio, which drives the pins.
        yield place.command(sys.executable, "-m", "venv", "--system-site-packages", str(program))
    yield place.command(python, "-m", "pip", "install", "--upgrade", f"{source}[pi,tools]")
    if not place.here:
        for path in _scripts(place):
            yield _at_home(place, path)
    yield from _rules(place)
    yield from _unit(place)


def _scripts(place: Place) -> list[Path]:
    """The scripts of a card's environment that name its Python by where the card is mounted."""
    home = f"#!{place.root / PROGRAM}/".encode()
    found = sorted((place.root / PROGRAM / "bin").glob("*"))
    return [path for path in found if path.is_file() and _begins(path, home)]


def _begins(path: Path, text: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(text)) == text


def _at_home(place: Place, path: Path) -> Step:
    def correct() -> None:
        path.write_bytes(path.read_bytes().replace(str(place.root).encode(), b"", 1))

    return Step(f"correct the first line of {path}", correct)


def _account(place: Place) -> Iterator[Step]:
    prefix = [] if place.here else ["--prefix", str(place.root)]
    for group in GROUPS:
        if members(place.root, group) is None:
            yield place.command("groupadd", *prefix, "--system", group)
    names = [line.split(":")[0] for line in _lines(place.root / "etc/passwd")]
    if USER not in names:
        words = ["--system", "--user-group", "--no-create-home", "--home-dir", "/" + STATE]
        words += ["--shell", "/usr/sbin/nologin", "--groups", ",".join(GROUPS), USER]
        yield place.command("useradd", *prefix, *words)
        return
    lacking = [group for group in GROUPS if USER not in (members(place.root, group) or [])]
    if lacking:
        yield place.command("usermod", *prefix, "--append", "--groups", ",".join(lacking), USER)


def _private_folder(place: Place, path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    user, group = owner(place.root)
    if os.geteuid() == 0:
        os.chown(path, user, group)


def owner(root: Path) -> tuple[int, int]:
    """The numbers of the meter's user and its group below `root`. InstallError without it."""
    if root == Path("/"):
        try:
            return pwd.getpwnam(USER).pw_uid, grp.getgrnam(USER).gr_gid
        except KeyError:
            raise InstallError(f"there is no user and group {USER}") from None
    for line in _lines(root / "etc/passwd"):
        fields = line.split(":")
        if fields[0] == USER:
            return int(fields[2]), int(fields[3])
    raise InstallError(f"there is no user {USER} in {root / 'etc/passwd'}")


def _rules(place: Place) -> Iterator[Step]:
    for folder in RULES_OF_OTHERS:
        for path in sorted((place.root / folder).glob("*.rules")):
            if 'GROUP="spi"' in path.read_text(errors="replace"):
                return
    yield _file(place.root / RULES, RULES_TEXT)
    if place.here:
        yield place.command("udevadm", "control", "--reload")
        yield place.command("udevadm", "trigger", "--subsystem-match=spidev")
        yield place.command("udevadm", "trigger", "--subsystem-match=i2c-dev")
        yield place.command("udevadm", "trigger", "--subsystem-match=gpio")


def _unit(place: Place) -> Iterator[Step]:
    text = (CLONE / "firmware" / UNIT).read_text()
    path = place.root / UNITS / UNIT
    if not path.exists() or path.read_text() != text:
        yield _file(path, text)
        if place.here:
            yield place.command("systemctl", "daemon-reload")
    if not (place.root / UNITS / "multi-user.target.wants" / UNIT).is_symlink():
        yield place.command("systemctl", *_root(place), "enable", UNIT)


def _root(place: Place) -> list[str]:
    return [] if place.here else ["--root", str(place.root)]


def _file(path: Path, text: str) -> Step:
    def write() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)

    return Step(f"write {path}", write)


def removal(place: Place, releases: bool = False) -> Iterator[Step]:
    """What takes the program away, and the `releases` if wanted. The site, the state, the floor of
    the releases and the user who owns them are kept."""
    unit = place.root / UNITS / UNIT
    if unit.exists():
        now = ["--now"] if place.here else []
        yield place.command("systemctl", *_root(place), "disable", *now, UNIT)
        yield Step(f"remove {unit}", unit.unlink)
        if place.here:
            yield place.command("systemctl", "daemon-reload")
    rules = place.root / RULES
    if rules.exists():
        yield Step(f"remove {rules}", rules.unlink)
    program = place.root / PROGRAM
    if program.exists():
        if not (program / "pyvenv.cfg").exists():
            raise InstallError(f"{program} is no environment of Python: remove it by hand")
        yield Step(f"remove {program}", lambda: shutil.rmtree(program))
    if releases:
        current = place.root / RELEASES / CURRENT
        if os.path.lexists(current):
            yield Step(f"remove {current}", current.unlink)
        for slot in SLOTS:
            tree = place.root / RELEASES / slot
            if tree.exists():
                yield Step(f"remove {tree}", lambda tree=tree: shutil.rmtree(tree))  # type: ignore[misc]


def running_release(place: Place) -> str | None:
    """The folder of the release that the service runs in place of what was installed, or None."""
    current = place.root / RELEASES / CURRENT
    return os.readlink(current) if current.is_symlink() else None


def bus_hints(root: Path, bus: str | None) -> Iterator[str]:
    """What the boot files below `root` lack for a board on `bus`; None: for any board."""
    config = _boot(root, "config.txt")
    if config is None:
        yield "no config.txt: is this a Raspberry Pi? See docs/raspberry-pi.md for its buses"
        return
    on = {line.replace(" ", "") for line in _lines(config)}
    if bus in (None, "spi") and "dtparam=spi=on" not in on:
        yield "SPI is off: sudo raspi-config nonint do_spi 0, and reboot"
    # The battery clock of every board is on I2C.
    if not on & {"dtparam=i2c_arm=on", "dtparam=i2c=on"}:
        yield "I2C is off: sudo raspi-config nonint do_i2c 0, and reboot"
    if bus in (None, "uart"):
        # On a Raspberry Pi 5 enable_uart is of the connector for debugging, and so is serial0.
        is_5 = any(PI_5 in line for line in _lines(root / COMPATIBLE))
        if not on & ({"dtparam=uart0=on", "dtparam=uart0"} if is_5 else {"enable_uart=1"}):
            yield "the UART is off: sudo raspi-config nonint do_serial_hw 0, and reboot"
        words = " ".join(_lines(config.parent / "cmdline.txt")).split()
        consoles = ("console=ttyAMA0",) if is_5 else CONSOLES
        if any(word.startswith(consoles) for word in words):
            yield "the console has the UART: sudo raspi-config nonint do_serial_cons 1, and reboot"


def _boot(root: Path, name: str) -> Path | None:
    for folder in ("boot/firmware", "boot"):  # bookworm and later; before
        if (root / folder / name).exists():
            return root / folder / name
    return None


def board_bus(name: str) -> str:
    """The bus of a board's chip, read from its file of constants. InstallError."""
    path = CLONE / "board" / f"{name}.py"
    for line in _lines(path) if name.isidentifier() else []:
        if line.startswith("BUS = "):
            return line.split('"')[1]
    raise InstallError(f"{name!r} is no board; the folder {CLONE / 'board'} has them")


def perform(found: Iterator[Step], dry: bool) -> None:
    """Print each step, and do it unless `dry`. Each sees what those before it did."""
    none = True
    for step in found:
        none = False
        print(step.text, flush=True)
        if not dry:
            step.do()
    if none:
        print("nothing to do")


def run(words: list[str]) -> None:
    """Run a command; InstallError when it fails."""
    try:
        code = subprocess.run(words, check=False).returncode
    except OSError as error:
        raise InstallError(f"{words[0]}: {error.strerror}") from None
    if code:
        raise InstallError(f"this failed with {code}: {shlex.join(words)}")


def main(words: list[str] | None = None, run: Run = run) -> int:
    """The exit code: 0 done, 1 failed; argparse ends the process with 2 on wrong usage."""
    parser = argparse.ArgumentParser(description="Install the meter on a Raspberry Pi.")
    parser.add_argument("what", choices=("install", "uninstall"))
    parser.add_argument("--board", metavar="NAME", help="look at the buses of this board only")
    parser.add_argument("--source", default=str(CLONE), help="what pip installs; this clone")
    parser.add_argument("--root", type=Path, default=Path("/"), help="the root to install into")
    parser.add_argument("--releases", action="store_true", help="uninstall the releases too")
    parser.add_argument("--dry-run", action="store_true", help="print every step, do none")
    options = parser.parse_args(words)
    place = Place(options.root.resolve(), run)
    try:
        if place.here and os.geteuid() != 0 and not options.dry_run:
            raise InstallError("this changes the system: run it with sudo")
        if options.what == "uninstall":
            perform(removal(place, options.releases), options.dry_run)
            kept = place.root / RELEASES / (FLOOR if options.releases else "")
            print(f"kept: {place.root / SITE}, {place.root / STATE}, {kept}, the user {USER}")
            return 0
        bus = board_bus(options.board) if options.board else None
        try:
            check(place)
        except InstallError as error:
            if not options.dry_run:
                raise
            print("first:", error)
        perform(steps(place, options.source), options.dry_run)
        for hint in bus_hints(place.root, bus):
            print("look:", hint)
        release = running_release(place)
        if release is not None:
            print(
                f"look: the service runs the release in {release}; what was installed now is its"
            )
            print("      way back (docs/update.md)")
        print(f"next: fill /{SITE}, run the doctor, open the ledger (docs/raspberry-pi.md), then")
        print(f"      sudo systemctl restart {UNIT}")
    except (InstallError, OSError) as error:
        print(f"install_pi: {error}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
