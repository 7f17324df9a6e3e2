"""What the one board of an image settles: literals, and no branch for another."""

import ast

from wattledger.tools.image.program import Program
from wattledger.tools.image.settled import asked_of, settle

BOARD = {"CHIP": "one", "BUS": "spi", "PIN": 4, "PHASES": (0, 1), "__name__": "board"}
DRIVERS = "from parts import One, Two\n"
PARTS = "class One:\n    pass\n\nclass Two:\n    PIN = 7\n"


def settled(text, parts=PARTS):
    program = Program({"driver.py": text.encode(), "parts.py": parts.encode()})
    settle(program, BOARD)
    return ast.unparse(program.modules["driver"].tree)


def same(text):
    return ast.unparse(ast.parse(text))


def test_a_constant_of_the_board_is_a_literal():
    assert settled("def f(board):\n    return board.BUS, board.PHASES\n") == same(
        "def f(board):\n    return ('spi', board.PHASES)\n"
    )


def test_one_branch_is_left_and_what_only_the_others_import_is_gone():
    text = DRIVERS + (
        "def f(board):\n    if board.CHIP == 'one':\n        return One\n"
        "    elif board.CHIP == 'two':\n        return Two\n    raise ValueError(board.CHIP)\n"
    )
    assert settled(text) == same("from parts import One\ndef f(board):\n    return One\n")
    other = text.replace("'one'", "'three'").replace("'two'", "'four'")
    assert settled(other) == same("def f(board):\n    raise ValueError('one')\n")


def test_a_branch_that_depends_on_more_stays():
    text = "def f(board, x):\n    if board.CHIP == x:\n        return 1\n"
    text += "    if board.BUS != 'spi':\n        return 2\n    return 3\n"
    assert settled(text) == same(
        "def f(board, x):\n    if 'one' == x:\n        return 1\n    return 3\n"
    )


def test_a_name_that_a_class_or_a_module_has_too_is_left_alone():
    # Two.PIN may be what is read; parts.CHIP is a module's.
    text = "import parts as board\nfrom parts import Two\ndef f(found):\n    return found.PIN\n"
    assert settled(text) == same(text)
    text = "from p import parts\ndef f():\n    return parts.CHIP\n"
    program = Program({"p/driver.py": text.encode(), "p/parts.py": b"CHIP = 'own'\n"})
    settle(program, BOARD)
    assert ast.unparse(program.modules["p.driver"].tree) == same(text)


def test_a_name_that_an_object_is_given_is_left_alone():
    for own in ("self.PIN = 5", "self.PIN: int = 5", "other.PIN, x = 5, 6", "del other.PIN"):
        parts = "class One:\n    def f(self, other):\n        %s\nclass Two:\n    pass\n" % own
        assert "found.PIN" in settled("def f(found):\n    return found.PIN\n", parts)
    for own in ("PIN: int = 5", "PIN, x = 5, 6", "def PIN(self):\n        pass"):
        assert "found.PIN" in settled(
            "def f(found):\n    return found.PIN\n", "class One:\n    %s\n" % own
        )


def test_a_name_of_somebody_elses_module_is_left_alone():
    for imported in ("import machine", "from x import machine", "import x as machine"):
        text = "%s\ndef f():\n    return machine.PIN\n" % imported
        assert settled(text) == same(text)


def test_a_number_below_zero_is_what_it_was():
    program = Program({"a.py": b"def f(board):\n    return board.LOW ** 2, -board.LOW\n"})
    settle(program, {"LOW": -3})
    written = ast.unparse(program.modules["a"].tree)
    assert written == same("def f(board):\n    return (-3) ** 2, -(-3)\n")


def test_of_a_board_only_what_is_asked_for_is_left():
    board = b'"""A board."""\n\nCHIP = "one"\nPIN = 4\nLAMP = 5\nBUZZER = 6\n'
    sources = {"a.py": b"def f(b):\n    return b.PIN, getattr(b, 'LAMP')\n"}
    assert asked_of(board, sources) == b"PIN = 4\nLAMP = 5\n"
