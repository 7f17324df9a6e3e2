"""Attributes of an image share short names; what is known by its name keeps it."""

import ast

import pytest

from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program


def concealed(app=(), kept=(), **sources):
    program = Program({f"{name}.py": text.encode() for name, text in sources.items()})
    conceal(program, app, kept)
    return {name: ast.unparse(module.tree) for name, module in program.modules.items()}


def same(text):
    return ast.unparse(ast.parse(text))


def test_two_modules_call_their_own_the_same():
    one = (
        "class A:\n    def __init__(self):\n        self._a = 1\n    def _f(self):\n"
        "        return self._a + self._a\n    def close(self):\n        return self._f()\n"
    )
    two = "class B:\n    def __init__(self):\n        self._storage = 2\n"
    found = concealed(one=one, two=two)
    # The most used first: _a three times, _f twice.
    assert found["one"] == same(one.replace("_a", "g0").replace("_f", "g1"))
    assert found["two"] == same(two.replace("_storage", "g0"))


def test_what_another_object_is_asked_for_keeps_its_name():
    one = "class A:\n    def __init__(self):\n        self._clock = 1\n        self._own = 2\n"
    two = "def f(other):\n    return other._clock\n"
    assert concealed(one=one, two=two) == {
        "one": same(one.replace("_own", "g0")),
        "two": same(two),
    }


def test_what_is_named_in_a_text_or_read_without_being_set_keeps_its_name():
    one = (
        "class A:\n    def f(self):\n        self._x = getattr(self, '_y')\n        self._y = 1\n"
    )
    two = "class B:\n    def f(self):\n        return self._z\n"
    found = concealed(one=one, two=two)
    # What is public gets its name first: f is g0 in both.
    assert "self._y = 1" in found["one"] and "self.g1 = getattr(self, '_y')" in found["one"]
    assert found["two"] == same(two.replace("f(self)", "g0(self)"))


def test_a_class_and_the_one_it_inherits_from_never_share_a_name_for_two_things():
    base = "class A:\n    def __init__(self):\n        self._a = 1\n"
    child = "from base import A\nclass B(A):\n    def f(self):\n        self._b = 2\n"
    found = concealed(base=base, child=child)
    assert "self.g1 = 1" in found["base"]
    assert "def g0(self):\n        self.g2 = 2" in found["child"]


def test_attributes_of_the_class_go_with_those_of_the_object():
    text = "class A:\n    _kept = 3\n    def f(self):\n        self._kept = self._kept + 1\n"
    assert concealed(one=text)["one"] == same(text.replace("_kept", "g1").replace("f(", "g0("))


def test_dunder_names_and_module_functions_are_left_alone():
    text = (
        "def _f():\n    return 1\nclass A:\n    def __init__(self):\n        self.__b__ = _f()\n"
    )
    assert concealed(one=text)["one"] == same(text)


def test_a_public_attribute_is_renamed_wherever_it_is_read():
    one = "class A:\n    def __init__(self):\n        self.balance = 1\n"
    two = "def f(other):\n    return other.balance\n"
    found = concealed(one=one, two=two)
    assert found["one"] == same(one.replace("balance", "g0"))
    assert found["two"] == same(two.replace("balance", "g0"))


@pytest.mark.parametrize(
    "other",
    [
        "def balance():\n    return 2\n",  # a module's own
        "def f(thing):\n    thing.balance = 2\n",  # an object may get it that has no such class
        "def f(thing):\n    return getattr(thing, 'balance')\n",
    ],
)
def test_a_public_attribute_that_may_be_somebody_elses_keeps_its_name(other):
    one = "class A:\n    def __init__(self):\n        self.balance = 1\n"
    assert "self.balance = 1" in concealed(one=one, two=other)["one"]


@pytest.mark.parametrize("name", ("append", "readinto", "sleep_ms", "isconnected", "fill_rect"))
def test_what_an_interpreter_or_a_port_has_too_keeps_its_name(name):
    one = "class A:\n    def %s(self):\n        return 1\n" % name
    assert concealed(one=one)["one"] == same(one)


def test_one_that_several_classes_have_has_a_name_that_none_of_them_has_for_another():
    """Whoever reads it need not know of which class an object is."""
    one = "class A:\n    def __init__(self):\n        self.balance = 1\n        self.only = 2\n"
    two = "class B:\n    def balance(self):\n        return 2\n    def draw(self):\n        pass\n"
    reads = "def f(x):\n    return x.balance, x.only, x.draw, x.balance\n"
    found = concealed(one=one, two=two, reads=reads)
    # balance is named four times; only and draw are of different classes and may share a name.
    for name, short in (("balance", "g0"), ("only", "g1"), ("draw", "g1")):
        one, two, reads = (text.replace(name, short) for text in (one, two, reads))
    assert (found["one"], found["two"], found["reads"]) == (same(one), same(two), same(reads))


def test_another_application_leaves_the_core_as_it_is():
    core = "class A:\n    def __init__(self):\n        self.first = 1\n        self.second = 2\n"
    core += "    def sum(self):\n        return self.first\n"
    apps = (
        "def f(meter):\n    return meter.second, meter.second, meter.second\n",
        "class B:\n    def __init__(self):\n        self.second = 3\n        self.more = 4\n",
    )
    made = [concealed(("page",), core=core, page=app) for app in apps]
    assert made[0]["core"] == made[1]["core"]
    assert made[0]["page"] == same(apps[0].replace("second", "g1"))
    assert "self.g1 = 3" in made[1]["page"]


def test_what_a_program_beside_the_image_asks_for_keeps_its_name():
    text = "class A:\n    def __init__(self):\n        self.balance = 1\n"
    assert concealed(kept=("balance",), one=text)["one"] == same(text)


def test_a_name_of_the_class_that_its_body_reads_keeps_its_name():
    text = "class A:\n    width = 3\n    area = width * width\n"
    assert "width = 3" in concealed(one=text)["one"]
