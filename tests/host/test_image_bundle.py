"""Many modules in one file say what they said in many."""

import pytest

from wattledger.tests.host.image_bench import compared, merged
from wattledger.tools.image.program import ImageError


def test_modules_follow_those_they_import():
    found = merged(
        ["c"],
        a="def f():\n    return 1\n",
        b="from p.a import f\n\ndef g():\n    return f()\n",
        c="from p import b\nfrom p.a import f as first\n\ndef h():\n    return b.g() + first()\n",
    )
    assert found == {
        "core": "def f():\n    return 1\n\ndef g():\n    return f()\n\n"
        "def h():\n    return g() + f()\n"
    }


def test_names_that_meet_get_their_modules_name(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a="def load():\n    return 'a'\n\ndef _own():\n    return 'a own'\n",
        b="def load():\n    return 'b'\n\ndef _own():\n    return 'b own'\n\n"
        "def both():\n    return load() + _own()\n",
        # `walk` is a function of c and a local of d; `sum` is a builtin elsewhere.
        c="def walk():\n    return 'walk'\n\ndef sum(x):\n    return 'mine'\n",
        d="from p import a, b, c\nfrom p.a import _own\n\n"
        "def d():\n    walk = 1\n"
        "    return (a.load(), b.both(), _own(), c.walk(), walk, sum((1, 2)))\n"
        "\ndef load(load=2):\n    return load\n",
        root="from p import d\nfrom p.c import sum\nprint(d.d(), d.load(), sum(1))\n",
    )
    assert image == lying == "('a', 'bb own', 'a own', 'walk', 1, 3) 2 mine\n"
    assert sorted(files) == ["core", "root"]


def test_two_modules_names_that_are_one_word_stay_two(tmp_path, monkeypatch):
    """In a file that stays: each is taken from the common file by a name of its own."""
    made = "def made():\n    return '%s'\n\ndef load():\n    return '%s'\n"
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        prices=made % ("prices made", "prices loaded"),
        tariffs=made % ("tariff made", "tariff loaded"),
        rare="from p import prices\nfrom p import tariffs as others\n\n"
        "def g():\n    return prices.made(), others.made(), prices.made()\n\n"
        "def h():\n    from p import tariffs\n    return tariffs.load(), prices.load()\n",
        root="from p import prices, tariffs\n\ndef late():\n    from p.rare import g, h\n"
        "    return g() + h() + (prices.load(), tariffs.load())\n\nprint(late())\n",
    )
    assert sorted(files) == ["core", "rare", "root"]
    assert (
        image
        == lying
        == (
            "('prices made', 'tariff made', 'prices made', 'tariff loaded', 'prices loaded', "
            "'prices loaded', 'tariff loaded')\n"
        )
    )


TWICE = (
    "def kind(of):\n    if of == 1:\n        from p import payload\n"
    "        return payload.one(), payload.two()\n    if of == 2:\n"
    "        from p import payload\n        return payload.three()\n"
    "    from p.payload import one\n    return one()\n"
)
PAYLOAD = (
    "def one():\n    return 1\n\ndef two():\n    return 2\n\n"
    "def three():\n    return 3\n\ndef spare():\n    return one\n"
)
LATE = "def late():\n    from p.rare import kind\n    return kind(1), kind(2), kind(3)\n"
SOON = "from p.rare import kind\n\ndef late():\n    return kind(1), kind(2), kind(3)\n"


@pytest.mark.parametrize("core", [(), ("rare",), ("payload",), ("payload", "rare")])
def test_a_module_imported_twice_in_one_function(core, tmp_path, monkeypatch):
    """Whichever of the two lies in the common file."""
    root = SOON if "rare" in core else LATE
    if "payload" in core:
        root = "from p.payload import spare\n" + root + "spare()\n"
    root += "print(*late())\n"
    lying, image, files = compared(tmp_path, monkeypatch, payload=PAYLOAD, rare=TWICE, root=root)
    assert image == lying == "(1, 2) 3 1\n"
    assert {"payload", "rare"} - set(files) == set(core)


def test_a_name_that_is_left_for_neither_is_refused():
    taken = "def f():\n    return %d\n"
    with pytest.raises(ImageError, match=r"c.py:4: b_f would be p.b.f and what is called so here"):
        merged(
            ["a", "b"],
            a=taken % 1,
            b=taken % 2,
            c="from p import a, b\n\ndef g(b_f):\n    return a.f(), b.f(), b_f\n",
        )


def test_classes_errors_defaults_and_decorators(tmp_path, monkeypatch):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        a="class Error(Exception):\n    pass\n\ndef twice(f):\n    return lambda x: f(f(x))\n",
        b="class Error(Exception):\n    pass\n",
        c="from p import a, b\nfrom p.a import twice\nBASE = (10, 20)\n\n"
        "class Both(a.Error):\n    kind = b.Error\n    base = BASE\n\n"
        "    def f(self, of=BASE):\n"
        "        return [of[i] + x for i, x in enumerate(self.base)]\n\n"
        "@twice\ndef more(x):\n    return x + 1\n",
        root="from p import a, c\nboth = c.Both()\n"
        "try:\n    raise both\nexcept a.Error as error:\n"
        "    print(both.f(), c.more(1), isinstance(error, c.Both.kind))\n",
    )
    assert image == lying == "[20, 40] 3 False\n"


def test_a_class_that_has_the_name_of_what_it_reads_of_another_file(tmp_path, monkeypatch):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        a="def kind():\n    return 'kind'\n",
        root="from p import a\n\nclass C:\n    def kind(self, by=a.kind):\n        return by()\n\n"
        "    def again(self, by=a.kind):\n        return by()\n\nprint(C().kind(), C().again())\n",
        rare="",
    )
    assert image == lying == "kind kind\n"


def test_what_is_imported_only_when_needed_stays_a_file(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a="print('a')\n\ndef f():\n    return 'f'\n",
        rare="from p import a\nprint('rare')\n\ndef g():\n    f = 'g'\n    return f + a.f()\n",
        b="from p import a\n\ndef use():\n    from p.rare import g\n    from p import a as again\n"
        "    return g() + again.f() + a.f()\n",
        root="from p.b import use\nprint('root')\nprint(use())\n",
    )
    assert image == lying == "a\nroot\nrare\ngfff\n"
    assert sorted(files) == ["core", "rare", "root"]
    assert "from p.rare import g" in files["core"]


def test_the_app_stays_apart_and_may_import_the_core(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a="NAMES = ('x', 'y')\n\ndef f():\n    return 'f'\n",
        app__view="from p import a\nfrom p.deep import low\n\nclass View:\n"
        "    def show(self):\n        return a.f() + low() + a.NAMES[1]\n",
        deep="def low():\n    return 'low'\n",
        b="from p.app.view import View\nfrom p.a import f\n\n"
        "def make():\n    return View(), f()\n",
        root="from p import b\nview, f = b.make()\nprint(view.show(), f)\n",
    )
    assert image == lying == "flowy f\n"
    assert sorted(files) == ["app/__init__", "app/view", "core", "root"]


def test_a_name_that_another_file_has_from_the_core(tmp_path, monkeypatch):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        a="def f():\n    return 'f'\n",
        app__way="from p.a import f as g\n\ndef h():\n    return g()\n",
        app__view="from p.app import way\n\ndef show():\n    return way.g() + way.h()\n",
        root="from p.a import f\nfrom p.app import view\nprint(view.show(), f())\n",
    )
    assert image == lying == "ff f\n"


def test_imports_of_others_are_written_once(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a="import json\nfrom array import array\n\ndef f():\n    return json.dumps([1])\n",
        b="import json\nfrom array import array\nfrom p.a import f\n\n"
        "def g(json='x'):\n    return json + f() + str(array('B', b'1')[0])\n",
        root="import json\nfrom p.b import g\nprint(g(), json.dumps(None))\n",
    )
    assert image == lying == "x[1]49 null\n"
    assert files["core"].count("import json") == files["core"].count("import array") == 1


def test_unread_names_of_the_core_are_left_out(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path,
        monkeypatch,
        a="KINDS = {1: 'one'}\nMADE = print('made')\n\ndef unpack():\n    return KINDS\n\n"
        "def endless():\n    return endless()\n\ndef pack():\n    return 1\n\n"
        "class Kept:\n    def unread(self):\n        return 3\n",
        app__view="def spare():\n    return 1\n",
        root="from p.a import pack, Kept\nprint(pack(), Kept().unread())\n\n"
        "def unread():\n    pass\n",
    )
    assert image == lying == "made\n1 3\n"
    assert "unpack" not in files["core"] and "KINDS" not in files["core"]
    assert "endless" not in files["core"]
    assert "return 3" in files["core"]  # a method: nobody knows who calls it
    assert "def unread" in files["root"] and "return 1" in files["app/view"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N = 0\n\ndef f():\n    global N\n    N = 1\n", "N is global state: an image has none"),
        ("print(__name__)\n", "b.py:1: __name__ differs in an image"),
        (
            "try:\n    import json\nexcept ImportError:\n    json = None\n",
            "json is imported and bound again",
        ),
        ("from os import path as json\n", "json is json in another file|json is .json in another"),
        ("from p.a import json\nprint(json)\n", "import json from"),
        (
            "def f(x):\n    if x:\n        from p.a import f\n    else:\n"
            "        from json import dumps as f\n    return f(x)\n",
            "b.py:3: f is imported and bound again",
        ),
        ("def a_f(b_f):\n    pass\n\ndef f():\n    pass\n", "a_f has two meanings in an image"),
    ],
)
def test_what_cannot_share_a_file_is_refused(text, message):
    with pytest.raises(ImageError, match=message):
        merged(["a", "b"], a="import json\n\ndef f():\n    return json\n", b=text)
