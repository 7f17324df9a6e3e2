"""Short names for attributes. MicroPython keeps one copy of each name in the program, so that
modules which all call theirs g0, g1, ... keep few.

A private attribute is renamed where it is reached through `self` alone, and in the module that
sets it; a public one everywhere, unless somebody outside knows it (known.py) or a text may name
it. No two attributes of one class get the same name, nor of classes that inherit from each other:
modules joined so are a family. What the core's classes have is named first, by the core alone, so
that another application leaves the core as it is.
"""

import ast
import itertools
from collections.abc import Container, Iterable
from typing import Any

from wattledger.tools.image.attributes import Attributes, Half, fits, is_private
from wattledger.tools.image.bases import families_of
from wattledger.tools.image.known import outside
from wattledger.tools.image.program import Program

Family = tuple[Attributes, ...]


def conceal(program: Program, app: Container[str] = (), kept: Iterable[str] = ()) -> None:
    """Call the attributes of each module's classes g0, g1, ..., the most used first.

    `app` are the modules of the application; the names `kept` are asked for by who is not in the
    program.
    """
    found = {name: Attributes(module) for name, module in program.modules.items()}
    elsewhere = set().union(*(attributes.known_elsewhere() for attributes in found.values()))
    families = [tuple(found[name] for name in family) for family in families_of(program)]
    core = [attributes for name, attributes in found.items() if name not in app]
    asked = set().union(*(attributes.asked for attributes in found.values()))
    of_self = set().union(*(attributes.asked_of_self for attributes in found.values()))
    refused = {*kept, *outside()}.union(*(attributes.refused for attributes in found.values()))
    named = _Named(core, asked)
    owners = _owners(families, refused, asked | of_self)
    for name in sorted(owners, key=named.rank):
        named.give(name, owners[name])
    tables = [(family, named.of(family, elsewhere)) for family in families]
    for family, short in tables:
        for attributes in family:
            _Renamer({**named.public, **short}, short).visit(attributes.module.tree)


class _Named:
    """Which short name each attribute has got; each family has its own numbers."""

    def __init__(self, core: list[Attributes], asked: set[Half]) -> None:
        """`core` are the modules of the core; `asked` names that are put together anywhere."""
        self._core = core
        self._asked = asked
        self._first = set().union(*(attributes.has for attributes in core))
        self._taken: dict[Family, set[int]] = {}
        self.public: dict[str, str] = {}

    def rank(self, name: str) -> tuple[bool, int, str]:
        """The core's first, the most used of them first."""
        return name not in self._first, -sum(each.uses.get(name, 0) for each in self._core), name

    def give(self, name: str, families: list[Family]) -> None:
        """A public attribute gets the lowest number that none of its families has taken."""
        number = self._free(families)
        self.public[name] = f"g{number}"

    def of(self, family: Family, elsewhere: set[str]) -> dict[str, str]:
        """The names of what the classes of a family have; private ones get what is left."""
        uses: dict[str, int] = {}
        asked = self._asked.union(*(attributes.asked_of_self for attributes in family))
        for attributes in family:
            for name, count in attributes.uses.items():
                if is_private(name) and name not in elsewhere and not fits(name, asked):
                    uses[name] = uses.get(name, 0) + count
        own = set().union(*(attributes.has for attributes in family))
        short = {name: self.public[name] for name in own if name in self.public}
        for name in sorted(uses, key=lambda name: (-uses[name], name)):
            short[name] = f"g{self._free([family])}"
        return short

    def _free(self, families: list[Family]) -> int:
        taken = set().union(*(self._taken.setdefault(family, set()) for family in families))
        number = next(number for number in itertools.count() if number not in taken)
        for family in families:
            self._taken[family].add(number)
        return number


def _owners(
    families: list[Family], refused: set[str], asked: set[Half]
) -> dict[str, list[Family]]:
    """Public attributes that may be renamed: name -> the families whose classes have it."""
    owners: dict[str, list[Family]] = {}
    for family in families:
        for name in set().union(*(member.has for member in family)) - refused:
            if not fits(name, asked):
                owners.setdefault(name, []).append(family)
    return owners


class _Renamer(ast.NodeVisitor):
    """`names` of attributes wherever they are read; `own` are those that the classes here have."""

    def __init__(self, names: dict[str, str], own: dict[str, str]) -> None:
        self._names = names
        self._own = own

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner.name = self._own.get(inner.name, inner.name)
            elif isinstance(inner, ast.Assign):
                for target in inner.targets:
                    if isinstance(target, ast.Name):
                        target.id = self._own.get(target.id, target.id)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        node.attr = self._names.get(node.attr, node.attr)
        self.generic_visit(node)
