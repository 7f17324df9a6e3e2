"""Numbers and times that no meter takes are refused before anything is signed, sent or used up."""

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli, keys, push, signing, update

METER = "m-1"
BIG = "9" * 30
DEMO = str(ROOT / "tools" / "data" / "demo-tariff.json")


@pytest.fixture
def folder(tmp_path):
    keys.create(tmp_path, METER)
    for kid in (signing.ROOT_KID, signing.TARIFF_KID, "firmware.1"):
        signing.create(tmp_path, kid)
    return tmp_path


@pytest.fixture
def told(folder, capsys):
    """Runs a command line with a broker and keys: (exit code, the first line of stderr)."""

    def run(*words, has_broker=True):
        broker = ["--broker", "mqtt://127.0.0.1:1"] if has_broker else []
        code = cli.run([*words[0].split(), *words[1:], *broker, "--keys", str(folder)])
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == code  # 1: one line; 2: and where the help is
        return code, lines[0] if lines else ""

    return run


@pytest.mark.parametrize(
    "at", ["1999-12-31T23:59:59Z", "2100-01-01T00:00:01Z", "0001-01-01T00:00Z"]
)
def test_a_time_that_no_clock_of_a_meter_has(told, at):
    said = "must be from 2000 to 2099, where a meter has a clock"
    for words, option in (
        (("message m-1 hello --until", at), "--until"),
        (("time set m-1 --at", at), "--at"),
        (("assist m-1 live --until", at), "--until"),
    ):
        code, line = told(*words, "--dry-run")
        assert code == 2 and line.endswith(f"Invalid value: {option} {said}")


@pytest.mark.parametrize("at", ["2000-01-01T00:00Z", "2100-01-01T00:00Z"])
def test_the_first_and_the_last_time_of_a_meter(told, at):
    assert told("time set m-1 --at", at, "--dry-run") == (0, "")


def test_a_version_of_more_than_32_bits_uses_up_no_want(told, folder):
    words = ("tariff want m-1 --id x --group g --timeout 0 --n",)
    assert told(*words, "4294967296")[0] == 2
    assert push.last_version(folder, METER) == 0
    assert told(*words, "4294967295")[0] == 1  # no broker, and only now a version is used
    assert push.last_version(folder, METER) == 1


def test_a_group_is_looked_at_by_a_dry_run_too(told):
    code, line = told("tariff push", DEMO, "--dry-run", "--group", "a/#")
    assert (code, line) == (1, "group 'a/#' must be 1 to 32 of a-z, 0-9, - _ and .")


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(1, 4096, 0), (1, 4097, 1), (BIG, BIG, 1), (4294967295, 4294967295, 0)],
)
def test_entries_that_no_journal_has_or_no_meter_sends(told, first, last, code):
    words = ("--from", str(first), "--to", str(last))
    assert told("read m-1 journal", *words, "--dry-run")[0] == code


@pytest.mark.parametrize(
    ("balance", "code"), [(".", 1), ("-.", 1), ("..", 1), ("-", 1), ("0.00", 0), ("-0", 0)]
)
def test_a_point_is_no_balance(told, balance, code):
    assert told("ledger open m-1 --dry-run --balance", balance)[0] == code


def test_a_hardware_that_no_meter_is(told, folder):
    (folder / "app").mkdir()
    (folder / "app" / "main").write_text("1")
    words = ("update sign", str(folder / "app"), "--sequence", "1", "--version", "1", "--out")
    code, line = told(*words, str(folder / "r"), "--hardware", "esp23", has_broker=False)
    assert code == 2 and "Invalid value for '--hardware'" in line
    assert not (folder / "r").exists()
    assert told(*words, str(folder / "r"), "--hardware", "pi", has_broker=False)[0] == 0
    assert update.load(folder / "r", signing.public_keys(folder)).manifest.hw_class == "pi"


def test_more_entries_than_a_journal_has_room_for(capsys, tmp_path):
    assert cli.run(["ledger", "list", str(tmp_path), "--last", BIG]) == 2
    assert "Invalid value for '--last'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "start", ["4102444801", "9000000000", "2100-01-01T00:00:01Z", "1969-12-31T23:59:59Z"]
)
def test_a_row_at_a_time_that_no_meter_has(capsys, tmp_path, start):
    profile = tmp_path / "p.csv"
    profile.write_text(f"start_utc,import_wh\n1800000000,1\n{start},5\n")
    words = ["bill", "--tariff", DEMO, "--profile", str(profile), "--estimate"]
    assert cli.run(words) == 1
    assert capsys.readouterr().err.startswith(f"{profile}:3:1: start_utc: must be unix seconds or")


def test_a_keys_directory_that_is_not_there_is_named(capsys, tmp_path):
    words = ["update", "serve", str(tmp_path), "--broker", "b", "--keys", str(tmp_path / "none")]
    assert cli.run(words) == 1
    said = f"{tmp_path / 'none'}: no such folder; give the one that holds the keys\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("out", ["", "none/c.json"])
def test_a_calibration_that_could_not_be_written_is_not_begun(tmp_path, capsys, out):
    words = ["calibrate", "--simulate", "--by", "A", "--against", "B", "--out"]
    assert cli.run([*words, str(tmp_path / out)]) == 1
    said = f"--out {tmp_path / out}: is a folder, or lies in none; give a file's name\n"
    assert capsys.readouterr().err == said
