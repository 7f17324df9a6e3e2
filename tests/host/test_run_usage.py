"""run.py before it sets anything up: its help, and a Python that is too old."""

import ast
import runpy
import subprocess
import sys

import pytest

from wattledger.tests.micropython.staging import ROOT

RUN = ROOT / "run.py"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_needs_no_environment(arguments, tmp_path):
    alone = tmp_path / "run.py"
    alone.write_bytes(RUN.read_bytes())
    done = subprocess.run([sys.executable, alone, *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python3 run.py NAME")
    assert [path.name for path in tmp_path.iterdir()] == ["run.py"]


def test_a_python_that_is_too_old_is_told_in_one_line():
    program = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path(%r)" % str(RUN)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "this is Python 3.9; Wattledger needs 3.10 or newer" in done.stderr


def test_an_old_python_can_parse_it():
    ast.parse(RUN.read_text(encoding="utf-8"), feature_version=(3, 5))


def test_it_imports_the_standard_library_only():
    tree = ast.parse(RUN.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("more", "wanted"),
    [("", ("sim", "tools")), ("pi", ("sim", "tools", "pi")), ("a b", ("sim", "tools", "a", "b"))],
)
def test_the_environment_may_ask_for_more_extras(monkeypatch, more, wanted):
    monkeypatch.setenv("WATTLEDGER_EXTRAS", more)
    main = runpy.run_path(str(RUN))["main"]
    asked = []
    main.__globals__["is_ready"] = lambda extras: asked.append(extras) or True
    main.__globals__["become"] = lambda command: None
    main(["ledger", "show"])
    assert asked == [wanted]
