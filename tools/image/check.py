"""What a source may not say, for an image would not do the same."""

import ast
from collections.abc import Iterator

from wattledger.tools.image.arguments import SHORT
from wattledger.tools.image.program import Module, Program

TEXT = "_t"  # of lean.py


def check(program: Program) -> None:
    """ImageError with the place."""
    for module in program.modules.values():
        for node in ast.walk(module.tree):
            for name in _names(node):
                if SHORT.match(name) or name == TEXT:
                    raise module.error(node, f"{name} is a name that an image gives")
            if isinstance(node, ast.ClassDef):
                _check_class(program, module, node)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name in program.modules:
                        raise module.error(node, f"write: from ... import ..., for {alias.name}")
            elif isinstance(node, ast.Call):
                _check_call(module, node)


def _names(node: ast.AST) -> Iterator[str]:
    """Every name that a node says itself."""
    for field in ("id", "arg", "attr", "name", "asname"):
        name = getattr(node, field, None)
        if isinstance(name, str):
            yield name


def _check_class(program: Program, module: Module, node: ast.ClassDef) -> None:
    for inner in node.body:
        if isinstance(inner, ast.ImportFrom):
            for alias in inner.names:
                if program.imported(inner, alias):
                    raise module.error(inner, "an import in a class would be an attribute of it")


def _check_call(module: Module, node: ast.Call) -> None:
    for keyword in node.keywords:
        made = keyword.value if keyword.arg is None else None
        if isinstance(made, ast.DictComp) and isinstance(made.key, (ast.BinOp, ast.JoinedStr)):
            raise module.error(node, "arguments by names that are put together: write them out")
