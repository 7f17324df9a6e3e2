"""Short names for attributes. MicroPython keeps one copy of each name in the program, so that
modules which all call theirs g0, g1, ... keep few.

A private attribute is renamed where it is reached through `self` alone, and in the module that
sets it; a public one where the classes of one module alone have it, and nobody outside knows it
(known.py). Whoever else knows one by its name, knows it still. Modules whose classes inherit from
each other share their names. What core and application both name keeps its name, for an update
brings another application.
"""

import ast
from collections.abc import Container, Iterable
from typing import Any

from wattledger.tools.image.arguments import SHORT
from wattledger.tools.image.known import outside
from wattledger.tools.image.program import Module, Program

Uses = dict[str, int]


def conceal(program: Program, app: Container[str] = (), kept: Iterable[str] = ()) -> None:
    """Call the attributes of each module's classes g0, g1, ..., the most used first.

    `app` are the modules of the application; the names `kept` are asked for by who is not in the
    program.
    """
    found = {name: _Attributes(module) for name, module in program.modules.items()}
    elsewhere = set().union(*(attributes.known_elsewhere() for attributes in found.values()))
    families = _families(program)
    owned = _owned(found, families, app, {*kept, *outside()})
    public: dict[str, str] = {}
    tables = []
    for family in families:
        uses: Uses = {}
        for name in family:
            for attribute, count in found[name].uses.items():
                mine = attribute not in elsewhere if is_private(attribute) else False
                if mine or owned.get(attribute) == family:
                    uses[attribute] = uses.get(attribute, 0) + count
        ranked = sorted(uses, key=lambda attribute: (-uses[attribute], attribute))
        short = {attribute: f"g{place}" for place, attribute in enumerate(ranked)}
        public.update((name, new) for name, new in short.items() if not is_private(name))
        tables.append((family, short))
    for family, short in tables:
        for name in family:
            _Renamer({**public, **short}, short).visit(program.modules[name].tree)


def is_private(name: str) -> bool:
    """True for `_name`; not for `__name__`, nor for what an image calls an argument."""
    return name.startswith("_") and not name.startswith("__") and SHORT.match(name) is None


def _owned(
    found: "dict[str, _Attributes]",
    families: list[list[str]],
    app: Container[str],
    known: set[str],
) -> dict[str, list[str]]:
    """Public attributes that only one family has, and what is named on one side alone: name ->
    the family."""
    owners: dict[str, list[list[str]]] = {}
    for family in families:
        for name in set().union(*(found[member].has for member in family)):
            owners.setdefault(name, []).append(family)
    sides: dict[str, set[bool]] = {}
    refused = set(known)
    for module, attributes in found.items():
        refused |= attributes.refused
        for name in attributes.uses:
            sides.setdefault(name, set()).add(module in app)
    return {
        name: families[0]
        for name, families in owners.items()
        if len(families) == 1 and len(sides[name]) == 1 and name not in refused
    }


class _Attributes(ast.NodeVisitor):
    """The attributes of one module: how often each is named, and by whom it is set."""

    def __init__(self, module: Module) -> None:
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
