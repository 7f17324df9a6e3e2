"""The attributes of one module: how often each is named, and by whom it is set."""

import ast
from collections.abc import Iterable
from typing import Any

from wattledger.tools.image.arguments import SHORT
from wattledger.tools.image.program import Module
from wattledger.tools.image.scopes import arguments_of, inner_scope

Half = tuple[str, str]  # how a name that is put together begins, and how it ends
LOOKUPS = ("delattr", "getattr", "hasattr", "setattr")


def is_private(name: str) -> bool:
    """True for `_name`; not for `__name__`, nor for what an image calls an argument."""
    return name.startswith("_") and not name.startswith("__") and SHORT.match(name) is None


def fits(name: str, asked: Iterable[Half]) -> bool:
    """True for a name that one of these may come to."""
    return any(name.startswith(begins) and name.endswith(ends) for begins, ends in asked)


class Attributes(ast.NodeVisitor):
    """`uses` counts each name; `has` are public ones of the module's classes, `refused` public
    names that stand for more than an attribute of one class. `asked` are names put together from
    two texts, `asked_of_self` those that only an object's own class may have."""

    def __init__(self, module: Module) -> None:
        """ImageError for a name that cannot be known before the program runs."""
        self.module = module
        self.uses: dict[str, int] = {}
        self.has: set[str] = set()
        self.refused = set(module.scope.bound)
        self.asked: set[Half] = set()
        self.asked_of_self: set[Half] = set()
        self._set: set[str] = set()
        self._elsewhere: set[str] = set()  # reached through something other than self, or as text
        self._in_class = False  # and in no function of it
        self._is_method = False  # where `self` is an object of the module's class
        self._worked_out: set[str] = set()  # local names of texts that were put together
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

    def _leave(self, name: str) -> None:
        """A name that stays as it is wherever it stands."""
        (self._elsewhere if is_private(name) else self.refused).add(name)

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        plain: list[ast.AST] = []  # what stands for an attribute of the class, and is renamed
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._has(inner.name)
                plain.append(inner)
                read: list[ast.AST] = [*inner.decorator_list, inner.args]
            else:
                read = [inner]
            targets = inner.targets if isinstance(inner, ast.Assign) else []
            names = [target for target in targets if isinstance(target, ast.Name)]
            plain += names
            for target in names:
                self._has(target.id)
            # Named within the class without `self`.
            for name in [name for part in read for name in ast.walk(part)]:
                if isinstance(name, ast.Name) and name not in names:
                    self._leave(name.id)
        for bound, binders in inner_scope(node, self.module.scope).bound.items():
            if any(binder not in plain for binder in binders):
                self._leave(bound)
        before = self._in_class, self._is_method
        self._in_class, self._is_method = True, False
        self.generic_visit(node)
        self._in_class, self._is_method = before

    def _function(self, node: Any) -> None:
        before = self._in_class, self._is_method, self._worked_out
        if any(argument.arg == "self" for argument in arguments_of(node.args)):
            self._is_method = self._in_class
        self._in_class = False
        self._worked_out = before[2] | {
            target.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Assign) and _is_worked_out(inner.value)
            for target in inner.targets
            if isinstance(target, ast.Name)
        }
        self.generic_visit(node)
        self._in_class, self._is_method, self._worked_out = before

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id == "self" and isinstance(node.ctx, ast.Store):
            raise self.module.error(node, "self becomes another object")

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        name = node.attr
        own = self._is_self(node.value)
        stored = isinstance(node.ctx, ast.Store)
        if name == "__dict__":
            raise self.module.error(node, "__dict__ has other names in an image")
        if own and stored:
            self._has(name)
        else:
            self.uses[name] = self.uses.get(name, 0) + 1
        if not own and is_private(name):
            self._elsewhere.add(name)
        elif not own and stored:
            self.refused.add(name)  # an object may get one that its class has not
        self.generic_visit(node)

    def _is_self(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == "self" and self._is_method

    def visit_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, str):
            self._leave(node.value)
            if is_private(node.value):
                self.refused.add(node.value)

    def visit_Call(self, node: ast.Call) -> Any:
        name = getattr(node.func, "id", getattr(node.func, "attr", None))
        if name in LOOKUPS and isinstance(node.func, ast.Name) and len(node.args) > 1:
            self._look_up(node.args[0], node.args[1])
        elif name in ("format", "format_map") and isinstance(node.func, ast.Attribute):
            self._check_format(node.func.value)
        elif name == "namedtuple":
            for text in node.args[1:]:
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    self.refused.update(text.value.replace(",", " ").split())
        self.generic_visit(node)

    def _look_up(self, owner: ast.expr, name: ast.expr) -> None:
        """An attribute that is asked for by a text."""
        if isinstance(name, ast.IfExp):
            self._look_up(owner, name.body)
            self._look_up(owner, name.orelse)
            return
        local = isinstance(name, ast.Name) and name.id in self._worked_out
        if not local and not _is_worked_out(name):
            return  # a text of the program
        half = _end(name, 0), _end(name, -1)
        if half == ("", ""):
            raise self.module.error(
                name, "an attribute is asked for by a text that is put together: write it whole"
            )
        (self.asked_of_self if self._is_self(owner) else self.asked).add(half)

    def _check_format(self, text: ast.expr) -> None:
        """`"{0.name}".format(x)` asks for an attribute too."""
        if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
            raise self.module.error(text, "format() of a text that is not written here: use %")
        for field in text.value.split("{")[1:]:
            if "." in field.split("}")[0].split(":")[0]:
                raise self.module.error(text, "format() asks for an attribute: write it out")


def _is_worked_out(node: ast.expr) -> bool:
    """True for a text that is put together where it is used."""
    return isinstance(node, (ast.BinOp, ast.JoinedStr, ast.Call))


def _end(node: ast.expr, place: int) -> str:
    """The first (0) or the last (-1) part of a text that is put together, where it is known."""
    while isinstance(node, (ast.BinOp, ast.JoinedStr)):
        if isinstance(node, ast.JoinedStr):
            node = node.values[place]
        elif isinstance(node.op, ast.Add):
            node = node.right if place else node.left
        else:
            return ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
