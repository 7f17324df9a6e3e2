"""What classes and texts cost a device: two names a class, and an object a text."""

import ast
import subprocess

import pytest

from wattledger.tests.host.image_bench import compared
from wattledger.tools import mpy
from wattledger.tools.image.lean import slim
from wattledger.tools.image.program import Program

SOURCE = """
class OwnError(ValueError):
    def __init__(self, text="the default of an argument"):
        super().__init__(text)


class Child(OwnError):
    pass


def check(value):
    if value < 0:
        raise OwnError("%d is below zero \u2013 really" % value)
    if value > 9:
        raise OwnError("%d is far too large" % value) from None
    if value > 8:
        raise Child("short")
    return "the value is %d%s" % (value, "and more than ten letters")


def told(value):
    try:
        return check(value)
    except OwnError as error:
        return "%s: %s" % (type(error).__name__, error)


print(told(-1), told(10), told(9), told(3), OwnError().args[0])
"""
SAID = (
    "OwnError: -1 is below zero \u2013 really OwnError: 10 is far too large Child: short "
    "the value is 3and more than ten letters the default of an argument\n"
)


def slimmed():
    program = Program({"m.py": SOURCE.encode()})
    slim(program)
    return program.sources()["m.py"]


@pytest.mark.skipif(mpy.find_tool("micropython") is None, reason="no micropython")
def test_it_says_what_it_said(tmp_path):
    (tmp_path / "m.py").write_bytes(slimmed())
    done = subprocess.run(
        [mpy.find_tool("micropython"), "m.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (SAID, "")


def test_texts_of_errors_and_those_that_are_filled_in_lie_in_one_value():
    tree = ast.parse(slimmed())
    assert ast.literal_eval(tree.body[0].value).decode() == (
        "%d is below zero \u2013 really%d is far too largethe value is %d%s"
    )
    left = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    # A default is worked out once; what is only handed on is a text as before.
    assert left == {
        *("the default of an argument", "short", "and more than ten letters", "%s: %s"),
    }


def test_a_text_with_values_in_it_is_left_alone(tmp_path, monkeypatch):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        root="LIMIT = 5\n\ndef check(value):\n    raise ValueError(\n"
        "        f\"{value!r:>4} is far above {LIMIT} of {'what is allowed'} here\"\n    )\n\n"
        "try:\n    check(9)\nexcept ValueError as error:\n    print(error, f'{LIMIT:03d}')\n",
    )
    assert image == lying == "   9 is far above 5 of what is allowed here 005\n"


def test_every_class_is_without_the_two_names():
    classes = [node for node in ast.walk(ast.parse(slimmed())) if isinstance(node, ast.ClassDef)]
    assert len(classes) == 2
    for node in classes:
        assert ast.unparse(node.body[0]) == "del __module__, __qualname__"
