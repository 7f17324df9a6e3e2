"""Attributes that are reached in other ways than by `self.name` do what they did."""

import pytest

from wattledger.tests.host.image_bench import compared, sources
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import ImageError, Program

BASE = (
    "class A:\n    def __init__(self):\n        self._first = 1\n        self.second = 2\n\n"
    "    def told(self):\n        return self._first, self.second\n"
)
CHILD = (
    "class B(%s):\n    def __init__(self):\n        super().__init__()\n"
    "        self._mine = 3\n        self.other = 4\n\n"
    "    def all(self):\n        return self.told(), self._mine, self.other\n"
)
# In the order of the alphabet, so that the child's attributes are named before the base's.
INHERITED = {
    "by its module": {"b": "from p import base\n\n" + CHILD % "base.A"},
    "by another name": {"b": "from p.base import A as Other\n\n" + CHILD % "Other"},
    "by its module's other name": {"b": "from p import base as other\n\n" + CHILD % "other.A"},
    "by way of another file": {
        "a_way": "from p.base import A\nSPARE = [A]\n",
        "b": "from p.a_way import A\n\n" + CHILD % "A",
    },
    "over two files": {
        "a_way": "from p import base\n\nclass Middle(base.A):\n    pass\n",
        "b": "from p import a_way\n\n" + CHILD % "a_way.Middle",
    },
    "within a function": {
        "b": "def make():\n    from p import base\n\n    class A(base.A):\n        pass\n\n"
        + "".join("    %s\n" % line for line in (CHILD % "A").splitlines())
        + "    return B\n\nB = make()\n"
    },
}


@pytest.mark.parametrize("files", INHERITED.values(), ids=INHERITED)
def test_a_class_that_inherits_keeps_its_attributes_apart_from_its_bases(
    files, tmp_path, monkeypatch
):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        base=BASE,
        root="from p.b import B\nprint(B().all())\n",
        **files,
    )
    assert image == lying == "((1, 2), 3, 4)\n"


BODIES = {
    "noted with its kind": "    _kind: int = 3\n    def f(self):\n        self._kind += 1\n"
    "        return self._kind\n",
    "worked out from another": "    _one = 1\n    _two = _one + 1\n    def f(self, by=_two):\n"
    "        self._one = 5\n        self._two = 6\n        return by, C._one, self._one\n",
    "two at once": "    _one, _two = 1, 2\n    def f(self):\n        self._one = self._two\n"
    "        return self._one\n",
    "under a condition": "    if print:\n        def _f(self):\n            return 1\n"
    "        def shown(self):\n            return 2\n    _g = 7\n    def f(self):\n"
    "        self._other = self._f() + self.shown()\n        return self._other, self._g\n",
    "an import": "    from sys import path as _path\n    import sys as shown\n    def f(self):\n"
    "        self._other = 1\n        self.other = 2\n"
    "        return self._path is self.shown.path\n",
    "a class": "    class _Kind:\n        def told(self):\n            return 8\n"
    "    class Shown(_Kind):\n        pass\n    def f(self):\n        self._other = 1\n"
    "        return self._Kind().told() + self.Shown().told() + self._other\n",
    "a property that can be set": "    @property\n    def _kind(self):\n"
    "        return self._held\n"
    "    @_kind.setter\n    def _kind(self, value):\n        self._held = value\n"
    "    def f(self):\n        self._kind = 9\n        return self._kind\n",
    "in a loop": "    for _kind in (1, 2):\n        pass\n    def f(self):\n"
    "        self._kind += 1\n        return self._kind\n",
    "deleted": "    _kind = 3\n    def f(self):\n        self._kind = 4\n        del self._kind\n"
    "        return self._kind\n",
    "counted up": "    _kind = 3\n    _kind += 1\n    def f(self):\n        self._kind += 1\n"
    "        return self._kind\n",
    "asked for by two texts": "    def _one(self):\n        return 1\n    def _two(self):\n"
    "        return 2\n    def f(self, name='one'):\n        self._other = 4\n"
    "        return getattr(self, '_' + name)(), self._two(), hasattr(self, name + 'er')\n",
    "asked for by a text in pieces": "    def one_at(self):\n        return 1\n    def f(self):\n"
    "        self.onex = 3\n        return getattr(self, f\"one_{'at'}\")(), self.onex\n",
    "of another": "    def f(self):\n        self._held = 3\n        def g(self):\n"
    "            return self._held\n        return g(Other()), self._held\n",
    "by a function": "    def f(self):\n        self._held = 3\n"
    "        return told(Other()), told(self), (lambda self: self._held)(Other())\n",
    "by a text with a space": "    def f(self):\n        from collections import namedtuple\n"
    "        made = namedtuple('P', 'balance, spare')\n        self.balance = 1\n"
    "        return made(2, 3).balance\n",
}
OTHERS = (
    "def told(self):\n    return self._held\n\n"
    "class Many:\n    def __init__(self):\n        self.a = self.b = self.c = self.shown = 0\n"
)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_class_says_what_it_said(body, tmp_path, monkeypatch):
    text = f"{OTHERS}\nclass C:\n{body}\nprint(C().f())\n"
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        a="class Other:\n    def __init__(self):\n        self._zero = 0\n        self._held = 8\n"
        "        self.kept = self._zero\n",
        root="from p.a import Other\n" + text,
    )
    assert image == lying != ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(x, name):\n    return getattr(x, name())\n", "a.py:2: an attribute is asked for"),
        ("def f(x, a):\n    return hasattr(x, a + a)\n", "a.py:2: an attribute is asked for"),
        ("def f(x, a):\n    return getattr(x, '%s_x' % a)\n", "a.py:2: an attribute is asked"),
        ("def f(x, a):\n    b = 'x' + a\n    setattr(x, b, 1)\n", "a.py:3: an attribute is asked"),
        ("def f(x):\n    return '{0.balance}'.format(x)\n", "a.py:2: format.. asks for an attr"),
        ("def f(x, y):\n    return y.format(x)\n", "a.py:2: format.. of a text that is not"),
        ("def f(x):\n    return x.__dict__\n", "a.py:2: __dict__ has other names"),
        ("class A:\n    def f(self):\n        self = self.b\n", "a.py:3: self becomes another"),
        ("B = list\nclass A(B):\n    pass\n", "a.py:2: B may be any class"),
        ("def f(b):\n    class A(b):\n        pass\n", "a.py:2: b may be any class"),
        ("class A(type('x', (), {})):\n    pass\n", "may be any class"),
        ("class A:\n    pass\nclass B(A.C):\n    pass\n", "a.py:3: A.C may be any class"),
    ],
)
def test_what_cannot_be_known_before_it_runs_is_refused(text, message):
    with pytest.raises(ImageError, match=message):
        conceal(Program(sources(a=text)))
