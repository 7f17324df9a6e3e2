"""How a program is written out again: MicroPython makes the same of it as of its sources."""

import subprocess

import pytest

from wattledger.tools import mpy
from wattledger.tools.image.program import Program

SWAP = """
import micropython


class Now:
    def __init__(self):
        self.at = 1
        self.before = 0

    def step(self, now):
        passed, self.at = now - self.at, now
        self.at, passed, self.before = passed, self.at, self.before + 7
        return passed


here = Now()
here.step(3)
micropython.heap_lock()
here.step(9)
micropython.heap_unlock()
print(here.at, here.before, here.step(4))
"""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a, b = b, a", "a, b = b, a"),
        ("a, b = (b, a)", "a, b = b, a"),
        ("a, b = (b, c), (yield a)", "a, b = (b, c), (yield a)"),
        ("a, *b = *c, lambda x: x", "a, *b = *c, lambda x: x"),
        ("a = b, c = c, d", "a = b, c = c, d"),
        ("a, b = c = c, d", "a, b = c = (c, d)"),
        ("a, = (b,)", "a, = (b,)"),
    ],
)
def test_what_is_given_to_several_names_makes_no_tuple(text, written):
    program = Program({"a.py": f"def f(a, b, c, d):\n    {text}\n".encode()})
    for _ in range(2):  # writing it changes nothing
        assert program.sources()["a.py"].decode() == f"def f(a, b, c, d):\n    {written}\n"


@pytest.mark.skipif(mpy.find_tool("micropython") is None, reason="no micropython")
def test_a_swap_needs_no_heap(tmp_path):
    (tmp_path / "m.py").write_bytes(Program({"m.py": SWAP.encode()}).sources()["m.py"])
    done = subprocess.run(
        [mpy.find_tool("micropython"), "m.py"], cwd=tmp_path, capture_output=True, text=True
    )
    # step(3): 2 passed, then at 2 and passed 3; step(9): 7 and 9; step(4): -3 and 4.
    assert (done.stdout, done.stderr) == ("7 14 4\n", "")
