"""What an image cannot be built from is refused with its place."""

import pytest

from wattledger.tests.host.image_bench import merged, sources
from wattledger.tools.image.check import check
from wattledger.tools.image.program import ImageError, Program


@pytest.mark.parametrize(
    "text",
    [
        "%s = 1\n",
        "def f(%s):\n    pass\n",
        "def %s():\n    pass\n",
        "class %s:\n    pass\n",
        "f.%s = 1\n",
        "f(%s=1)\n",
        "import json as %s\n",
        "from json import %s\n",
        "try:\n    f()\nexcept OSError as %s:\n    pass\n",
        "print(f'{%s}')\n",
    ],
)
@pytest.mark.parametrize("name", ["g0", "_12", "_t"])
def test_a_name_that_an_image_gives(text, name):
    with pytest.raises(ImageError, match=f"a.py:[13]: {name} is a name that an image gives"):
        check(Program(sources(a=text % name)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class A:\n    from p.a import f\n", "b.py:2: an import in a class would be an attri"),
        ("class A:\n    from p import a\n", "b.py:2: an import in a class would be an attri"),
        ("import p.a as a\n", "b.py:1: write: from ... import ..., for p.a"),
        ("f(**{'a' + x: 1 for x in 'bc'})\n", "b.py:1: arguments by names that are put together"),
    ],
)
def test_what_would_not_do_the_same(text, message):
    with pytest.raises(ImageError, match=message):
        check(Program(sources(a="def f():\n    pass\n", b=text)))


def test_what_is_allowed():
    text = "class A:\n    from sys import path\n    import sys\n\ng = _one = t = 1\n"
    text += "f(**more)\nf(**{name: 1 for name in NAMES})\n"
    check(Program(sources(a=text)))


def test_a_merged_file_that_is_imported_under_a_condition():
    # Its own code may come later: whoever else imports it comes first.
    with pytest.raises(ImageError, match=r"b.py:2: an import under a condition at the top"):
        merged(["b", "a"], a="def f():\n    pass\n", b="if print:\n    from p.a import f\n")
