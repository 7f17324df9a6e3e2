"""An image in which a name stands for nothing, or for two things, is not built."""

import pytest

from wattledger.tests.host.image_bench import sources
from wattledger.tools.flash.sources import board_of, composed
from wattledger.tools.image import build
from wattledger.tools.image.program import ImageError, Program
from wattledger.tools.image.proof import prove

OTHERS = ("esp32_atm90e32", "esp32_bl0942")
BOARDS = ("esp32_ade7953", *(pytest.param(each, marks=pytest.mark.nightly) for each in OTHERS))
A = "def f():\n    return 1\n\ndef g():\n    return 2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def h():\n    return f()\n", "b.py:2: f stands for nothing in the image"),
        ("from p.a import h\n", "b.py:1: p.a has no h in the image"),
        ("from p import a\n\ndef h():\n    return a.h()\n", "b.py:4: p.a has no h in the image"),
        (
            "def h():\n    from p.a import f as x\n    from p.a import g as x\n    return x()\n",
            "b.py:3: x would be p.a.f and p.a.g",
        ),
        ("from p import a as x\nfrom json import dumps as x\n", "x would be p.a and json.dumps"),
        ("x = 1\n\nclass C:\n    x = 2\n    y = x\n", "b.py:5: x is a name of the class and of"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ImageError, match=message):
        prove(Program(sources(a=A, b=text)))


def test_what_is_one_thing():
    text = (
        "from p import a\nfrom p.a import f\nimport json\n\n"
        "try:\n    import heap\nexcept ImportError:\n    from p import a as heap\n"
        "def h(x):\n    if x:\n        from p.a import f as y\n    else:\n"
        "        from p.a import g as y\n    return y(), a.g(), f(), json.dumps(x)\n\n"
        "class C:\n    x = 2\n    z = [x for x in (1, 2)]\n\n"
        "    def f(self):\n        return __class__\n\nx = C.x\n"
    )
    prove(Program(sources(a=A, b=text)))


@pytest.mark.parametrize("board", BOARDS)
def test_the_images_of_our_boards_are_proven(board, monkeypatch):
    seen = []
    monkeypatch.setattr(build, "prove", lambda program: seen.append(prove(program)))
    core, app = composed(board_of(board))
    assert seen == [None]
    # With the board's own constants beside it, which are asked for by name.
    prove(Program({**core, **app}))
