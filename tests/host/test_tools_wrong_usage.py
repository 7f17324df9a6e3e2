"""Whatever a person types: two lines, the place and the remedy, and the right exit code."""

import inspect
import os
import subprocess
import sys
import typing

import pytest

from wattledger.tests.micropython.staging import ROOT
from wattledger.tools import cli
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


def script(*arguments, shell="", **environment):
    """The real script in a process of its own; `shell` goes behind it, as `>&-`."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", *SCRIPT, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
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


def test_an_interrupt_while_the_commands_are_imported_is_silent(tmp_path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    done = script("board", "list", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")
