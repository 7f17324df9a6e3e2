"""What a board settles: an image is built for one, so that its pins, its bus and its chip are
literals there, and what serves other boards is gone.

A constant of a board is read as `board.NAME`, from whatever is called so; never from a module.
"""

import ast
import operator
from collections.abc import Mapping
from typing import Any

from wattledger.tools.image.constants import literal
from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import find, inner_scopes

COMPARED: dict[type, Any] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
ENDS = (ast.Return, ast.Raise)
Values = Mapping[str, "int | str"]


def settle(program: Program, board: Mapping[str, object]) -> None:
    """Write the numbers and texts of `board` (name -> value) as literals; keep the one branch that
    is then taken of each that depends on nothing else."""
    taken = set().union(*(_own_names(module) for module in program.modules.values()))
    values = {
        name: value
        for name, value in board.items()
        if name.isupper() and isinstance(value, (int, str)) and not isinstance(value, bool)
        if name not in taken
    }
    for module in program.modules.values():
        before = _names_read(module)
        _Settler(program, module, values).visit(module.tree)
        _Trimmer(before - _names_read(module)).visit(module.tree)
    program.scan()


def asked_of(board: bytes, sources: Mapping[str, bytes]) -> bytes:
    """The source of a board's constants, without those that none of `sources` names."""
    asked = set()
    for source in sources.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute):
                asked.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                asked.add(node.value)
    tree = ast.parse(board)
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in asked
    ]
    return (ast.unparse(tree) + "\n").encode()


def _own_names(module: Module) -> set[str]:
    """What classes of the module define, and what any object is given."""
    scopes = inner_scopes(module.tree, module.scope)
    found = {name for scope in scopes if scope.kind == "class" for name in scope.bound}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(node.attr)
    return found


def _names_read(module: Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


class _Trimmer(ast.NodeTransformer):
    """Takes away imports of the names `gone`, which only the branches not taken read."""

    def __init__(self, gone: set[str]) -> None:
        self._gone = gone

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        node.names = [each for each in node.names if (each.asname or each.name) not in self._gone]
        return node if node.names else None


class _Settler(Rewriter):
    def __init__(self, program: Program, module: Module, values: Values) -> None:
        super().__init__(program, module)
        self._values = values

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        base = node.value
        if not isinstance(base, ast.Name) or base.id == "self" or node.attr not in self._values:
            return super().visit_Attribute(node)
        binders = find(base.id, self.scope).bound.get(base.id, ())
        if any(isinstance(binder, ast.alias) for binder in binders):
            return super().visit_Attribute(node)
        return ast.copy_location(literal(self._values[node.attr]), node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        compare = COMPARED.get(type(node.ops[0]))
        sides = (node.left, node.comparators[0])
        if compare is None or len(node.ops) > 1:
            return node
        if not all(isinstance(side, ast.Constant) for side in sides):
            return node
        left, right = (side.value for side in sides if isinstance(side, ast.Constant))
        return ast.copy_location(ast.Constant(compare(left, right)), node)

    def visit_If(self, node: ast.If) -> Any:
        node.test = self.visit(node.test)
        if not isinstance(node.test, ast.Constant) or not isinstance(node.test.value, bool):
            node.body = self.block(node.body)
            node.orelse = self.block(node.orelse) if node.orelse else []
            return node
        chosen = node.body if node.test.value else node.orelse
        found = self.block(chosen) if chosen else []
        return [each for each in found if not isinstance(each, ast.Pass)] or None

    def block(self, statements: list[Any]) -> list[Any]:
        """A block rewritten, without what comes after its end."""
        found = super().block(statements)
        for place, node in enumerate(found):
            if isinstance(node, ENDS):
                return found[: place + 1]
        return found
