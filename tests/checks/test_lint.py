"""Style, spelling and types, so that one command checks everything."""

import subprocess
import sys

from wattledger.tests.micropython.staging import ROOT


def assert_clean(*command, cwd=ROOT):
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_ruff_finds_nothing():
    assert_clean("ruff", "check", ".")


def test_code_is_formatted():
    assert_clean("ruff", "format", "--check", ".")


def test_spelling():
    assert_clean("codespell_lib", ".")


def test_types_of_the_tools(tmp_path):
    # mypy knows nothing of `__path__`: it is shown the tree in a folder of the import name.
    (tmp_path / "wattledger").symlink_to(ROOT, target_is_directory=True)
    config = ["--config-file", str(ROOT / "pyproject.toml")]
    assert_clean("mypy", *config, "-p", "wattledger.tools", cwd=tmp_path)
