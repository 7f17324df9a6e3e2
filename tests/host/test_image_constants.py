"""Constants in an image are literals where they are used, and only where they are used."""

import pytest

from wattledger.tests.host.image_bench import inlined
from wattledger.tools.image.program import ImageError


def test_a_constant_is_written_out_and_its_name_is_gone():
    found = inlined(a="WIDTH = 4\n_LIMIT = WIDTH * 2 + 1\n\ndef f():\n    return _LIMIT\n")
    assert found["a"] == "def f():\n    return 9\n"


def test_through_from_imports_and_modules():
    found = inlined(
        a="X = 5\nLOW = -3\nNAME = 'ok'\n",
        b="from p import a\nfrom p.a import X as Y, NAME\n\n"
        "def f(z=Y):\n    return (a.X, z, a.LOW, NAME)\n",
    )
    assert found["b"] == "def f(z=5):\n    return (5, z, -3, 'ok')\n"
    assert found["a"].strip() == ""


def test_an_import_within_a_function():
    found = inlined(
        a="X = 5\n\ndef g():\n    return X\n",
        b="def f():\n    from p.a import X, g\n    return g() + X\n",
        c="def f():\n    from p import a\n    return a.X\n",
    )
    assert found["b"] == "def f():\n    from p.a import g\n    return g() + 5\n"
    assert found["c"] == "def f():\n    return 5\n"


def test_a_constant_of_a_constant_imported_elsewhere():
    found = inlined(
        a="DAY = 86400\n",
        b="from p.a import DAY\nfrom p import a\nWEEK = 7 * DAY\nSHIFT = 1 << 3 | a.DAY - DAY\n",
        c="from p.b import WEEK, DAY, SHIFT\nprint(WEEK, DAY, SHIFT)\n",
    )
    assert found["c"] == "print(604800, 86400, 8)\n"


@pytest.mark.parametrize(
    ("inner", "kept"),
    [
        ("def f(X):\n    return X\n", "def f(X):\n    return X"),
        ("def f():\n    X = 2\n    return X\n", "X = 2\n    return X"),
        ("def f():\n    for X in (2,):\n        pass\n    return X\n", "return X"),
        ("def f():\n    return [X for X in (2, 3)]\n", "[X for X in (2, 3)]"),
        ("f = lambda X: X\n", "lambda X: X"),
        ("def f():\n    X = 2\n    return lambda: X\n", "lambda: X"),
        ("f = lambda: (X := 2) + X\n", "(X := 2) + X"),
        ("def f():\n    if (X := 2):\n        return X\n", "return X"),
        ("def f():\n    try:\n        g()\n    except E as X:\n        return X\n", "return X"),
        ("def f():\n    import json as X\n    return X\n", "import json as X\n    return X"),
        ("def f(a):\n    return a.X\n", "return a.X"),
        ("def f(a):\n    return a(X=1)\n", "a(X=1)"),
        ("f = ['X']\n", "f = ['X']"),
    ],
)
def test_a_name_of_the_same_spelling_is_left_alone(inner, kept):
    found = inlined(a="X = 5\n" + inner)["a"]
    assert kept in found and "X = 5" not in found


def test_what_surrounds_a_scope_still_reads_the_constant():
    found = inlined(a="X = 5\n\ndef f(X=X):\n    return [X for X in range(X)]\n")["a"]
    assert found == "def f(X=5):\n    return [X for X in range(X)]\n"
    found = inlined(a="X = 5\nn = [X for X in range(X)]\n")["a"]
    assert found == "n = [X for X in range(5)]\n"
    # A class hides nothing from its methods.
    found = inlined(a="X = 5\n\nclass C:\n    X = 6\n\n    def f(self):\n        return X\n")["a"]
    assert "X = 6" in found and "return 5" in found


@pytest.mark.parametrize(
    "text",
    [
        "X = 1\nX += 1\n",
        "X = 1\nX = 2\n",
        "X = 1\ndel X\n",
        "X = 1\nfor X in (2, 3):\n    pass\n",
        "X = 1\n\ndef set_x():\n    global X\n    X = 2\n",
        "if print:\n    X = 1\n",
        "X = Y = 1\n",
        "X = [1]\n",
        "X = True\n",
        "X = 1.5\n",
        "X = 2 ** -1\n",
        "X = 1 // 0\n",
        "X = 'text of more than ten'\n",
        "X = b'bytes'\n",
    ],
)
def test_what_is_bound_again_or_is_no_small_literal_stays(text):
    found = inlined(a=text + "print(X)\n", b="from p.a import X\nprint(X)\n")
    assert found["a"].endswith("print(X)\n")
    assert found["b"] == "from p.a import X\nprint(X)\n"


def test_large_integers_stay_objects_with_one_name():
    # An ESP32 holds 31 bits in a reference; a larger one would be an object at every use.
    found = inlined(a="A = 2 ** 30 - 1\nB = 2 ** 30\nC = -(2 ** 30)\nprint(A, B, C)\n")["a"]
    assert found == "B = 2 ** 30\nprint(1073741823, B, -1073741824)\n"


def test_a_circle_of_names_has_no_value():
    found = inlined(a="from p import b\nX = b.Y\n", b="from p import a\nY = a.X\n")
    assert "X = b.Y" in found["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("from p import a\nprint(getattr(a, 'X'))\n", "b.py:2: module a is used as a value"),
        ("from p import a\na.X = 2\n", "b.py:2: a module's name is set from another file"),
        ("from p import a\nprint(a.NONE)\n", "b.py:2: p.a has no NONE"),
        ("print(globals()['X'])\n", r"b.py:1: globals\(\) sees other names in an image"),
        ("from p.a import *\n", "b.py:1: an image needs whole and absolute imports"),
        ("from .a import X\n", "b.py:1: an image needs whole and absolute imports"),
        ("import p.a\n", "b.py:1: write: from ... import ..., for p.a"),
        ("from p.a import X\nX = 2\n", "b.py:1: the constant X is imported and bound again"),
        (
            "from p.a import X\n\nclass C:\n    X = X\n",
            "b.py:4: X is a name of the class and of the file",
        ),
        ("def f(:\n", "b.py:1: invalid syntax"),
    ],
)
def test_what_would_differ_is_refused_with_its_place(text, message):
    with pytest.raises(ImageError, match=message):
        inlined(a="X = 1\n", b=text)
