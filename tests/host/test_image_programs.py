"""Small programs, each of one thing that Python does with names: an image says what they said,
whether its files are merged or loaded when they are wanted."""

import pytest

from wattledger.tests.host.image_bench import compared

PROGRAMS = {
    "nonlocal": (
        {},
        """
def count(start, step):
    total = start
    def add(by):
        nonlocal total, step
        total += by * step
        step += 1
        return total
    return add
c = count(1, 2)
print(c(3), c(4))
""",
        "7 19\n",
    ),
    "names that are deleted, and added to": (
        {
            "a": "x = [1]\nx += [2]\ny = 2\ndel y\ndef f():\n    z = x\n    del z\n    return x\n",
            "b": "x = (3,)\nn = 1\nn += 1\ndef g():\n    n = 5\n    n += 1\n    return x, n\n",
        },
        "from p.a import f\nfrom p.b import g, n\nx = 3\nprint(f(), g(), n, x)\ndel x\n",
        "[1, 2] ((3,), 6) 2 3\n",
    ),
    "comprehensions": (
        {
            "a": """
x = 10
rows = [x for x in range(3)]
d = {x: y for x in rows for y in [x] if x}
g = list(x + y for x in rows for y in range(x))
def f(x):
    return [x for x in [x, x + 1]], [y := x, y], x, y, [last := z for z in rows], last
"""
        },
        "from p.a import x, rows, d, g, f\nprint(x, rows, d, g, f(4))\n"
        "class A:\n    pass\na, keep = A(), [0]\n"
        "print([a.here for a.here in (1, 2)], [keep[0] for keep[0] in (3, 4)], a.here, keep)\n",
        "10 [0, 1, 2] {1: 1, 2: 2} [1, 2, 3] ([4, 5], [4, 4], 4, 4, [0, 1, 2], 2)\n"
        "[1, 2] [3, 4] 2 [4]\n",
    ),
    "classes": (
        {
            "a": """
SIZE = 3
class A:
    size = SIZE
    names = ["a"] * SIZE
    pairs = [(n, i) for i, n in enumerate(names)]
    first, second = 1, 2
    KINDS = {"x": 1}
    def __init__(self, size=SIZE, *rest, key=SIZE, **more):
        self.data = (size, rest, key, sorted(more.items()))
        self.kind = self.KINDS["x"]
        self.KINDS = {"y": 2}
    @property
    def width(self):
        return self.size
    @classmethod
    def made(cls, n):
        return cls(n, key=n)
    @staticmethod
    def plain(n):
        return n
    def __call__(self, n):
        return n + self.width
    def me(self):
        return A
""",
            "b": """
from p import a
class B(a.A):
    size = 8
    @property
    def width(self):
        return super().width + 1
    def me(self):
        return super().me() is a.A, B.size, a.A.size, __class__ is B
""",
        },
        "from p.b import B\nb = B(1, 2, key=3, more=4)\n"
        "print(b.data, b.width, b(1), b.me(), B.made(5).data, B.plain(6), b.pairs)\n"
        "print(b.first, b.second, b.kind, B.KINDS, b.KINDS)\n",
        "(1, (2,), 3, [('more', 4)]) 9 10 (True, 8, 3, True) (5, (), 5, []) 6 "
        "[('a', 0), ('a', 1), ('a', 2)]\n1 2 1 {'x': 1} {'y': 2}\n",
    ),
    "errors": (
        {
            "a": """
try:
    raise ValueError(1)
except ValueError as error:
    text = str(error)
def f(error):
    try:
        raise KeyError("x")
    except (KeyError, ValueError) as problem:
        error = problem
        return repr(error), text
    finally:
        pass
"""
        },
        "from p.a import f, text\nerror = 3\nprint(f(1), error, text)\n",
        "(\"KeyError('x')\", '1') 3 1\n",
    ),
    "decorators and defaults": (
        {
            "a": """
N = 3
def times(n, *, plus=N):
    def wrap(f):
        def inner(*a, **k):
            return f(*a, **k) * n + plus
        return inner
    return wrap
"""
        },
        """
from p import a
from p.a import times, N
@times(N)
@a.times(2, plus=1)
def f(x, y=N):
    return x + y
fs = [lambda x=i: x for i in range(3)]
for i in range(2):
    def h(i=i):
        return i
print(f(1), f(x=2, y=3), [f() for f in fs], h(), i)
""",
        "30 36 [0, 1, 2] 1 1\n",
    ),
    "arguments by name": (
        {
            "a": """
def f(first, *, second=2, **third):
    return first, second, sorted(third.items())
def g(*args, **kwargs):
    return f(*args, **kwargs)
def made(**options):
    return g(1, **options)
"""
        },
        "from p.a import g, made\ngiven = {}\ngiven['second'] = 3\n"
        "print(g(first=1, fourth=4), made(second=9, fifth=5), g(1, **given), g(**{'first': 2}))\n",
        "(1, 2, [('fourth', 4)]) (1, 9, [('fifth', 5)]) (1, 3, []) (2, 2, [])\n",
    ),
    "what a file does at its top": (
        {
            "a": """
import json
if 1:
    def f():
        return json.dumps([1])
else:
    def h():
        return 2
with open("/dev/null") as file:
    empty = file.read()
for name in ("x", "y"):
    last = name
while True:
    once = 1
    break
(C, D), *E = (3, 4), 5, 6
F = G = 7
H: int = 8
""",
            "b": "name = 'b'\nfile = 'c'\ndef last():\n    return name + file\n",
        },
        "from p.a import f, empty, last, once, name, C, D, E, F, G, H\nfrom p import b\n"
        "print(f(), repr(empty), last, once, name, C, D, E, F, G, H, b.last())\n",
        "[1] '' y 1 y 3 4 [5, 6] 7 7 8 bc\n",
    ),
    "one name in many places": (
        {
            "a": "def f():\n    return 'a'\ndef load(load):\n    return load\n"
            "def made():\n    load = 1\n    def inner():\n        return load\n"
            "    return inner()\n",
            "b": "from p.a import load as made\nfrom p.a import made as load\n"
            "def f():\n    return made(2), load()\n",
        },
        """
from p.a import f as h
from p.b import f as j
def one():
    from p.a import f
    return f()
def two():
    from p.b import f
    return f()
def three():
    from p import a, b
    return a.f(), b.f(), b.made(3)
print(one(), two(), three(), h(), j())
""",
        "a (2, 1) ('a', (2, 1), 3) a (2, 1)\n",
    ),
    "constants": (
        {
            "a": """
LOW, KIND, N = -3, "two", 2
LOW2 = -3
KIND2 = "two"
BIG = 1 << 40
def f(x):
    return LOW2 ** 2, x - LOW2, -LOW2, ~LOW2, LOW2 % 2, LOW2 // 2, [1, 2, 3, 4][LOW2], BIG + LOW2
def g(x):
    if x == KIND2 and N > 1 or not N:
        return N if KIND2 == "one" else -N ** 2
    return LOW2.bit_length() if LOW == LOW2 else 0
"""
        },
        "from p.a import f, g\nprint(f(1), g('two'), g('x'))\n",
        "(9, 4, 3, 2, 1, -2, 2, 1099511627773) -4 2\n",
    ),
    "texts": (
        {},
        """
TEXTS = {"a long key of text": "a long value of it"}
def f(a):
    return "%(one)s and %(two)d more" % a, "a long text with 100%% of %s" % 3, b"bytes %d" % 3
def g(k):
    raise ValueError(TEXTS[k], {"another key that is long": 1}["another key that is long"], k)
def h(a="\u4e2d\u6587\u4e2d\u6587\u4e2d\u6587 %d"):
    return a % 1, "\u00e4\u00f6\u00fc of more than ten %d" % 2
print(f({"one": 1, "two": 2}), ascii(h()))
try:
    g("a long key of text")
except ValueError as e:
    print(e.args)
""",
        "('1 and 2 more', 'a long text with 100% of 3', b'bytes 3') "
        "('\\u4e2d\\u6587\\u4e2d\\u6587\\u4e2d\\u6587 1', '\\xe4\\xf6\\xfc of more than ten 2')\n"
        "('a long value of it', 1, 'a long key of text')\n",
    ),
    "attributes that are asked for": (
        {
            "a": "class A:\n    __slots__ = ('first', '_second')\n"
            "    def __init__(self):\n        self.first = 1\n        self._second = 2\n"
            "    def answer(self):\n        return self._second\n",
            "b": "class B:\n    def other(self):\n        return 2\n",
        },
        """
from p.a import A
from p.b import B
for x in (A(), B()):
    print(hasattr(x, "answer"), getattr(x, "first", None))
""",
        "True 1\nFalse None\n",
    ),
    "circles, and functions as values": (
        {
            "a": "from p import b\ndef f():\n    return b.g()\ndef h():\n    return 'h'\n",
            "b": "from p import a\ndef g():\n    return a.h()\n",
        },
        "from p.a import f, h\ntable = {'f': f}\nclass C:\n    call = staticmethod(h)\n"
        "def late(x):\n    if x:\n        from p.b import g\n"
        "    return g() if x else 0\n"
        "print(table['f'](), C.call(), late(1), late(0))\n",
        "h h h 0\n",
    ),
}


@pytest.mark.parametrize("late", [False, True], ids=["merged", "late"])
@pytest.mark.parametrize(("files", "root", "said"), PROGRAMS.values(), ids=PROGRAMS)
def test_it_says_what_it_said(files, root, said, late, tmp_path, monkeypatch):
    if late:
        lines = "".join(f"    {line}\n" for line in root.splitlines())
        root = f"def main():\n{lines}\nmain()\n"
    lying, image, _ = compared(tmp_path, monkeypatch, root=root, **files)
    assert image == lying == said
