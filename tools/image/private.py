"""Short names for private attributes. MicroPython keeps one copy of each name in the program, so
that modules which all call theirs _0, _1, ... keep few.

Only attributes that are reached through `self` alone, and in the module that sets them, are
renamed: whoever else knows one by its name, knows it still. Modules whose classes inherit from
each other share their names.
"""

import ast
from typing import Any

from wattledger.tools.image.arguments import SHORT
from wattledger.tools.image.program import Module, Program


def conceal(program: Program) -> None:
    """Call the private attributes of each module's classes _0, _1, ..., the most used first."""
    found = {name: _Attributes(module) for name, module in program.modules.items()}
    kept = set().union(*(attributes.known_elsewhere() for attributes in found.values()))
    for family in _families(program):
        uses: dict[str, int] = {}
        for name in family:
            for attribute, count in found[name].uses.items():
                if attribute not in kept:
                    uses[attribute] = uses.get(attribute, 0) + count
        ranked = sorted(uses, key=lambda attribute: (-uses[attribute], attribute))
        short = {attribute: f"_{place}" for place, attribute in enumerate(ranked)}
        for name in family:
            _Renamer(short).visit(program.modules[name].tree)


def is_private(name: str) -> bool:
    """True for `_name`; not for `__name__`, nor for what an image calls an argument."""
    return name.startswith("_") and not name.startswith("__") and SHORT.match(name) is None


class _Attributes(ast.NodeVisitor):
    """The private attributes of one module: how often each is named, and by whom it is set."""

    def __init__(self, module: Module) -> None:
        self.uses: dict[str, int] = {}
        self._set: set[str] = set()
        self._elsewhere: set[str] = set()  # reached through something other than self, or as text
        self.visit(module.tree)

    def known_elsewhere(self) -> set[str]:
        """Those that must keep their names in every module."""
        return self._elsewhere | (self.uses.keys() - self._set)

    def _count(self, name: str) -> None:
        self.uses[name] = self.uses.get(name, 0) + 1

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        for inner in node.body:
            names = []
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names = [inner.name]
            elif isinstance(inner, ast.Assign):
                names = [target.id for target in inner.targets if isinstance(target, ast.Name)]
            for name in names:
                if is_private(name):
                    self._count(name)
                    self._set.add(name)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if is_private(node.attr):
            self._count(node.attr)
            if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                self._elsewhere.add(node.attr)
            elif isinstance(node.ctx, ast.Store):
                self._set.add(node.attr)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, str) and is_private(node.value):
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
    def __init__(self, short: dict[str, str]) -> None:
        self._short = short

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inner.name = self._short.get(inner.name, inner.name)
            elif isinstance(inner, ast.Assign):
                for target in inner.targets:
                    if isinstance(target, ast.Name):
                        target.id = self._short.get(target.id, target.id)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        node.attr = self._short.get(node.attr, node.attr)
        self.generic_visit(node)
