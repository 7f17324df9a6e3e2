"""The script `wattledger`: exit codes, what goes to stdout and stderr, and never a traceback."""

import json
import os
import subprocess
import sys

import pytest

from wattledger.agent.errors import AgentError
from wattledger.host_sim.errors import LoadError
from wattledger.tests.host.meter_bench import FROM, HandJournal
from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli, orders, tariff, vend
from wattledger.tools.errors import VendError

DEMO = str(ROOT / "tools" / "data" / "demo-tariff.json")


@pytest.fixture
def wattledger(capsys):
    """Runs a command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


@pytest.fixture
def journal(tmp_path):
    made = HandJournal(tmp_path)
    made.interval(FROM, FROM + 900, 100)
    made.interval(FROM + 900, FROM + 1800, 100)
    return made


def script(*arguments, **options):
    """The real script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "wattledger.tools.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        **options,
    )


def test_help_lists_the_commands(wattledger):
    for arguments in ((), ("--help",)):
        code, out, _ = wattledger(*arguments)
        assert code == 0
        for name in ("demo", "bill", "profile", "credit", "relay", "tariff", "device", "ledger"):
            assert f"  {name} " in out


def test_version(wattledger):
    code, out, _ = wattledger("--version")
    assert code == 0 and out.startswith("wattledger")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["tarif"], "wattledger: No such command 'tarif'."),
        (["tariff"], "wattledger tariff: Missing command."),
        (["tariff", "check"], "wattledger tariff check: Missing argument 'F'."),
        (["bill", "--tariff", DEMO], "wattledger bill: Missing option '--profile'."),
        (["demo", "--speed", "fast"], "wattledger demo: Invalid value for '--speed'"),
        (["ledger", "verify", "--jsn", "."], "wattledger ledger verify: No such option"),
        (["relay", "demo-0001", "open", "--broker", "x", "--keys", "y"], "wattledger relay: "),
    ],
)
def test_wrong_usage_is_two_lines_and_exit_code_2(wattledger, arguments, error):
    code, out, err = wattledger(*arguments)
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert lines[0].startswith(error)
    assert len(lines) == 2 and lines[1].startswith("see: wattledger")


@pytest.mark.parametrize(
    "arguments",
    [
        ["tariff", "check", "missing.json"],
        ["device", "check", "missing.json"],
        ["bill", "--tariff", "missing.json", "--profile", "p.csv"],
        ["bill", "--tariff", DEMO, "--profile", "missing.csv"],
        ["demo", "--headless", "--for", "1", "--load", "missing.csv"],
    ],
)
def test_a_missing_file_is_one_line_with_a_remedy(wattledger, arguments):
    code, out, err = wattledger(*arguments)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1 and "missing." in err and ";" in err


def test_a_faulty_document_is_one_line_with_its_place(wattledger, tmp_path):
    file = tmp_path / "t.json"
    file.write_text('{\n "v": 1,\n "a\\nb": 0,\n}')
    code, out, err = wattledger("tariff", "check", file, "--json")
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}:") and err.count("\n") == 1
    file.write_text(open(DEMO).read().replace('"v": 1,', '"v": 1, "a\\nb": 0,'))
    code, _, err = wattledger("tariff", "check", file)
    assert err == f"{file}:2:19: a\\nb: unknown key; remove it or check its spelling\n"


def test_json_is_one_object_on_the_last_line(wattledger, tmp_path, journal):
    profile = tmp_path / "p.csv"
    code, csv, err = wattledger("profile", tmp_path, "--csv")
    assert (code, err) == (0, "")
    assert csv == (
        f"start_utc,import_wh,export_wh,trust\n{FROM},100,0,synced\n{FROM + 900},100,0,synced\n"
    )
    profile.write_text(csv)
    device = tmp_path / "device.json"
    device.write_text('{"v": 1, "meter": "m", "tenant": "t", "board": "sim"}')
    for arguments, key, value in (
        (["tariff", "check", DEMO], "bytes_limit", 4096),
        (["device", "check", device], "profile_s", 900),
        (["bill", "--tariff", DEMO, "--profile", profile], "energy_nano", 62000000),
        (["profile", tmp_path], "import_wh", 200),
        (["ledger", "verify", tmp_path], "entries", 3),
    ):
        code, out, err = wattledger(*arguments, "--json")
        assert (code, err) == (0, ""), arguments
        assert out.count("\n") == 1
        assert json.loads(out)[key] == value
        code, out, err = wattledger(*arguments)
        assert code == 0 and out, arguments


def test_a_damaged_journal_fails_and_says_from_where(wattledger, tmp_path, journal):
    last = sorted(tmp_path.glob("j*"))[-1]
    data = bytearray(last.read_bytes())
    data[-20] ^= 1
    last.write_bytes(data)
    code, out, err = wattledger("ledger", "verify", tmp_path, "--json")
    assert code == 1 and json.loads(out)["chain_ok"] is False
    assert f"{tmp_path}: entry 3 is damaged" in err
    code, out, err = wattledger("profile", tmp_path, "--csv")
    assert (code, out.count("\n")) == (1, 3)  # what stands before: the interval and its end
    assert "entry 3 is damaged" in err
    assert wattledger("ledger", "list", tmp_path)[0] == 1


def test_the_tools_tell_of_a_cycle_begun_before(wattledger, tmp_path):
    HandJournal(tmp_path, used_wh=99100).interval(FROM, FROM + 900, 1)
    _, _, err = wattledger("profile", tmp_path, "--csv")
    assert err == "note: the meter was opened within a cycle: bill needs --used 99100\n"


def test_credit_shows_the_answer_of_the_meter(wattledger, monkeypatch):
    asked = []

    def credit(*arguments):
        asked.append([str(argument) for argument in arguments])
        return {"result": answer, "detail": "", "latency_ms": 12, "n": 7}

    monkeypatch.setattr(vend, "credit", credit)
    line = ["credit", "demo-0001", "10.50", "--broker", "mqtt://127.0.0.1:1", "--keys", "k"]
    answer = "ok"
    assert wattledger(*line) == (0, "ok (12 ms, vend number 7)\n", "")
    answer = "duplicate"
    code, out, _ = wattledger(*line, "--n", "7", "--json")
    assert (code, json.loads(out)["result"]) == (0, "duplicate")
    answer = "range"
    assert wattledger(*line)[0] == 1
    assert asked[1] == ["demo-0001", "10.50", "mqtt://127.0.0.1:1", "k", "7"]


def test_relay_arms(wattledger, monkeypatch):
    answer = {"result": "ok", "detail": "ready", "latency_ms": 5}
    monkeypatch.setattr(orders, "send", lambda meter, order, *rest: answer)
    line = ["relay", "demo-0001", "arm", "--broker", "mqtt://127.0.0.1:1", "--keys", "k"]
    assert wattledger(*line) == (0, "ok: ready (5 ms)\n", "")


@pytest.mark.parametrize(
    ("raised", "code", "err"),
    [
        (VendError("no answer\n  try again\n  third"), 1, "no answer\n  try again\n"),
        (AgentError("the meter says no"), 1, "the meter says no\n"),
        (LoadError("f:1:2: bad"), 1, "f:1:2: bad\n"),
        (OSError(28, "No space left on device", "/x/y"), 1, "/x/y: No space left on device; "),
        (KeyboardInterrupt(), 130, ""),
        (VendError("x" * 9000), 1, "x" * 250 + " ... " + "x" * 250 + "\n"),
    ],
)
def test_errors_of_any_room_are_told_in_two_lines(wattledger, monkeypatch, raised, code, err):
    def fail(path):
        raise raised

    monkeypatch.setattr(tariff, "check", fail)
    found = wattledger("tariff", "check", DEMO)
    assert found[:2] == (code, "")
    assert found[2].startswith(err) and found[2].count("\n") <= 2


def test_a_mistake_of_ours_is_not_hidden(monkeypatch):
    monkeypatch.setattr(tariff, "check", lambda path: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        cli.run(["tariff", "check", DEMO])


def test_demo_hands_its_options_on(wattledger, monkeypatch):
    from wattledger.tools import demo

    seen = {}
    monkeypatch.setattr(demo, "run", lambda **options: seen.update(options) or 0)
    assert wattledger("demo")[0] == 0
    assert seen == {
        "seconds": None,
        "speed": 60.0,
        "load": None,
        "tariff": None,
        "credit": "2.00",
        "state": None,
        "headless": False,
        "as_json": False,
        "seed": 1,
    }
    line = "demo --for 70 --speed 1440 --load l.csv --tariff t.json --credit 50 --state s"
    assert wattledger(*line.split(), "--headless", "--json", "--seed", "9")[0] == 0
    assert {key: str(value) for key, value in seen.items()} == {
        "seconds": "70.0",
        "speed": "1440.0",
        "load": "l.csv",
        "tariff": "t.json",
        "credit": "50",
        "state": "s",
        "headless": "True",
        "as_json": "True",
        "seed": "9",
    }


def test_the_script_itself(tmp_path):
    done = script("tariff", "check", DEMO, env=dict(os.environ, NO_COLOR="1"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    done = script("tariff", "check", tmp_path / "missing")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_reader_that_leaves_early_makes_no_noise(tmp_path):
    made = HandJournal(tmp_path)
    made.interval(FROM, FROM + 900, 100)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "wattledger.tools.cli", "profile", str(tmp_path), "--csv"],
        cwd=ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_version_and_usage_do_not_wait_for_what_they_do_not_need():
    program = (
        "import sys; from wattledger.tools import cli; cli.run(['--version']);"
        "slow = [n for n in ('rich', 'paho', 'microdot', 'tinydb', 'wattledger.agent')"
        " if n in sys.modules]; sys.exit(repr(slow) if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
