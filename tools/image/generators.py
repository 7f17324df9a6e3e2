"""Generators stay generators, whatever becomes of their yields.

What stands under a constant that is false is left out of an image, here or by MicroPython's own
compiler; with its last yield a generator would become a function that does its work when called.
"""

import ast
from collections.abc import Iterator
from typing import Any

from wattledger.tools.image.program import Program

INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
ENDS = (ast.Return, ast.Raise)
UNKNOWN = (ast.Name, ast.Attribute, ast.Call, ast.Yield, ast.Await)


def generators_of(program: Program) -> list[ast.FunctionDef]:
    """The functions of a program that have a yield of their own."""
    return [
        node
        for module in program.modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and list(_yields(node.body))
    ]


def keep(generators: list[ast.FunctionDef]) -> None:
    """Give one of its own, which is never reached, to each that may be left without."""
    for node in generators:
        if True not in _yields(node.body):
            if not isinstance(node.body[-1], ENDS):
                node.body.append(ast.Return())
            node.body.append(ast.Expr(ast.Yield()))
            ast.fix_missing_locations(node)


def _may_be_false(test: ast.expr) -> bool:
    """True for what a compiler may work out to be false."""
    if isinstance(test, ast.Constant) and test.value:
        return False
    return not any(isinstance(part, UNKNOWN) for part in ast.walk(test))


def _yields(part: Any, is_certain: bool = True) -> Iterator[bool]:
    """For each yield of a function's own: True when it stands under nothing that is known."""
    if isinstance(part, list):
        for each in part:
            yield from _yields(each, is_certain)
    elif isinstance(part, ast.AST) and not isinstance(part, INNER):
        if isinstance(part, (ast.Yield, ast.YieldFrom)):
            yield is_certain
        if isinstance(part, (ast.If, ast.While, ast.IfExp)):
            is_certain = is_certain and not _may_be_false(part.test)
        for _, value in ast.iter_fields(part):
            yield from _yields(value, is_certain)
