"""Who binds a name where: the scopes of one source file, as Python finds names in them."""

import ast
from collections.abc import Iterable

Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Comprehension = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Scope:
    """`bound`: name -> the nodes that bind it here; an import's is its ast.alias."""

    def __init__(self, kind: str, parent: "Scope | None" = None) -> None:
        self.kind = kind  # module, function or class
        self.parent = parent
        self.bound: dict[str, list[ast.AST]] = {}
        self.imports: dict[ast.alias, ast.Import | ast.ImportFrom] = {}
        self.outside: set[str] = set()  # declared global here

    def bind(self, name: str, node: ast.AST) -> None:
        """Note one more binding of `name`."""
        self.bound.setdefault(name, []).append(node)

    def root(self) -> "Scope":
        """The scope of the file."""
        return self if self.parent is None else self.parent.root()

    def alias(self, name: str) -> "ast.alias | None":
        """The import that alone binds `name` here, the first where others say the same."""
        found = [each for each in self.bound.get(name, ()) if isinstance(each, ast.alias)]
        if len(found) != len(self.bound.get(name, ())):
            return None
        said = {(getattr(self.imports[each], "module", ""), each.name) for each in found}
        return found[0] if len(said) == 1 else None


def module_scope(tree: ast.Module) -> Scope:
    """The scope of a file. A name that any function declares global counts as bound again."""
    scope = Scope("module")
    _bind(scope, tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            for name in node.names:
                scope.bind(name, node)
    return scope


def inner_scope(node: ast.AST, parent: Scope) -> Scope:
    """The scope that a function, lambda, class or comprehension opens."""
    scope = Scope("class" if isinstance(node, ast.ClassDef) else "function", parent)
    if isinstance(node, Function):
        for argument in arguments_of(node.args):
            scope.bind(argument.arg, argument)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        _bind(scope, node.body)
    elif isinstance(node, ast.Lambda):
        _bind(scope, [node.body])
    elif isinstance(node, Comprehension):
        _bind(scope, [generator.target for generator in node.generators])
    return scope


def inner_scopes(tree: ast.Module, root: Scope) -> list[Scope]:
    """Every scope within a file. Their parents are not those they lie in."""
    opens = (*Function, ast.ClassDef, *Comprehension)
    return [inner_scope(node, root) for node in ast.walk(tree) if isinstance(node, opens)]


def arguments_of(arguments: ast.arguments) -> list[ast.arg]:
    """Every argument, those after the stars too."""
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star is not None]
    return arguments.posonlyargs + arguments.args + arguments.kwonlyargs + stars


def find(name: str, scope: Scope) -> Scope:
    """The scope in which `name` is found from `scope`; that of the file when nothing binds it."""
    here = scope
    while here.parent is not None:
        if name in here.outside:
            return here.root()
        # A class hides its names from the functions in it.
        if name in here.bound and (here.kind != "class" or here is scope):
            return here
        here = here.parent
    return here


def _bind(scope: Scope, nodes: Iterable[ast.AST]) -> None:
    binder = _Binder(scope)
    for node in nodes:
        binder.visit(node)


class _Binder(ast.NodeVisitor):
    """Notes what binds names in one scope; scopes within it are not entered."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._scope.bind(node.id, node)

    def _definition(self, node: "ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef") -> None:
        self._scope.bind(node.name, node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _definition

    def _import(self, node: "ast.Import | ast.ImportFrom") -> None:
        for alias in node.names:
            self._scope.bind(alias.asname or alias.name.split(".")[0], alias)
            self._scope.imports[alias] = node

    visit_Import = visit_ImportFrom = _import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._scope.bind(node.name, node)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self._scope.outside.update(node.names)

    def _closed(self, node: ast.AST) -> None:
        # A walrus inside a comprehension binds outside it.
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self._scope.bind(inner.target.id, inner)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _closed

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Binds nothing here."""
