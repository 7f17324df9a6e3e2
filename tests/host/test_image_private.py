"""Private attributes of an image share short names; what is known by its name keeps it."""

import ast

from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program


def concealed(**sources):
    program = Program({f"{name}.py": text.encode() for name, text in sources.items()})
    conceal(program)
    return {name: ast.unparse(module.tree) for name, module in program.modules.items()}


def same(text):
    return ast.unparse(ast.parse(text))


def test_two_modules_call_their_own_the_same():
    one = (
        "class A:\n    def __init__(self):\n        self._a = 1\n    def _f(self):\n"
        "        return self._a + self._a\n    def g(self):\n        return self._f()\n"
    )
    two = "class B:\n    def __init__(self):\n        self._storage = 2\n"
    found = concealed(one=one, two=two)
    # The most used first: _a three times, _f twice.
    assert found["one"] == same(one.replace("_a", "_0").replace("_f", "_1"))
    assert found["two"] == same(two.replace("_storage", "_0"))


def test_what_another_object_is_asked_for_keeps_its_name():
    one = "class A:\n    def __init__(self):\n        self._clock = 1\n        self._own = 2\n"
    two = "class B:\n    def f(self, other):\n        return other._clock\n"
    assert concealed(one=one, two=two) == {
        "one": same(one.replace("_own", "_0")),
        "two": same(two),
    }


def test_what_is_named_in_a_text_or_read_without_being_set_keeps_its_name():
    one = (
        "class A:\n    def f(self):\n        self._x = getattr(self, '_y')\n        self._y = 1\n"
    )
    two = "class B:\n    def f(self):\n        return self._z\n"
    found = concealed(one=one, two=two)
    assert "self._y = 1" in found["one"] and "self._0 = getattr(self, '_y')" in found["one"]
    assert found["two"] == same(two)


def test_a_class_and_the_one_it_inherits_from_never_share_a_name_for_two_things():
    base = "class A:\n    def __init__(self):\n        self._a = 1\n"
    child = "from base import A\nclass B(A):\n    def f(self):\n        self._b = 2\n"
    found = concealed(base=base, child=child)
    assert "self._0 = 1" in found["base"]
    assert "self._1 = 2" in found["child"]


def test_attributes_of_the_class_go_with_those_of_the_object():
    text = "class A:\n    _kept = 3\n    def f(self):\n        self._kept = self._kept + 1\n"
    assert concealed(one=text)["one"] == same(text.replace("_kept", "_0"))


def test_dunder_names_and_module_functions_are_left_alone():
    text = "def _f():\n    return 1\nclass A:\n    def __init__(self):\n        self.b = _f()\n"
    assert concealed(one=text)["one"] == same(text)
