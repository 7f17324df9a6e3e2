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

from wattledger.tools.image.arguments import SHORT
from wattledger.tools.image.known import outside
from wattledger.tools.image.program import Module, Program

Uses = dict[str, int]
Family = tuple["_Attributes", ...]


def conceal(program: Program, app: Container[str] = (), kept: Iterable[str] = ()) -> None:
    """Call the attributes of each module's classes g0, g1, ..., the most used first.

    `app` are the modules of the application; the names `kept` are asked for by who is not in the
    program.
    """
    found = {name: _Attributes(module) for name, module in program.modules.items()}
    elsewhere = set().union(*(attributes.known_elsewhere() for attributes in found.values()))
    families = [tuple(found[name] for name in family) for family in _families(program)]
    core = [attributes for name, attributes in found.items() if name not in app]
    named = _Named(core, set().union(*(attributes.has for attributes in core)))
    owners = _owners(found.values(), families, {*kept, *outside()})
    for name in sorted(owners, key=named.rank):
        named.give(name, owners[name])
    tables = [(family, named.of(family, elsewhere)) for family in families]
    for family, short in tables:
        for attributes in family:
            _Renamer({**named.public, **short}, short).visit(attributes.module.tree)


class _Named:
    """Which short name each attribute has got; each family has its own numbers."""

    def __init__(self, core: "list[_Attributes]", first: set[str]) -> None:
        """`core` are the modules of the core, `first` what its classes have."""
        self._core = core
        self._first = first
        self._taken: dict[Family, set[int]] = {}
        self.public: dict[str, str] = {}

    def rank(self, name: str) -> tuple[bool, int, str]:
        """The core's first, the most used of them first."""
        return name not in self._first, -sum(each.uses.get(name, 0) for each in self._core), name

    def give(self, name: str, families: "list[Family]") -> None:
        """A public attribute gets the lowest number that none of its families has taken."""
        number = self._free(families)
        self.public[name] = f"g{number}"

    def of(self, family: "Family", elsewhere: set[str]) -> dict[str, str]:
        """The names of what the classes of a family have; private ones get what is left."""
        uses: Uses = {}
        for attributes in family:
            for name, count in attributes.uses.items():
                if is_private(name) and name not in elsewhere:
                    uses[name] = uses.get(name, 0) + count
        own = set().union(*(attributes.has for attributes in family))
        short = {name: self.public[name] for name in own if name in self.public}
        for name in sorted(uses, key=lambda name: (-uses[name], name)):
            short[name] = f"g{self._free([family])}"
        return short

    def _free(self, families: "list[Family]") -> int:
        taken = set().union(*(self._taken.setdefault(family, set()) for family in families))
        number = next(number for number in itertools.count() if number not in taken)
        for family in families:
            self._taken[family].add(number)
        return number


def is_private(name: str) -> bool:
    """True for `_name`; not for `__name__`, nor for what an image calls an argument."""
    return name.startswith("_") and not name.startswith("__") and SHORT.match(name) is None


def _owners(
    found: "Iterable[_Attributes]", families: "list[Family]", known: set[str]
) -> "dict[str, list[Family]]":
    """Public attributes that may be renamed: name -> the families whose classes have it."""
    refused = known.union(*(attributes.refused for attributes in found))
    owners: dict[str, list[Family]] = {}
    for family in families:
        for name in set().union(*(member.has for member in family)) - refused:
            owners.setdefault(name, []).append(family)
    return owners


class _Attributes(ast.NodeVisitor):
    """The attributes of one module: how often each is named, and by whom it is set."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.uses: Uses = {}
        self.has: set[str] = set()  # public ones of its classes
        # Public names that stand for more than an attribute of one class.
        self.refused = set(module.scope.bound)
        self._set: set[str] = set()
        self._elsewhere: set[str] = set()  # reached through something other than self, or as text
        self.visit(module.tree)

    def known_elsewhere(self) -> set[str]:
        """Private ones that must keep their names in every module."""
        used = {name for name in self.uses if is_private(name)}
        return self._elsewhere | (used - self._set)

    def _has(self, name: str) -> None:
        self.uses[name] = self.uses.get(name, 0) + 1
        if is_private(name):
            self._set.add(name)
        elif not name.startswith("_"):
            self.has.add(name)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._has(inner.name)
                read: list[ast.AST] = [*inner.decorator_list, inner.args]
            else:
                read = [inner]
            targets = inner.targets if isinstance(inner, ast.Assign) else []
            plain = [target for target in targets if isinstance(target, ast.Name)]
            for target in plain:
                self._has(target.id)
            # Named within the class without `self`: left alone.
            for name in [name for part in read for name in ast.walk(part)]:
                if isinstance(name, ast.Name) and name not in plain:
                    self.refused.add(name.id)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        name = node.attr
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        stored = isinstance(node.ctx, ast.Store)
        if own and stored:
            self._has(name)
        else:
            self.uses[name] = self.uses.get(name, 0) + 1
        if not own and is_private(name):
            self._elsewhere.add(name)
        elif not own and stored:
            self.refused.add(name)  # an object may get one that its class has not
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, str):
            self.refused.add(node.value)
            if is_private(node.value):
                self._elsewhere.add(node.value)


def _families(program: Program) -> list[list[str]]:
    """Modules joined by classes that inherit across them, each family sorted."""
    family = {name: {name} for name in program.modules}
    for name, module in program.modules.items():
        bases = {
            base.id
            for node in ast.walk(module.tree)
            if isinstance(node, ast.ClassDef)
            for base in node.bases
            if isinstance(base, ast.Name)
        }
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                source = program.imported(node, alias)
                if source is not None and (alias.asname or alias.name) in bases:
                    joined = family[name] | family[source[0]]
                    for member in joined:
                        family[member] = joined
    return [list(members) for members in sorted({tuple(sorted(m)) for m in family.values()})]


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
