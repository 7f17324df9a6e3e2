"""A last look at an image: each name in it stands for one thing, and that thing is there.

No pass leaves it otherwise; where one does, no image is built, rather than a meter that fails at
night.
"""

import ast
import builtins
from typing import Any

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import find

# Every file and every method has these.
GIVEN = {*dir(builtins), "__class__", "__file__", "__name__", "__path__"}


def prove(program: Program) -> None:
    """ImageError for a name that stands for nothing, or for two things."""
    program.scan()
    for module in program.modules.values():
        for node in ast.walk(module.tree):
            for _, block in ast.iter_fields(node):
                _check_imports(module, block)
        _Prover(program, module).visit(module.tree)


def _check_imports(module: Module, block: Any) -> None:
    """The imports of one block give a name to one thing."""
    said: dict[str, str] = {}
    for node in block if isinstance(block, list) else ():
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name
                what = f"{getattr(node, 'module', '')}.{alias.name}".lstrip(".")
                if said.setdefault(name, what) != what:
                    raise module.error(node, f"{name} would be {said[name]} and {what}")


class _Prover(Rewriter):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        scope = find(node.id, self.scope)
        if isinstance(node.ctx, ast.Load):
            if node.id not in scope.bound and node.id not in GIVEN:
                raise self.module.error(node, f"{node.id} stands for nothing in the image")
            self._check_name(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        found = self.reference(node.value.id) if isinstance(node.value, ast.Name) else None
        if found is not None and found[1] is None:
            self._check_there(node, found[0], node.attr)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            found = self.program.imported(node, alias)
            if found is not None and found[1] is not None:
                self._check_there(node, found[0], found[1])
        return node

    def _check_there(self, node: ast.AST, owner: str, name: str) -> None:
        if name not in self.program.modules[owner].scope.bound:
            raise self.module.error(node, f"{owner} has no {name} in the image")
