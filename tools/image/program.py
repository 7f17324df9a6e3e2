"""A program as its syntax trees: which of its modules a name in one of them comes from.

An image is built from all of it at once, so nothing in it may look a module's names up at run
time. The passes over it (constants.py, bundle.py) are Rewriters.
"""

import ast
from copy import deepcopy
from functools import cached_property
from typing import Any

from wattledger.tools.errors import ToolError
from wattledger.tools.image.scopes import (
    Scope,
    arguments_of,
    find,
    inner_scope,
    inner_scopes,
    module_scope,
)

# These look names up at run time, where an image has others.
FORBIDDEN = ("globals", "locals", "vars", "eval", "exec")


class ImageError(ToolError):
    """A source file that an image cannot be built from as it is written."""


class Module:
    """One file: its dotted name, its path in the tree and its syntax tree."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        self.name = name
        self.path = path
        self.tree = tree
        self.scope = module_scope(tree)

    def error(self, node: ast.AST, what: str) -> ImageError:
        """An error at a node, for people."""
        return ImageError(f"{self.path}:{getattr(node, 'lineno', 1)}: {what}")


class Program:
    """`modules` by dotted name."""

    def __init__(self, sources: dict[str, bytes]) -> None:
        """`sources` maps a path below the import root to its content. ImageError at bad syntax."""
        self.modules: dict[str, Module] = {}
        for path in sorted(sources):
            name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            try:
                tree = ast.parse(sources[path])
            except SyntaxError as error:
                raise ImageError(f"{path}:{error.lineno or 1}: {error.msg}") from None
            self.modules[name] = Module(name, path, tree)
        for module in self.modules.values():
            self._check_imports(module)

    def _check_imports(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
                raise module.error(node, "an image needs whole and absolute imports")
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name in self.modules and alias.asname is None:
                        raise module.error(node, f"write: from ... import ..., for {alias.name}")

    def scan(self) -> None:
        """Look at the modules' own names again, after a pass."""
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(getattr(node, "body", None), list) and not isinstance(
                    node, ast.Module
                ):
                    node.body = node.body or [ast.Pass()]  # type: ignore[attr-defined]
            module.scope = module_scope(module.tree)

    def sources(self) -> dict[str, bytes]:
        """The program written out again."""
        return {
            module.path: (ast.unparse(_Bare().visit(deepcopy(module.tree))) + "\n").encode()
            for module in self.modules.values()
        }

    def imported(self, node: ast.stmt, alias: ast.alias) -> "tuple[str, str | None] | None":
        """(module, symbol) that an alias of an import names, (module, None) for a module itself;
        None when it is not of this program."""
        if isinstance(node, ast.Import):
            return (alias.name, None) if alias.name in self.modules else None
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            return None
        below = f"{node.module}.{alias.name}"
        if below in self.modules:
            return below, None
        return (node.module, alias.name) if node.module in self.modules else None

    def origin(self, name: str, symbol: str) -> tuple[str, str]:
        """Where a symbol of module `name` is defined, whoever imports it from whom."""
        scope = self.modules[name].scope
        alias = scope.alias(symbol)
        found = alias and self.imported(scope.imports[alias], alias)
        if not alias or not found:
            return name, symbol
        if found[1] is None:
            raise self.modules[name].error(alias, f"module {symbol} is imported from here again")
        return self.origin(found[0], found[1])

    @cached_property
    def objects(self) -> set[str]:
        """Modules that are values: imported under a name that is bound in another way too. Which
        of them is read there nobody can see from the source, so their own names stay."""
        found = set()
        for module in self.modules.values():
            for scope in (module.scope, *inner_scopes(module.tree, module.scope)):
                for alias, statement in scope.imports.items():
                    target = self.imported(statement, alias)
                    alone = scope.alias(alias.asname or alias.name)
                    if target and target[1] is None and alone is None:
                        found.add(target[0])
        return found

    def eager(self, name: str) -> list[str]:
        """Modules of this program that the top level of module `name` imports, in order."""
        found = []
        for node in self.modules[name].tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                targets = (self.imported(node, alias) for alias in node.names)
                found += [target[0] for target in targets if target]
        return found


class _Bare(ast.NodeTransformer):
    """Takes the parentheses from the right side of `a, b = b, a`: without them MicroPython makes
    no tuple."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if not isinstance(node.value, ast.Tuple) or not isinstance(node.targets[-1], ast.Tuple):
            return node
        if len(node.value.elts) > 1:
            text = ", ".join(ast.unparse(each) for each in node.value.elts)
            node.value = ast.copy_location(ast.Name(text, ast.Load()), node.value)
        return node


class Rewriter(ast.NodeTransformer):
    """Walks one module and hands each reference to a symbol of the program to symbol()."""

    def __init__(self, program: Program, module: Module) -> None:
        self.program = program
        self.module = module
        self.scope = module.scope

    def symbol(self, node: ast.expr, owner: str, name: str, binder: Scope) -> ast.expr:
        """What stands for symbol `name` of module `owner`; `binder` is the scope that `node`
        found it through."""
        return node

    def entered(self, node: ast.AST, scope: Scope) -> None:
        """Called when the walk comes into the function, lambda or class `node`."""

    def reference(self, name: str) -> "tuple[str, str | None, Scope] | None":
        """(module, symbol or None, scope) that a name read here stands for; None when it is not
        the program's."""
        scope = find(name, self.scope)
        if name not in scope.bound:
            return None
        alias = scope.alias(name)
        if alias is not None:
            target = self.program.imported(scope.imports[alias], alias)
            return target and (target[0], target[1], scope)
        return (self.module.name, name, scope) if scope is self.module.scope else None

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load):
            return node
        self._check_name(node)
        found = self.reference(node.id)
        if found is None:
            return node
        owner, name, binder = found
        if name is None:
            raise self.module.error(
                node, f"module {node.id} is used as a value; write its names out"
            )
        return self.symbol(node, *self.program.origin(owner, name), binder)

    def _check_name(self, node: ast.Name) -> None:
        scope = self.scope
        if node.id in FORBIDDEN and node.id not in find(node.id, scope).bound:
            raise self.module.error(node, f"{node.id}() sees other names in an image")
        # Which of the two is read depends on what has run by then.
        if scope.kind == "class" and node.id in scope.bound and node.id in scope.root().bound:
            raise self.module.error(node, f"{node.id} is a name of the class and of the file")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        found = self.reference(node.value.id) if isinstance(node.value, ast.Name) else None
        if found is None or found[1] is not None:
            return self.generic_visit(node)
        owner, _, binder = found
        if not isinstance(node.ctx, ast.Load):
            raise self.module.error(node, "a module's name is set from another file")
        if node.attr not in self.program.modules[owner].scope.bound:
            raise self.module.error(node, f"{owner} has no {node.attr}")
        return self.symbol(node, *self.program.origin(owner, node.attr), binder)

    def _each(self, nodes: list[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def _within(self, node: ast.AST, fields: tuple[str, ...]) -> None:
        """Rewrite `fields` of `node` in the scope that it opens."""
        outer, self.scope = self.scope, inner_scope(node, self.scope)
        self.entered(node, self.scope)
        try:
            for field in fields:
                value = getattr(node, field)
                if isinstance(value, list):
                    setattr(node, field, self.block(value))
                else:
                    setattr(node, field, self.visit(value))
        finally:
            self.scope = outer

    def block(self, statements: list[Any]) -> list[Any]:
        """A block rewritten; never empty."""
        found = []
        for statement in statements:
            new = self.visit(statement)
            if new is not None:
                found += new if isinstance(new, list) else [new]
        return found or [ast.Pass()]

    def _arguments(self, arguments: ast.arguments) -> None:
        """Defaults belong to the scope around a function; annotations go."""
        arguments.defaults = self._each(arguments.defaults)
        arguments.kw_defaults = [node and self.visit(node) for node in arguments.kw_defaults]
        for argument in arguments_of(arguments):
            argument.annotation = None

    def _function(self, node: Any) -> ast.AST:
        node.decorator_list = self._each(node.decorator_list)
        node.returns = None
        self._arguments(node.args)
        self._within(node, ("body",))
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._arguments(node.args)
        self._within(node, ("body",))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.decorator_list = self._each(node.decorator_list)
        node.bases = self._each(node.bases)
        node.keywords = self._each(node.keywords)
        self._within(node, ("body",))
        return node

    def _comprehension(self, node: Any) -> ast.AST:
        first = node.generators[0]
        first.iter = self.visit(first.iter)  # the first is worked out in the scope around it
        outer, self.scope = self.scope, inner_scope(node, self.scope)
        try:
            for generator in node.generators:
                if generator is not first:
                    generator.iter = self.visit(generator.iter)
                generator.ifs = self._each(generator.ifs)
            for field in ("elt", "key", "value"):
                if hasattr(node, field):
                    setattr(node, field, self.visit(getattr(node, field)))
        finally:
            self.scope = outer
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._comprehension(node)
