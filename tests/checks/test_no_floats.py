"""No float where energy and money are counted: an ESP32's has 24 bits and loses small loads."""

import ast

import pytest

from wattledger.tests.micropython.staging import ROOT

PLACES = (
    "agent/metering",
    "agent/billing",
    "agent/journal",
    "agent/supply",
    "agent/tokens",
    "agent/units.py",
)
CALLS = ("float", "round", "complex")
MODULES = ("math", "cmath", "decimal", "fractions", "statistics")


def float_faults(path, source):
    """Lines "path:line: what" for each way to a float."""
    for node in ast.walk(ast.parse(source)):
        what = None
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            what = "the float %r" % node.value
        elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div):
            what = "true division; use // with the remainder carried"
        elif isinstance(node, ast.Name) and node.id in CALLS:
            what = "%s()" % node.id
        elif isinstance(node, ast.Import):
            what = next((a.name for a in node.names if a.name.split(".")[0] in MODULES), None)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            what = node.module if node.module.split(".")[0] in MODULES else None
        if what:
            yield "%s:%d: %s" % (path, node.lineno, what)


def counted_files():
    for place in PLACES:
        path = ROOT / place
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists()


def test_energy_and_money_know_no_float():
    faults = [
        fault
        for file in counted_files()
        for fault in float_faults(file.relative_to(ROOT).as_posix(), file.read_text("utf-8"))
    ]
    assert not faults, "\n".join(faults)


def test_there_are_files_to_check():
    assert len(list(counted_files())) > 3


@pytest.mark.parametrize(
    "source",
    [
        "x = 0.5",
        "x = 1e3",
        "x = 2j",
        "x = a / b",
        "x /= 2",
        "x = float(y)",
        "x = round(y)",
        "xs = map(float, ys)",
        "import math",
        "import os, cmath",
        "from math import floor",
        "def f(x=(1 / 3)): pass",
    ],
)
def test_a_float_is_found(source):
    assert len(list(float_faults("agent/units.py", source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "x = a // b",
        "x //= 2",
        "x = 10**9",
        "x = 'a/b 0.5'",
        "from . import math_of_money",
        "r.round",
    ],
)
def test_integers_are_left_alone(source):
    assert list(float_faults("agent/units.py", source)) == []
