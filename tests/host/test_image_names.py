"""Names at the top of an image's files, and of modules that are loaded when wanted."""

import ast

import pytest

from wattledger.tests.host.image_bench import compared, says, sources
from wattledger.tools.image.flat import flatten
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import ImageError, Program
from wattledger.tools.image.toplevel import rename

BASE = (
    "class OwnError(Exception):\n    pass\n\nTABLE = (1, 2)\n\ndef total(rows=TABLE):\n"
    "    return sum(rows)\n\ndef shared():\n    return 'both'\n"
)
ROOT = (
    "from p.base import OwnError, total\nfrom p import page\n\n"
    "def _quietly():\n    return total()\n\n"
    "def main():\n    return _quietly(), page.draw(), OwnError.__name__\n\nprint(main())\n"
)
PAGE = (
    "from p.base import shared\n\ndef helper():\n    return shared()\n\n"
    "def draw():\n    return helper()\n"
)
SAID = "(3, 'both', 'OwnError')\n"


def renamed(kept=()):
    program = Program(sources(base=BASE, page=PAGE, root=ROOT))
    rename(program, ["p.root"], kept)
    return program.sources()


def tops(made, path):
    """Names that a file defines at its top."""
    return {node.name for node in ast.parse(made[path]).body if hasattr(node, "name")}


def test_what_stands_at_the_top_shares_short_names_and_does_what_it_did(tmp_path):
    made = renamed()
    assert says(made, tmp_path) == SAID
    # TABLE is used once, shared and total never: after that the alphabet decides.
    assert tops(made, "p/base.py") == {"OwnError", "g1", "g2"}
    assert b"g0 = (1, 2)" in made["p/base.py"]
    assert b"import g1\n" in made["p/page.py"]  # of shared, whoever takes it


def test_every_error_keeps_the_name_that_people_read(tmp_path, monkeypatch):
    lying, image, _ = compared(
        tmp_path,
        monkeypatch,
        a="class OwnError(Exception):\n    pass\n\nclass Silent(OwnError):\n    pass\n\n"
        "class Reset(Exception):\n    pass\n",
        root="from p import a\nfrom p.a import Silent as Quiet\n"
        "for kind in (a.OwnError, Quiet, a.Reset):\n"
        "    try:\n        raise kind\n    except Exception as error:\n"
        "        print(type(error).__name__)\n",
    )
    assert image == lying == "OwnError\nSilent\nReset\n"


CLASSES = (
    "def make():\n    return 'made'\n\ndef other():\n    return 'other'\n\n"
    "class Chip:\n    first = 1\n    second = 2\n    made = make()\n\n"
    "    def third(self, by=other, *, more=make):\n"
    "        return by(), more(), self.first, self.second, self.made\n\n"
    "print(Chip().third(), make(), other())\n"
)


def test_a_class_that_reads_the_files_names_still_reads_those(tmp_path):
    """Its own have short names too by then, g0 and more."""
    program = Program(sources(root=CLASSES))
    conceal(program)
    rename(program)
    made = program.sources()
    assert says(made, tmp_path) == "('other', 'made', 1, 2, 'made') made other\n"


def test_a_root_keeps_the_names_it_is_started_by():
    assert tops(renamed(), "p/root.py") == {"g0", "main"}


def test_what_somebody_outside_asks_for_keeps_its_name():
    assert tops(renamed(("total",)), "p/base.py") >= {"total"}


WIDE = (
    "def wide(of):\n    found = None\n    if of == 'zh':\n        from p import hanzi as found\n"
    "    elif of == 'ja':\n        from p import kana as found\n    return found\n\n"
    "def told(of):\n    return of.CHARACTERS, of.SIZE, of.find()\n\n"
    "print(told(wide('zh')), told(wide('ja')), wide('en'))\n"
)
LETTERS = (
    "SIZE = 16\nCHARACTERS = '%s'\n_OWN = 3\n_TABLE = (1, 2)\n\n"
    "def find():\n    return _TABLE[1] + _OWN\n"
)


def test_a_module_that_is_a_value_keeps_the_names_it_may_be_asked_for(tmp_path, monkeypatch):
    lying, image, files = compared(
        tmp_path, monkeypatch, hanzi=LETTERS % "abc", kana=LETTERS % "def", root=WIDE
    )
    assert image == lying == "('abc', 16, 5) ('def', 16, 5) None\n"
    assert "_TABLE" not in files["hanzi"] and "_OWN" not in files["hanzi"]


def test_a_module_that_is_a_value_is_not_merged(tmp_path, monkeypatch):
    with pytest.raises(ImageError, match=r"kana.py:1: it is a value elsewhere, and must stay"):
        compared(
            tmp_path,
            monkeypatch,
            hanzi=LETTERS % "abc",
            kana=LETTERS % "def",
            root="from p.kana import find\nfind()\n" + WIDE,
        )


LOADER = (
    "def late():\n    from p.deep import first, second as other\n"
    "    from p.deep.third import VALUE\n"
    "    return first.VALUE, other.VALUE, VALUE\n\nprint(late())\n"
)


def test_modules_that_are_loaded_when_wanted_have_short_names(tmp_path):
    program = Program(
        sources(
            root=LOADER,
            deep__first="VALUE = 1\n",
            deep__second="VALUE = 2\n",
            deep__third="VALUE = 3\n",
        )
    )
    flatten(program, ("p.root",))
    made = program.sources()
    assert sorted(path for path in made if "__init__" not in path) == [
        *("g0.py", "g1.py", "g2.py", "p/root.py")
    ]
    assert says(made, tmp_path) == "(1, 2, 3)\n"
