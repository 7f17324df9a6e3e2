"""The installation on a Raspberry Pi, into the root of a card that is a plain folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wattledger.tools import install_pi

ROOT = Path(__file__).resolve().parents[2]
UNIT = "etc/systemd/system/wattledger.service"
FOLDERS = ("etc/wattledger", "var/lib/wattledger", "var/lib/wattledger-releases")
WANTED = "etc/systemd/system/multi-user.target.wants/wattledger.service"


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    """All packages of Debian are there, and this Python belongs to the system."""
    monkeypatch.setattr(install_pi, "missing_packages", list)
    monkeypatch.setattr(install_pi, "HOMES", ("/nowhere/",))


@pytest.fixture
def card(tmp_path):
    """A card of Raspberry Pi OS with all its buses on."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nspi:x:990:pi\ni2c:x:991:\ndialout:x:20:\n")
    boot = tmp_path / "boot/firmware"
    boot.mkdir(parents=True)
    lines = ("# for the meter", "dtparam=spi=on", "dtparam=i2c_arm=on", "enable_uart=1")
    (boot / "config.txt").write_text("\n".join(lines))
    (boot / "cmdline.txt").write_text("console=tty1 root=PARTUUID=1 rootwait\n")
    return tmp_path


class Commands:
    """Does what the commands of an installation do to the files, and keeps them."""

    def __init__(self, root):
        self.root = root
        self.ran = []

    def __call__(self, words):
        self.ran.append(words)
        getattr(self, words[0], self.python)(words)

    def groupadd(self, words):
        with open(self.root / "etc/group", "a") as file:
            file.write(f"{words[-1]}:x:900:\n")

    def useradd(self, words):
        groups = words[words.index("--groups") + 1].split(",")
        with open(self.root / "etc/passwd", "a") as file:
            file.write(f"meter:x:{os.getuid()}:{os.getgid()}::/var/lib/wattledger:/bin/false\n")
        self.join(groups)

    def usermod(self, words):
        self.join(words[words.index("--groups") + 1].split(","))

    def join(self, groups):
        path = self.root / "etc/group"
        lines = []
        for line in path.read_text().splitlines():
            if line.split(":")[0] in groups:
                line += "meter" if line.endswith(":") else ",meter"
            lines.append(line)
        path.write_text("\n".join(lines) + "\n")

    def systemctl(self, words):
        link = self.root / WANTED
        if "enable" in words:
            link.parent.mkdir(parents=True)
            link.symlink_to("/" + UNIT)
        else:
            link.unlink()

    def python(self, words):
        if words[1:3] == ["-m", "venv"]:
            (Path(words[-1]) / "bin").mkdir(parents=True)
            (Path(words[-1]) / "bin/python").touch()
            (Path(words[-1]) / "pyvenv.cfg").touch()


def ran(card, what, *options):
    commands = Commands(card)
    assert install_pi.main([what, "--root", str(card), *options], commands) == 0
    return commands.ran


def tree(folder):
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_an_installation_makes_user_folders_environment_and_service(card, capsys):
    words = ran(card, "install")
    assert [command[0] for command in words[:2]] == ["groupadd", "useradd"]
    assert words[0][-1] == "gpio"  # the one this card lacked
    for group in ("spi", "i2c", "gpio", "dialout"):
        assert "meter" in install_pi.members(card, group)
    assert install_pi.members(card, "spi") == ["pi", "meter"]
    for folder in FOLDERS:
        assert (card / folder).stat().st_mode & 0o777 == 0o700
    assert (card / UNIT).read_text() == (ROOT / "firmware/wattledger.service").read_text()
    assert (card / WANTED).is_symlink()
    assert 'SUBSYSTEM=="spidev", GROUP="spi"' in (card / install_pi.RULES).read_text()
    assert "look:" not in capsys.readouterr().out


def test_nothing_goes_into_the_systems_own_python(card):
    # PEP 668: pip is only ever that of the environment.
    python = str(card / "opt/wattledger/bin/python")
    pips = [words for words in ran(card, "install") if "pip" in words]
    wanted = [python, "-m", "pip", "install", "--upgrade", f"{ROOT}[pi,tools]"]
    assert pips == [wanted]


def test_the_scripts_of_a_card_name_the_python_that_the_pi_will_see(card):
    commands = Commands(card)
    bin = card / "opt/wattledger/bin"

    def with_scripts(words):
        commands(words)
        if "pip" in words:
            (bin / "wattledger-meter").write_text(f"#!{bin}/python\nimport sys  # {card}\n")
            (bin / "wattledger-meter").chmod(0o755)
            (bin / "other").write_bytes(b"#!/bin/sh\n\xff")

    assert install_pi.main(["install", "--root", str(card)], with_scripts) == 0
    meter = bin / "wattledger-meter"
    assert meter.read_text() == f"#!/opt/wattledger/bin/python\nimport sys  # {card}\n"
    assert meter.stat().st_mode & 0o777 == 0o755
    assert (bin / "other").read_bytes() == b"#!/bin/sh\n\xff"


def test_a_second_installation_only_upgrades(card, capsys):
    ran(card, "install")
    capsys.readouterr()
    rules = (card / install_pi.RULES).stat().st_mtime_ns
    again = ran(card, "install")
    assert [words[1:5] for words in again] == [["-m", "pip", "install", "--upgrade"]]
    assert (card / install_pi.RULES).stat().st_mtime_ns == rules
    printed = capsys.readouterr().out.splitlines()
    assert [line.startswith("next:") for line in printed[1:3]] == [True, False]


def test_a_second_installation_repairs(card):
    ran(card, "install")
    text = (card / UNIT).read_text()
    (card / UNIT).write_text(text.replace("NoNewPrivileges=yes", "NoNewPrivileges=no"))
    group = card / "etc/group"
    group.write_text(group.read_text().replace("i2c:x:991:meter", "i2c:x:991:"))
    again = ran(card, "install")
    assert again[0][-4:] == ["--append", "--groups", "i2c", "meter"]
    assert (card / UNIT).read_text() == text


def test_a_dry_run_prints_every_step_and_does_none(card, capsys):
    before = tree(card)
    assert ran(card, "install", "--dry-run") == []
    printed = capsys.readouterr().out.splitlines()
    assert tree(card) == before
    ran(card, "install")
    assert capsys.readouterr().out.splitlines() == printed
    before = tree(card)
    assert ran(card, "uninstall", "--dry-run") == []
    assert tree(card) == before


def test_what_is_missing_is_named_before_anything_is_done(card, monkeypatch, capsys):
    monkeypatch.setattr(install_pi, "missing_packages", lambda: ["python3-venv", "gcc"])
    before = tree(card)
    commands = Commands(card)
    assert install_pi.main(["install", "--root", str(card)], commands) == 1
    assert capsys.readouterr().err == (
        "install_pi: these packages are missing: sudo apt install python3-venv gcc\n"
    )
    assert commands.ran == [] and tree(card) == before
    ran(card, "install", "--dry-run")
    assert capsys.readouterr().out.startswith("first: these packages are missing")


def test_a_python_that_the_service_cannot_see_is_refused(card, monkeypatch):
    monkeypatch.undo()
    place = install_pi.Place(card, print)
    with pytest.raises(install_pi.InstallError, match="/usr/bin/python3"):
        install_pi.check(place, "/home/pi/.pyenv/versions/3.13")


def test_a_folder_that_is_no_environment_is_left_alone(card, capsys):
    (card / "opt/wattledger/bin").mkdir(parents=True)
    commands = Commands(card)
    for what in ("install", "uninstall"):
        assert install_pi.main([what, "--root", str(card)], commands) == 1
        assert "is no environment of Python" in capsys.readouterr().err
    assert commands.ran == [] and (card / "opt/wattledger/bin").is_dir()


def test_the_rules_of_raspberry_pi_os_are_left_to_it(card):
    rules = card / "etc/udev/rules.d/99-com.rules"
    rules.parent.mkdir(parents=True)
    rules.write_text('SUBSYSTEM=="spidev", GROUP="spi", MODE="0660"\n')
    ran(card, "install")
    assert not (card / install_pi.RULES).exists()


def test_an_uninstallation_keeps_site_and_state(card, capsys):
    ran(card, "install")
    for folder in FOLDERS:
        (card / folder / "kept").write_text("money")
    ran(card, "uninstall")
    for path in ("opt/wattledger", UNIT, WANTED, install_pi.RULES):
        assert not os.path.lexists(card / path)
    for folder in FOLDERS:
        assert (card / folder / "kept").read_text() == "money"
    assert "meter:" in (card / "etc/passwd").read_text()  # their owner
    capsys.readouterr()
    assert ran(card, "uninstall") == []
    assert capsys.readouterr().out.startswith("nothing to do\nkept: ")


def a_release(card):
    """The card's meter runs a release and has another as its way back."""
    root = card / "var/lib/wattledger-releases"
    for slot in "ab":
        (root / "releases" / slot / "wattledger").mkdir(parents=True)
        (root / "releases" / slot / "manifest").write_text("signed")
    (root / "current").symlink_to("releases/a")
    (root / "releases/floor").write_text("7")
    return root


def test_an_upgrade_leaves_releases_and_floor_and_says_which_runs(card, capsys):
    ran(card, "install")
    root = a_release(card)
    before = tree(root)
    capsys.readouterr()
    ran(card, "install")
    assert "look: the service runs the release in releases/a;" in capsys.readouterr().out
    assert tree(root) == before


def test_releases_are_removed_when_that_is_said_and_the_floor_never(card, capsys):
    ran(card, "install")
    root = a_release(card)
    ran(card, "uninstall")
    assert (root / "current").is_symlink() and (root / "releases/b/manifest").exists()
    capsys.readouterr()
    ran(card, "uninstall", "--releases")
    printed = capsys.readouterr().out
    assert [path.name for path in root.rglob("*")] == ["releases", "floor"]
    assert (root / "releases/floor").read_text() == "7"
    assert (
        f"kept: {card}/etc/wattledger, {card}/var/lib/wattledger, {root}/releases/floor" in printed
    )


def test_the_unit_names_the_folders_that_the_installer_makes():
    text = (ROOT / "firmware/wattledger.service").read_text()
    places = [install_pi.PROGRAM, install_pi.SITE, install_pi.STATE, install_pi.RELEASES]
    for place in places:
        assert f"/{place}" in text
    named = "StateDirectory=" + " ".join(place.rpartition("/")[2] for place in places[2:])
    assert named in text.splitlines()


@pytest.mark.parametrize(
    ("file", "old", "new", "buses", "said"),
    [
        ("config.txt", "dtparam=spi=on", "#dtparam=spi=on", ("spi",), "SPI is off"),
        ("config.txt", "i2c_arm=on", "i2c_arm=off", ("spi", "uart", "i2c"), "I2C is off"),
        ("config.txt", "enable_uart=1", "", ("uart",), "the UART is off"),
        ("cmdline.txt", "tty1", "serial0,115200", ("uart",), "the console has the UART"),
    ],
)
def test_a_bus_that_is_off_is_named_for_the_boards_that_need_it(card, file, old, new, buses, said):
    path = card / "boot/firmware" / file
    path.write_text(path.read_text().replace(old, new))
    for bus in ("spi", "i2c", "uart"):
        hints = list(install_pi.bus_hints(card, bus))
        assert [hint.startswith(said) for hint in hints] == [True] * (bus in buses)
    assert len(list(install_pi.bus_hints(card, None))) == 1


def test_a_raspberry_pi_5_has_the_uart_of_its_header_elsewhere(card):
    compatible = card / "proc/device-tree/compatible"
    compatible.parent.mkdir(parents=True)
    compatible.write_bytes(b"raspberrypi,5-model-b\0brcm,bcm2712\0")
    said = "the UART is off: sudo raspi-config nonint do_serial_hw 0, and reboot"
    assert list(install_pi.bus_hints(card, "uart")) == [said]  # enable_uart=1 is there
    config = card / "boot/firmware/config.txt"
    config.write_text(config.read_text() + "\ndtparam=uart0=on\n")
    words = card / "boot/firmware/cmdline.txt"
    words.write_text("console=serial0,115200 console=tty1\n")  # of the other connector
    assert list(install_pi.bus_hints(card, "uart")) == []
    words.write_text("console=ttyAMA0,115200 console=tty1\n")
    hints = list(install_pi.bus_hints(card, "uart"))
    assert len(hints) == 1 and hints[0].startswith("the console has the UART")


def test_a_boards_bus_is_that_of_its_constants():
    assert install_pi.board_bus("pi_bl0942") == "uart"
    assert install_pi.board_bus("pi_atm90e32") == "spi"
    with pytest.raises(install_pi.InstallError, match="is no board"):
        install_pi.board_bus("../board/pi_bl0942")


def test_without_root_only_a_dry_run_is_done(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install_pi.main(["install"], pytest.fail) == 1
    assert "run it with sudo" in capsys.readouterr().err


def test_it_runs_without_the_package_and_systemd_takes_the_unit(card):
    # By a Python that has none of the packages: -I -S hides them.
    script = str(ROOT / "tools/install_pi.py")
    words = [sys.executable, "-I", "-S", script, "install", "--root", str(card), "--dry-run"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "-m pip install" in done.stdout, done.stderr
    systemctl = shutil.which("systemctl")
    if systemctl is None:
        pytest.skip("needs systemctl: apt install systemd")

    def real(words):
        if words[0] == "systemctl":
            install_pi.run([systemctl, *words[1:]])
        else:
            Commands(card)(words)

    assert install_pi.main(["install", "--root", str(card)], real) == 0
    assert (card / WANTED).is_symlink()
    assert install_pi.main(["uninstall", "--root", str(card)], real) == 0
    assert not os.path.lexists(card / WANTED)
