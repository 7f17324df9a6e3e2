"""Constants of a program: a name bound once, at the top of a file, to an integer or short text.

In an image they are literals where they are used, and their names are gone: each name costs a
device about 30 bytes of heap, in every module that imports it again.
"""

import ast
import operator
from collections.abc import Iterable
from typing import Any

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import Scope

# An ESP32 keeps integers of 31 bits in the reference itself; larger ones are objects.
SMALL = 1 << 30
# MicroPython keeps text of this length once, however often it is written.
INTERNED = 10

OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}


def inline(program: Program, asked: Iterable[str] = ()) -> None:
    """Write the program's constants as literals and drop their names. ImageError.

    The public ones of the modules `asked` keep theirs, and of those that are values what is named
    anywhere.
    """
    constants = Constants(program, asked)
    for module in program.modules.values():
        _Inliner(program, module, constants).visit(module.tree)
    for module in program.modules.values():
        body = module.tree.body
        module.tree.body = [node for node in body if not _is_dropped(node, module, constants)]
    for module in program.modules.values():
        _ImportTrimmer(program, module).visit(module.tree)
    program.scan()


class Constants:
    """The value of each constant, worked out when it is asked for."""

    def __init__(self, program: Program, asked: Iterable[str] = ()) -> None:
        self._program = program
        self._asked = frozenset(asked)
        self._named = _attributes(program) if program.objects else set()
        self._known: dict[tuple[str, str], int | str | None] = {}
        self._written = {
            (module.name, node.targets[0].id): node.value
            for module in program.modules.values()
            for node in module.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if len(node.targets) == 1
        }

    def get(self, name: str, symbol: str) -> "int | str | None":
        """The literal for a symbol of module `name`, or None."""
        is_named = name in self._program.objects and symbol in self._named
        if not symbol.startswith("_") and (name in self._asked or is_named):
            return None
        value = self._value(name, symbol)
        if isinstance(value, str):
            return value if len(value) <= INTERNED else None
        return value if value is not None and -SMALL <= value < SMALL else None

    def _value(self, name: str, symbol: str) -> "int | str | None":
        key = self._program.origin(name, symbol)
        if key not in self._known:
            self._known[key] = None  # a circle of definitions has no value
            once = len(self._program.modules[key[0]].scope.bound.get(key[1], ())) == 1
            if once and key in self._written:
                self._known[key] = self._evaluate(key[0], self._written[key])
        return self._known[key]

    def _evaluate(self, name: str, node: ast.expr) -> "int | str | None":
        if isinstance(node, ast.Constant):
            value = node.value
            if isinstance(value, (int, str)) and not isinstance(value, bool):
                return value
            return None
        if isinstance(node, ast.Name):
            return self._value(name, node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._attribute(name, node.value.id, node.attr)
        if isinstance(node, ast.UnaryOp):
            return self._apply(name, node.op, node.operand)
        if isinstance(node, ast.BinOp):
            return self._apply(name, node.op, node.left, node.right)
        return None

    def _attribute(self, name: str, module: str, symbol: str) -> "int | str | None":
        scope = self._program.modules[name].scope
        alias = scope.alias(module)
        target = alias and self._program.imported(scope.imports[alias], alias)
        return self._value(target[0], symbol) if target and target[1] is None else None

    def _apply(self, name: str, kind: ast.AST, *operands: ast.expr) -> "int | None":
        values = [self._evaluate(name, operand) for operand in operands]
        if type(kind) not in OPERATORS or not all(type(value) is int for value in values):
            return None
        try:
            result = OPERATORS[type(kind)](*values)
        except (ArithmeticError, ValueError):
            return None
        return result if type(result) is int else None  # a negative power is a float


def _attributes(program: Program) -> set[str]:
    """What any file asks any object for."""
    found = set()
    for module in program.modules.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


class _Inliner(Rewriter):
    def __init__(self, program: Program, module: Module, constants: Constants) -> None:
        super().__init__(program, module)
        self._constants = constants

    def symbol(self, node: ast.expr, owner: str, name: str, binder: Scope) -> ast.expr:
        value = self._constants.get(owner, name)
        return node if value is None else ast.copy_location(literal(value), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        node.names = [alias for alias in node.names if not self._is_dropped(node, alias)]
        return node if node.names else None

    def _is_dropped(self, node: ast.ImportFrom, alias: ast.alias) -> bool:
        target = self.program.imported(node, alias)
        if not target or target[1] is None or self._constants.get(target[0], target[1]) is None:
            return False
        name = alias.asname or alias.name
        if self.scope.alias(name) is None:
            raise self.module.error(node, f"the constant {name} is imported and bound again")
        return True


def literal(value: "int | str") -> ast.expr:
    """The value as a source writes it: a number below zero with its sign before it."""
    if isinstance(value, int) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _is_dropped(node: ast.stmt, module: Module, constants: Constants) -> bool:
    """True for the definition of a constant."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    return len(node.targets) == 1 and constants.get(module.name, node.targets[0].id) is not None


class _ImportTrimmer(ast.NodeTransformer):
    """Takes away imports of whole modules that nobody reads any more."""

    def __init__(self, program: Program, module: Module) -> None:
        self._program = program
        self._read = {
            node.id
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        node.names = [alias for alias in node.names if self._is_kept(node, alias)]
        return node if node.names else None

    def _is_kept(self, node: ast.ImportFrom, alias: ast.alias) -> bool:
        target = self._program.imported(node, alias)
        is_module = target is not None and target[1] is None
        return not is_module or (alias.asname or alias.name) in self._read
