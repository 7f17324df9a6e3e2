"""What `wattledger provision` writes for an ESP32 beside its keys: its way to the broker and its
first credit. Read by the meter's own reader, and copied by `wattledger flash`."""

import json
import os
import pty
import select
import stat
import sys
import time
from pathlib import Path

import pytest

from wattledger.firmware import boot
from wattledger.firmware.site_esp32 import Site
from wattledger.host_sim import esp32 as sim_esp32
from wattledger.tools import cli
from wattledger.tools.flash import upload

BOARD = "esp32_atm90e32"
PASSWORD = "correct horse, battery"


def provision(tmp_path, *words, meter="m-1", board=BOARD):
    """The exit code; its site is in tmp_path/site/m-1."""
    return cli.run(line(tmp_path, *words, meter=meter, board=board))


def line(tmp_path, *words, meter="m-1", board=BOARD):
    found = ["provision", "--board", board, "--meter", meter, "--out", tmp_path / "site" / meter]
    return [str(word) for word in (*found, *words)]


def reader(folder):
    """The meter's own, on the folder as it lies in a file system."""
    sim_esp32.detach_all()
    (folder / "flash").mkdir()
    os.symlink(folder / "site" / "m-1", folder / "flash" / "site")
    found = boot.Found()
    found.folder = str(folder / "flash")
    return Site(found, sim_esp32, print)


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return path


def test_one_command_writes_the_whole_site(tmp_path, password_file, capsys):
    words = ("--ssid", "Wohnung 3 ü", "--wifi-password-file", password_file)
    words += ("--broker", "broker.example", "--port", "18883", "--ntp", "192.0.2.1")
    assert provision(tmp_path, *words, "--credit", "5.50") == 0
    site = reader(tmp_path)
    assert site.network() == {
        "ssid": "Wohnung 3 ü",
        "password": PASSWORD,
        "broker": "broker.example",
        "port": 18883,
        "ntp": "192.0.2.1",
    }
    assert int(site.content("commission")) == 5_500_000
    for path in (tmp_path / "site" / "m-1").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    said = capsys.readouterr()
    assert PASSWORD not in said.out + said.err and "has no link" not in said.err


def test_port_and_time_server_need_not_be_told(tmp_path):
    assert provision(tmp_path, "--ssid", "s", "--wifi-open", "--broker", "127.0.0.1") == 0
    found = reader(tmp_path).network()
    assert (found["port"], found["ntp"], found["password"]) == (8883, "pool.ntp.org", "")


def test_a_meter_may_go_without_and_a_person_is_told(tmp_path, capsys):
    assert provision(tmp_path) == 0
    site = reader(tmp_path)
    assert site.network() == {} and site.content("commission") is None
    said = capsys.readouterr().err
    assert "no --ssid and --broker: this meter has no link" in said
    assert "no --credit: its ledger is opened by `wattledger ledger open` alone" in said


def test_flash_copies_all_that_the_meter_reads(tmp_path, password_file):
    words = ("--ssid", "s", "--wifi-password-file", password_file, "--broker", "b")
    assert provision(tmp_path, *words, "--credit", "0") == 0
    site = tmp_path / "site" / "m-1"
    files = upload.site_files(site, BOARD)
    assert {place for _, place in files} >= {"site/network.json", "site/commission"}
    assert (site / "commission").read_text() == "0\n"
    assert files[-1][1] == "site/device.json"
    brought = {place.removeprefix("site/") for _, place in files}
    kept_here = {path.name for path in site.iterdir()} - brought
    assert kept_here == {"ca.pem", "label.svg", "label.txt"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--ssid", "s", "--wifi-open"), 2, "--ssid and --broker: an ESP32 needs both"),
        (("--broker", "b"), 2, "--ssid and --broker: an ESP32 needs both"),
        (("--ntp", "b"), 2, "needs --ssid and --broker"),
        (("--ssid", "s" * 33, "--broker", "b"), 1, "--ssid 'sssss"),
        (("--ssid", "ü" * 17, "--broker", "b"), 1, "is 34 bytes long; give the name"),
        (("--ssid", "", "--broker", "b"), 1, "--ssid '': is 0 bytes long"),
        (("--ssid", "s", "--broker", "mqtts://b"), 1, "--broker 'mqtts://b': is no host"),
        (("--ssid", "s", "--broker", "b:8883"), 1, "a broker's port is --port"),
        (("--ssid", "s", "--broker", "10.0.0.256"), 1, "give a name or an IPv4 address"),
        (("--ssid", "s", "--broker", "::1"), 1, "give a name or an IPv4 address"),
        (("--ssid", "s", "--broker", "-b.example"), 1, "--broker '-b.example': is no host"),
        (("--ssid", "s", "--broker", "b", "--ntp", "a b"), 1, "--ntp 'a b': is no host"),
        (("--ssid", "s", "--broker", "b", "--port", "0"), 1, "--port 0: give one from 1 to"),
        (("--ssid", "s", "--broker", "b", "--port", "65536"), 1, "--port 65536"),
        (("--credit", "5,50"), 1, "--credit: amount '5,50' is not a number like 10 or 10.50"),
        (("--credit", "-1"), 1, "an amount cannot be negative"),
        (("--credit", "1.0000001"), 1, "at most 6 decimals"),
        (("--credit", "1", "--again"), 1, "open it by `wattledger ledger open`"),
    ],
)
def test_wrong_wishes_are_told_before_anything_is_made(tmp_path, capsys, words, code, said):
    assert provision(tmp_path, *words) == code
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "site" / "m-1").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seven77", "must be 8 to 63 characters of printable ASCII, and has 7; for a Wi-Fi"),
        ("x" * 64, "and has 64"),
        ("pässword", "printable ASCII"),
        ("two\nlines", "printable ASCII"),
    ],
)
def test_a_password_that_no_access_point_takes(tmp_path, capsys, password_file, text, said):
    password_file.write_text(text)
    words = ("--ssid", "s", "--broker", "b", "--wifi-password-file", password_file)
    assert provision(tmp_path, *words) == 1
    err = capsys.readouterr().err
    assert said in err and str(password_file) in err and text not in err
    assert not (tmp_path / "site").exists()


def test_a_wifi_needs_a_word_on_its_password(tmp_path, capsys, password_file, monkeypatch):
    with open(os.devnull) as nobody:  # a script, with nobody to ask
        monkeypatch.setattr(sys, "stdin", nobody)
        assert provision(tmp_path, "--ssid", "s", "--broker", "b") == 2
    assert "--wifi-password-file, or --wifi-open" in capsys.readouterr().err
    words = ("--ssid", "s", "--broker", "b", "--wifi-open", "--wifi-password-file", password_file)
    assert provision(tmp_path, *words) == 2
    assert provision(tmp_path, *words[:4], "--wifi-password-file", tmp_path / "none") == 1
    assert f"{tmp_path / 'none'}: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_a_person_types_the_password_and_it_is_not_shown(tmp_path):
    words = line(tmp_path, "--ssid", "s", "--broker", "b")
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-m", "wattledger.tools.cli", *words])
    shown = b""
    for asked in (b"Password of the Wi-Fi s: ", b"Repeat for confirmation: "):
        shown += heard(terminal, asked, shown)
        os.write(terminal, PASSWORD.encode() + b"\n")
    shown += heard(terminal, b"tenant: home", shown)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert PASSWORD.encode() not in shown
    assert reader(tmp_path).network()["password"] == PASSWORD


def heard(terminal, words, before):
    """What comes until `words` are in it."""
    got = b""
    until = time.monotonic() + 20
    while words not in before + got:
        assert time.monotonic() < until, before + got
        if select.select([terminal], [], [], 0.2)[0]:
            got += os.read(terminal, 4096)
    return got


def test_a_raspberry_pi_takes_neither(tmp_path, capsys):
    for words in (("--credit", "1"), ("--ssid", "s", "--wifi-open", "--broker", "b")):
        assert provision(tmp_path, *words, board="pi_atm90e32") == 1
        assert "pi_atm90e32: takes neither Wi-Fi nor credit" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_the_password_is_in_no_command_line():
    from typer.main import get_command

    from wattledger.tools.commands import provision as commands

    options = [word for each in get_command(commands.app).params for word in each.opts]
    found = [word for word in options if "password" in word]
    assert found == ["--wifi-password-file"]


def test_the_file_is_what_the_documentation_shows(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "esp32.md").read_text()
    shown = text[text.index('`{"ssid"') + 1 :]
    assert provision(tmp_path, "--ssid", "s", "--wifi-open", "--broker", "b") == 0
    found = reader(tmp_path).network()
    assert set(json.loads(shown[: shown.index("`")])) == set(found)
