"""The log of a Raspberry Pi: one line an event, with a priority where the journal reads it."""

import json
import os
import subprocess
import sys

import pytest

from wattledger.firmware import main_pi
from wattledger.firmware.log_linux import Log

DEVICE = {"v": 1, "meter": "pi-0001", "tenant": "demo", "board": "pi_atm90e32", "max_amps": 60}


def logged(tmp_path, write, journal=True):
    path = tmp_path / "journal"
    with open(path, "w") as stream:
        found = os.fstat(stream.fileno())
        named = f"{found.st_dev}:{found.st_ino}" if journal else "1:2"
        write(Log(stream, {"JOURNAL_STREAM": named}))
    return path.read_text()


def test_the_journal_reads_a_priority(tmp_path):
    def write(log):
        log("measures")
        log.warning("no battery clock")
        log.error("the pins cannot be had")

    # The numbers of syslog(3).
    lines = "<6>measures\n<4>no battery clock\n<3>the pins cannot be had\n"
    assert logged(tmp_path, write) == lines


def test_a_terminal_and_another_file_read_none(tmp_path):
    assert logged(tmp_path, lambda log: log.error("x"), journal=False) == "x\n"
    program = "from wattledger.firmware import main_pi; main_pi.log.warning('x')"
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "x\n")


def test_what_a_peer_sent_begins_no_line(tmp_path):
    text = "refused: a\n<0>forged\r\x1b[2Jb\u2028c\0"
    line = "<6>refused: a <0>forged  [2Jb c \n"
    assert logged(tmp_path, lambda log: log(text)) == line


def test_an_endless_line_ends(tmp_path):
    assert len(logged(tmp_path, lambda log: log("x" * 100_000))) == len("<6>") + 1000 + 1


@pytest.mark.parametrize("name", ["device.key", "gate.key", "token.key"])
@pytest.mark.parametrize("secret", ["5ec2e7" * 9 + "5", "5ec2e7 of no key"])
def test_a_secret_that_is_wrong_is_not_told(tmp_path, monkeypatch, capsys, name, secret):
    token = {"scheme": "openpaygo", "start": 123456789}
    files = {
        "device.json": json.dumps({**DEVICE, "token": token}),
        "device.key": "07" * 32,
        "gate.key": "09" * 32,
        name: secret,
    }
    for file, text in files.items():
        (tmp_path / file).write_text(text)
        (tmp_path / file).chmod(0o600)
    monkeypatch.setattr(main_pi.signal, "signal", lambda *_: None)
    assert main_pi.main([str(tmp_path), "--state", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert name in said and said.count("\n") == 1
    for shown in ("5ec2e7", "07070707", "09090909"):
        assert shown not in said
