"""Short names for what stands at the top of a file: functions, classes, values and imports.

They are g0, g1, ... in every file, as attributes are (private.py): MicroPython keeps each name
once. Left alone is what somebody outside asks for, what a text names, and every error's class,
whose name people read.
"""

import ast
import builtins
from collections.abc import Iterable
from typing import Any

from wattledger.tools.image.program import ImageError, Module, Program, Rewriter
from wattledger.tools.image.scopes import find

Key = tuple[str, str]  # module, name at its top


def rename(program: Program, roots: Iterable[str] = (), kept: Iterable[str] = ()) -> None:
    """Rename in all modules, of `roots` and of modules that are values only what is private.
    ImageError."""
    taken = set(kept) | set(dir(builtins)) | _texts(program)
    table: dict[Key, str] = {}
    objects = program.objects
    for module in program.modules.values():
        uses = _uses(module)
        names = [
            name
            for name in module.scope.bound
            if name not in taken
            and not name.startswith("__")
            and (name.startswith("_") or module.name not in {*roots, *objects})
            and _is_plain(program, module, name)
        ]
        names.sort(key=lambda name: (-uses.get(name, 0), name))
        hidden = _ClassReader(program, module).hidden()
        left = [f"g{place}" for place in range(len(names) + len(set().union(*hidden.values())))]
        for name in names:
            short = next(each for each in left if each not in hidden.get(name, ()))
            left.remove(short)
            table[module.name, name] = short
    for module in program.modules.values():
        _Renamer(program, module, table).visit(module.tree)
    program.scan()


def _texts(program: Program) -> set[str]:
    return {
        node.value
        for module in program.modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _is_plain(program: Program, module: Module, name: str) -> bool:
    """False for an import from outside and for the class of an error."""
    for node in module.scope.bound[name]:
        if isinstance(node, ast.ClassDef) and _is_error(node):
            return False
        if isinstance(node, ast.Global):
            return False
        if isinstance(node, ast.alias):
            target = program.imported(module.scope.imports[node], node)
            if target is None or (target[1] or "").endswith("Error"):
                return False
    return True


def _is_error(node: ast.ClassDef) -> bool:
    names = [node.name, *(ast.unparse(base) for base in node.bases)]
    return any(name.endswith(("Error", "Exception")) for name in names)


def _uses(module: Module) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name):
            found[node.id] = found.get(node.id, 0) + 1
    return found


class _ClassReader(Rewriter):
    """What the bodies of classes read of their file, beside names that they have themselves."""

    def hidden(self) -> dict[str, set[str]]:
        """By the file's name: names that mean something else to a class which reads it."""
        self._hidden: dict[str, set[str]] = {}
        self.visit(self.module.tree)
        return self._hidden

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if self.scope.kind == "class" and find(node.id, self.scope) is self.module.scope:
            self._hidden.setdefault(node.id, set()).update(self.scope.bound)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        return self.generic_visit(node)


class _Renamer(Rewriter):
    def __init__(self, program: Program, module: Module, table: dict[Key, str]) -> None:
        super().__init__(program, module)
        self._table = table

    def _new(self, name: str) -> str:
        here = find(name, self.scope) is self.module.scope
        return self._table.get((self.module.name, name), name) if here else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        found = self.reference(node.value.id) if isinstance(node.value, ast.Name) else None
        if found is not None and found[1] is None:
            node.attr = self._table.get((found[0], node.attr), node.attr)
        return self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> Any:
        raise ImageError(f"{self.module.path}: {node.names[0]} is global state")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._new(node.name)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        new = []
        for alias in node.names:
            target = self.program.imported(node, alias)
            name, bound = alias.name, self._new(alias.asname or alias.name)
            if target is not None and target[1] is not None:
                name = self._table.get((target[0], target[1]), name)
            new.append(ast.alias(name, None if bound == name else bound))
        node.names = new
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if self.scope is self.module.scope:
            node.name = self._new(node.name)
        return super().visit_FunctionDef(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        if self.scope is self.module.scope:
            node.name = self._new(node.name)
        return super().visit_AsyncFunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        if self.scope is self.module.scope:
            node.name = self._new(node.name)
        return super().visit_ClassDef(node)
