"""A generator whose yields a constant takes away is one still, in MicroPython."""

import subprocess

import pytest

from wattledger.tools import mpy
from wattledger.tools.image.build import compose

TEXT = """
NEVER = 0
ALWAYS = 1


class Here:
    BUS = "spi"


def by_board(board):
    print("by board")
    if board.CHIP == "two":
        yield 1


def with_an_end(board):
    if board.CHIP == "one":
        print("with an end")
        return
    yield 1


def by_constant():
    print("by constant")
    if NEVER:
        yield 1
    while NEVER:
        yield 2


def never():
    return
    yield


def both(board):
    if board.CHIP == "one":
        yield 1
    else:
        yield 2


def within(board):
    def inner():
        if board.CHIP == "two":
            yield 1

    return inner


def for_ever():
    while ALWAYS:
        yield 1


def no_generator(board):
    if board.CHIP == "two":
        return 2
    return 1


class Board:
    def __init__(self):
        self.none = None

    def __getattr__(self, name):
        return "one"


board = Board()
made = (by_board(board), with_an_end(board), by_constant(), never(), both(board), within(board)())
print("made")
print([list(each) for each in made])
print(next(for_ever()), no_generator(board))
"""
SAID = "made\nby board\nwith an end\nby constant\n[[], [], [], [], [1], []]\n1 1\n"


def image():
    return compose({"root.py": TEXT.encode()}, ["root"], board={"CHIP": "one"})["root.py"]


def test_only_those_that_need_one_have_a_yield_that_is_not_reached():
    assert image().decode().count("    return\n    yield\n") == 4  # and never() as it was


@pytest.mark.skipif(mpy.find_tool("micropython") is None, reason="no micropython")
@pytest.mark.parametrize("source", [TEXT.encode, image], ids=["sources", "image"])
def test_it_does_its_work_when_it_is_asked(source, tmp_path):
    (tmp_path / "m.py").write_bytes(source())
    done = subprocess.run(
        [mpy.find_tool("micropython"), "m.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (SAID, "")
