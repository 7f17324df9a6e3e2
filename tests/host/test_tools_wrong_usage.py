"""Whatever a person types: two lines, the place and the remedy, and the right exit code."""

import inspect
import os
import subprocess
import sys
import typing

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli, signing
from wattledger.tools.commands import app


@pytest.fixture
def wattledger(capfd):
    """Runs a command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = cli.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return run


SCRIPT = [sys.executable, "-m", "wattledger.tools.cli"]


def script(*arguments, shell="", typed=b"", **environment):
    """The real script in a process of its own; `shell` goes behind it, as `>&-`."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", *SCRIPT, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=typed,
        capture_output=True,
    )


def commands(group=app, path=()):
    """Every command: its words, and its parameters with their options."""
    for one in group.registered_commands:
        hints = typing.get_type_hints(one.callback, include_extras=True)
        name = one.name or one.callback.__name__.replace("_", "-")
        yield (*path, name), inspect.signature(one.callback).parameters, hints
    for one in group.registered_groups:
        yield from commands(one.typer_instance, (*path, one.name))


def waits():
    for words, parameters, hints in commands():
        for name in parameters:
            kind, *more = typing.get_args(hints[name]) or (hints[name],)
            if float in (kind, *typing.get_args(kind)):
                given = [more[0].default, *(more[0].param_decls or ())]
                names = [word for word in given if str(word).startswith("--")]
                yield (*words, names[0] if names else f"--{name}")


@pytest.mark.parametrize("words", list(waits()), ids=" ".join)
def test_a_time_or_a_speed_that_no_clock_has_is_wrong_usage(wattledger, words):
    for text in ("nan", "inf", "-inf", "-1", "1e400", "1e12"):
        code, out, err = wattledger(*words, text)
        assert (code, out) == (2, ""), text
        assert f"Invalid value for '{words[-1]}'" in err and err.count("\n") == 2


def test_every_command_with_a_wait_is_among_them():
    assert len(list(waits())) == 10


@pytest.mark.parametrize("words", [["tariff", "check"], ["message", "m", "--broker"], []])
def test_an_argument_that_is_no_text_is_named(words):
    done = script(*words, b"gr\xfcn")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"'gr\\udcfcn' is not text in utf-8; " in done.stderr and done.stderr.count(b"\n") == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_a_stream_cannot_show_is_a_question_mark(encoding, tmp_path):
    done = script("display", "card", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"??" in done.stdout
    done = script("tariff", "check", "\u7535", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr.split(b":")[0]) == (1, b"?")


@pytest.mark.parametrize(
    ("words", "shell", "code", "out", "err"),
    [
        (["board", "list"], ">&-", 0, b"", b""),
        (["board", "list"], "<&- >&- 2>&-", 0, b"", b""),
        (["board", "list", "--json"], "2>&-", 0, b"{", b""),
        (["tarif"], "2>&-", 2, b"", b""),
        (["calibrate", "--simulate"], "<&- 2>&-", 1, b"", b""),
        (["board", "list"], ">/dev/full", 1, b"", b"No space left on device; "),
    ],
)
def test_a_stream_that_is_closed_or_full_makes_no_traceback(words, shell, code, out, err):
    done = script(*words, shell=shell)
    assert done.returncode == code
    assert (done.stdout[: len(out) or None], done.stderr[: len(err) or None]) == (out, err)


def test_a_child_has_no_stream_of_another_kind():
    """Its lines for a person would go where the simulated world speaks to the meter."""
    program = (
        "from wattledger.tools import cli; cli.prepare_streams(); import subprocess, sys;"
        "child = 'import sys; print(sys.stderr, file=sys.stdout)';"
        "print(subprocess.run([sys.executable, '-c', child], stdout=subprocess.PIPE).stdout)"
    )
    shell = [sys.executable, "-c", program]
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *shell], cwd=ROOT, stdout=-1)
    assert b"stderr" in done.stdout


DEMO = str(ROOT / "tools" / "data" / "demo-tariff.json")
SIMULATED = ["calibrate", "--simulate", "--by", "A", "--against", "B", "--reference"]
READERS = (
    ["bill", "--profile", "p.csv", "--tariff"],
    ["bill", "--tariff", DEMO, "--profile"],
    ["bill", "--tariff", DEMO, "--profile", "p.csv", "--prices"],
    SIMULATED,
    ["demo", "--headless", "--for", "1", "--load"],
    ["demo", "--headless", "--for", "1", "--tariff"],
    ["device", "check"],
    ["display", "glyphs"],
    ["display", "show", "--view"],
    ["notify", "test"],
    ["sim"],
    ["tariff", "check"],
    ["tariff", "import-urdb", "--tz", "CST-8"],
    ["tariff", "push", "--group", "g", "--broker", "b", "--keys", "k", "--dry-run"],
    ["tariff", "show"],
    ["tariff", "sign", "--keys", "k"],
)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_file_that_is_no_text_is_named_in_one_line(wattledger, tmp_path, words):
    file = tmp_path / "file"
    for content in ("\u96fb,\u529b\n".encode("utf-16"), b"\xff", b"[" * 99_999):
        file.write_bytes(content)
        file.chmod(0o600)
        code, out, err = wattledger(*words, file)
        assert (code, out) == (1, ""), content[:9]
        assert err.startswith(str(file)) and err.count("\n") == 1


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("1,gain,230,5,inf,1", 2),
        ("1,gain,nan,5,1150,1", 2),
        ("1,gain,230,5,1150,0", 2),
        ("1", 2),
        ("1,gain,230,5,1150,1\n1,gain," + "9" * 140_000, 2),
    ],
)
def test_a_row_of_the_reference_that_is_none_is_named_by_its_line(wattledger, tmp_path, row, line):
    file = tmp_path / "reference.csv"
    file.write_text(f"time,step,voltage,current,power,phase\n{row}\n")
    code, out, err = wattledger(*SIMULATED, file)
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}:{line}: ") and err.count("\n") == 1


@pytest.mark.parametrize("value", ["9" * 5000, "2027-99-99", "!!int x", "{[{a: 1}]: 1}"])
def test_a_scenario_with_a_value_that_cannot_be_is_named(wattledger, tmp_path, value):
    file = tmp_path / "s.yaml"
    file.write_text(f"days: {value}\n")
    code, out, err = wattledger("sim", file)
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}:1:1: holds a value that cannot be: ") and err.count("\n") == 1


@pytest.mark.parametrize("supply", ["1", "{}", '"connected"', '{"state": "connected"}'])
def test_a_view_that_is_not_whole_is_named(wattledger, tmp_path, supply):
    file = tmp_path / "view.json"
    file.write_text(f'{{"supply": {supply}}}')
    code, out, err = wattledger("display", "show", "--view", file)
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}: is no whole view (") and err.count("\n") == 1


def test_a_page_at_no_address_is_named(wattledger):
    code, _, err = wattledger("display", "show", "--url", "http://a b")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("http://a b/view: ")


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (b"", 1, b"the input ended at 'push demo n 1 to group g, 1441 bytes? [y/N]', and nothing"),
        (b"\xff\n", 1, b"answer y or n"),
        (b"n\n", 1, b"push demo n 1 to group g"),
    ],
)
def test_a_question_that_nobody_answers_is_told(tmp_path, typed, code, said):
    signing.create(tmp_path, "tariff.1")
    words = ["tariff", "push", DEMO, "--group", "g", "--broker", "mqtt://127.0.0.1:1"]
    done = script(*words, "--keys", str(tmp_path), typed=typed)
    assert (done.returncode, done.stdout) == (code, b"")
    assert said in done.stderr and b"Traceback" not in done.stderr


def test_a_simulation_without_a_scenario_and_a_screen_without_a_view_are_wrong_usage(wattledger):
    for words, said in (
        (["sim"], "needs a YAML file, or one of: broker-outage, "),
        (["sim", "--days", "2"], "needs a YAML file, or one of: broker-outage, "),
        (["display", "show"], "give one of --view FILE and --url"),
        (["display", "show", "--view", "v", "--url", "u"], "give one of --view FILE and --url"),
    ):
        code, out, err = wattledger(*words)
        assert (code, out) == (2, "")
        assert said in err and err.count("\n") == 2


@pytest.mark.parametrize("words", [["tariff", "show", DEMO], ["bench", "accuracy"]])
def test_a_picture_that_cannot_be_is_refused_before_the_work(wattledger, tmp_path, words):
    for name in ("o.zzz", "o", "o.svg"):
        code, out, err = wattledger(*words, "--png", name)
        assert (code, out) == (2, "")
        assert f"Invalid value for '--png': {name} must end in .png" in err
    code, out, err = wattledger(*words, "--png", tmp_path / "none" / "o.png")
    assert (code, out) == (1, "")
    assert err == f"{tmp_path / 'none'}: no such folder; make it, or give another --png\n"


def test_an_interrupt_while_the_commands_are_imported_is_silent(tmp_path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    done = script("board", "list", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
