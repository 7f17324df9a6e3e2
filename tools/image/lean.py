"""What a class or an error costs a device beside what it does.

MicroPython gives each class two entries for its module's and its own name, which nobody asks for;
and keeps an object for each text over ten letters, though most are said once a year.
"""

import ast
from typing import Any

from wattledger.tools.image.check import TEXT
from wattledger.tools.image.constants import INTERNED
from wattledger.tools.image.program import Program

OWN = ("__module__", "__qualname__")


def slim(program: Program) -> None:
    """Take the two names out of every class; put the texts of errors, and those that a function
    fills in, into one value a module, which lies in flash, and cut them out of it when said."""
    for module in program.modules.values():
        _Classes().visit(module.tree)
        texts = _Texts()
        texts.visit(module.tree)
        if texts.all:
            value = ast.Constant(texts.all)
            line = ast.Assign([ast.Name(TEXT, ast.Store())], value)
            module.tree.body.insert(0, ast.fix_missing_locations(line))
    program.scan()


class _Classes(ast.NodeTransformer):
    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.generic_visit(node)
        names: list[ast.expr] = [ast.Name(name, ast.Del()) for name in OWN]
        # First, so that what the class has takes their places.
        node.body.insert(0, ast.Delete(names))
        return ast.fix_missing_locations(node)


class _Texts(ast.NodeTransformer):
    """`all` are those texts, one after the other, in UTF-8."""

    def __init__(self) -> None:
        self.all = b""
        self._places: dict[str, tuple[int, int]] = {}
        self._raises = False
        self._works = False  # within a function

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        before, self._works = self._works, True
        node.body = [self.visit(each) for each in node.body]  # defaults are worked out outside
        self._works = before
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        return self.visit_FunctionDef(node)  # type: ignore[arg-type]

    def visit_Raise(self, node: ast.Raise) -> Any:
        self._raises = True
        self.generic_visit(node)
        self._raises = False
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if self._works and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
            node.left = self._cut_out(node.left)
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> Any:
        return node  # MicroPython keeps its parts by another way

    def visit_Constant(self, node: ast.Constant) -> Any:
        return self._cut_out(node) if self._raises else node

    def _cut_out(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str) or len(node.value) <= INTERNED:
            return node
        if node.value not in self._places:
            data = node.value.encode()
            self._places[node.value] = len(self.all), len(self.all) + len(data)
            self.all += data
        start, end = self._places[node.value]
        said = f"{TEXT}[{start}:{end}].decode()"
        return ast.copy_location(ast.parse(said, mode="eval").body, node)
