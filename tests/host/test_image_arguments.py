"""Arguments get short names where nobody can tell the difference."""

import pytest

from wattledger.tests.host.image_bench import compared, shortened


def test_an_argument_is_renamed_where_it_is_read_and_set():
    found = shortened("def f(first, second=1):\n    first += second\n    return [first, second]\n")
    assert found == "def f(_0, _1=1):\n    _0 += _1\n    return [_0, _1]\n"


@pytest.mark.parametrize(
    "text",
    [
        "def f(name):\n    return name\nf(name=1)\n",
        "def f(name):\n    return name.name\n",
        "def f(name):\n    return {'name': name}\n",
        "def f(name):\n    pass\n\ndef name():\n    pass\n",
        "name = [1]\n\ndef f(name):\n    return name\n",
        "def f(name):\n    import json as name\n    return name\n",
        "def f(name):\n\n    def g():\n        nonlocal name\n        name = 2\n    return g\n",
        "def f(name):\n    try:\n        f()\n    except OSError as name:\n        pass\n",
    ],
)
def test_a_name_that_something_else_has_stays(text):
    assert shortened(text).count("name") == text.count("name")


def test_scopes_do_not_meet(tmp_path, monkeypatch):
    text = (
        "def outer(one, two):\n"
        "    add = lambda three, four=two: one + two + three + four\n"
        "    def inner(five, one=10):\n        return one + two + five\n"
        "    return add(1), inner(2), [one for one in (7, two)], one, {n: two for n in (one,)}\n"
        "class C:\n    def m(self, six, *rest, **more):\n"
        "        seven = six + sum(rest)\n        return seven + more['k']\n"
    )
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a=text,
        root="from p.a import outer, C\nprint(outer(100, 1000), C().m(1, 2, 3, k=4))\n",
    )
    assert image == lying == "(2101, 1012, [7, 1000], 100, {100: 1000}) 10\n"
    assert "lambda _2, _3=_1: _0 + _1 + _2 + _3" in files["core"]
