"""Short names for arguments. MicroPython keeps each name, in case somebody calls by keyword, in
tables that double: the one for the 621st to the 1260th name takes 7 kB of heap, the next 14 kB.

Only names that nothing else in the program has are changed, so none that any call gives as a
keyword; other local names are not kept at all. No message shows them.
"""

import ast
import re
from collections.abc import Iterable
from typing import Any

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import Function, Scope, arguments_of, find

KEYWORDS = ("name",)  # by which a server calls its functions, taken from the addresses it answers
SHORT = re.compile(r"[_g]\d+$")


def shorten(program: Program, names: Iterable[str]) -> None:
    """Call arguments in the modules called `names` _0, _1, ... where their own names would be kept
    for nothing."""
    known = {"self", *KEYWORDS}
    for module in program.modules.values():
        known |= _names(module)
    for name in names:
        _Shortener(program, program.modules[name], known).visit(program.modules[name].tree)
    program.scan()


def _names(module: Module) -> set[str]:
    """Every name of the module that is more than a local one, and every text."""
    found = set(module.scope.bound)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.update((node.asname or node.name, node.name))
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            found.update(node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


class _Shortener(Rewriter):
    """Renames the arguments of one module's functions, wherever they are read or set."""

    def __init__(self, program: Program, module: Module, known: set[str]) -> None:
        super().__init__(program, module)
        self._known = known
        self._new: dict[Scope, dict[str, str]] = {}

    def entered(self, node: ast.AST, scope: Scope) -> None:
        outer = scope.parent
        used = 0  # counted on from the functions around: an inner one may read their arguments
        while outer is not None:
            used += len(self._new.get(outer, ()))
            outer = outer.parent
        renamed = self._new[scope] = {}
        if isinstance(node, Function):
            for argument in arguments_of(node.args):
                if argument.arg not in self._known:
                    renamed[argument.arg] = f"_{used + len(renamed)}"
                    argument.arg = renamed[argument.arg]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        renamed = self._new.get(find(node.id, self.scope), {})
        node.id = renamed.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        return self.generic_visit(node)
