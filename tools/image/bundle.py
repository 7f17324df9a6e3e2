"""Many modules in one file: each module of its own costs a device its table of names, and each
import of a name an entry in one more table.

The modules' code follows in the order their imports end, so that what runs at import runs in the
same order. A name that two modules define, or that a function uses for something of its own, gets
its module's name in front.
"""

import ast
import builtins

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import Scope, find, inner_scopes

# A module that asks for these must stay a file of its own.
OWN_FILE = ("__file__", "__name__", "__path__")
Key = tuple[str, str]  # module, symbol


def bundle(program: Program, roots: list[str], target: str, apart: tuple[str, ...] = ()) -> None:
    """Merge `roots` and all they import at their top level into a new module `target`.

    Modules named in `apart`, and those below them, stay as they are. ImageError.
    """
    inside = closure(program, roots, apart)
    for name in program.objects.intersection(inside):
        module = program.modules[name]
        raise module.error(module.tree, "it is a value elsewhere, and must stay a file")
    names = Names(program, inside)
    for module in program.modules.values():
        if module.name in names.inside:
            _Insider(program, module, names).visit(module.tree)
        elif _takes_from(module, names):
            _Outsider(program, module, names, target).visit(module.tree)
            _Empty().visit(module.tree)
    body: list[ast.stmt] = []
    imports: set[str] = set()
    for name in inside:
        for node in program.modules.pop(name).tree.body:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            text = ast.dump(node) if isinstance(node, (ast.Import, ast.ImportFrom)) else ""
            if text not in imports:
                body.append(node)
            if text:
                imports.add(text)
    path = target.replace(".", "/") + ".py"
    tree = ast.Module(body, [])
    program.modules[target] = Module(target, path, ast.fix_missing_locations(tree))
    program.scan()


def closure(program: Program, roots: list[str], apart: tuple[str, ...]) -> list[str]:
    """Modules to merge, each after those it imports."""
    found: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for imported in program.eager(name):  # of those that stay apart, too: they come first
            visit(imported)
        if not _is_apart(name, apart):
            found.append(name)

    for root in roots:
        visit(root)
    return found


def _is_apart(name: str, apart: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in apart)


class Names:
    """What each symbol of the merged modules is called in their common file."""

    def __init__(self, program: Program, inside: list[str]) -> None:
        """ImageError for modules that cannot share a file."""
        self.inside = frozenset(inside)
        self._program = program
        self._names: dict[Key, str] = {}
        self._foreign: dict[str, str] = {}  # bound by an import of what is not inside -> of what
        own: dict[str, list[Key]] = {}
        local: set[str] = set()
        for name in inside:
            module = program.modules[name]
            local |= _inner_names(module)
            for symbol in module.scope.bound:
                if self._is_own(module, symbol):
                    own.setdefault(symbol, []).append((name, symbol))
        stems = [name.rsplit(".", 1)[-1] for name in inside]
        reserved = local | set(dir(builtins)) | set(self._foreign)
        for symbol, keys in own.items():
            shared = len(keys) > 1 or symbol in reserved
            for key in keys:
                alone = stems.count(key[0].rsplit(".", 1)[-1]) == 1
                self._names[key] = _long(key, alone) if shared else symbol
        for key, name in self._names.items():
            if name in reserved or list(self._names.values()).count(name) > 1:
                raise program.modules[key[0]].error(
                    program.modules[key[0]].tree, f"{name} has two meanings in an image"
                )

    def get(self, key: Key) -> "str | None":
        """The name in the common file; None for what is not in it."""
        return self._names.get(key)

    def target(self, node: ast.ImportFrom, alias: ast.alias) -> "tuple[str, str | None] | None":
        """What an import takes from inside: (module, symbol or None). None for anything else."""
        found = self._program.imported(node, alias)
        return found if found and found[0] in self.inside else None

    def _is_own(self, module: Module, symbol: str) -> bool:
        """True for a symbol that the module itself defines."""
        binders = module.scope.bound[symbol]
        imports = [binder for binder in binders if isinstance(binder, ast.alias)]
        if any(isinstance(binder, ast.Global) for binder in binders):
            raise module.error(binders[0], f"{symbol} is global state: an image has none")
        if imports and len(binders) > 1:
            raise module.error(binders[0], f"{symbol} is imported and bound again")
        if not imports:
            return True
        node = module.scope.imports[imports[0]]
        if isinstance(node, ast.ImportFrom) and self.target(node, imports[0]):
            return False
        source = f"{getattr(node, 'module', '')}.{imports[0].name}"
        if self._foreign.setdefault(symbol, source) != source:
            raise module.error(
                node, f"{symbol} is {self._foreign[symbol]} in another file of the image"
            )
        return False


def _long(key: Key, alone: bool) -> str:
    """A symbol with its module's name before it, and its package's where another module has the
    same name."""
    module, symbol = key
    stem = "_".join(module.split(".")[-1 if alone else -2 :])
    return f"_{stem}{symbol}" if symbol.startswith("_") else f"{stem}_{symbol}"


def _inner_names(module: Module) -> set[str]:
    """Every name that a function or a class of the module binds for itself."""
    return {name for scope in inner_scopes(module.tree, module.scope) for name in scope.bound}


class _Insider(Rewriter):
    """A merged module: its symbols take their names in the common file."""

    def __init__(self, program: Program, module: Module, names: Names) -> None:
        super().__init__(program, module)
        self._names = names

    def symbol(self, node: ast.expr, owner: str, name: str, binder: Scope) -> ast.expr:
        new = self._names.get((owner, name))
        if new is None:
            self._check_kept(node, owner, name, binder)
            return node
        return ast.copy_location(ast.Name(new, ast.Load()), node)

    def _check_kept(self, node: ast.expr, owner: str, name: str, binder: Scope) -> None:
        """A reference that stays as it is must have an import that stays."""
        first = node.value if isinstance(node, ast.Attribute) else node
        assert isinstance(first, ast.Name)
        alias = binder.alias(first.id)
        statement = binder.imports[alias] if alias else None
        if alias is None or not isinstance(statement, ast.ImportFrom):
            return
        if self._names.target(statement, alias):
            raise self.module.error(node, f"import {name} from {owner}, where it comes from")

    def _renamed(self, name: str) -> str:
        here = find(name, self.scope) is self.module.scope
        return (here and self._names.get((self.module.name, name))) or name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in OWN_FILE:
            raise self.module.error(node, f"{node.id} differs in an image")
        if isinstance(node.ctx, ast.Load):
            return super().visit_Name(node)
        node.id = self._renamed(node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.name:
            node.name = self._renamed(node.name)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        for alias in node.names:
            bound = alias.asname or alias.name
            if not self._names.target(node, alias):
                continue
            if self.scope.alias(bound) is None:
                raise self.module.error(node, f"{bound} is imported and bound again")
            if self.scope is self.module.scope and node not in self.module.tree.body:
                raise self.module.error(node, "an import under a condition at the top of a file")
        node.names = [alias for alias in node.names if not self._names.target(node, alias)]
        return node if node.names else None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._renamed(node.name)
        return super().visit_FunctionDef(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.name = self._renamed(node.name)
        return super().visit_AsyncFunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._renamed(node.name)
        return super().visit_ClassDef(node)


class _Outsider(Rewriter):
    """A module that stays: what it takes from the merged ones comes from their common file."""

    def __init__(self, program: Program, module: Module, names: Names, target: str) -> None:
        super().__init__(program, module)
        self._names = names
        self._target = target
        self._used = _all_names(module)
        self._fetched: dict[ast.alias | None, list[ast.ImportFrom]] = {}  # by Scope.alias()
        self._bound: dict[str, Key] = {}  # what each name stands for that the module had not

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "list[ast.ImportFrom]":
        moved = [alias for alias in node.names if self._names.target(node, alias)]
        if not moved:
            return [node]
        node.names = [alias for alias in node.names if alias not in moved]
        fetched = ast.ImportFrom(self._target, [], 0)
        for alias in moved:
            bound = alias.asname or alias.name
            target = self._names.target(node, alias)
            first = self.scope.alias(bound)
            if first is None:
                raise self.module.error(node, f"{bound} is imported and bound again")
            again = self._fetched.setdefault(first, [])
            fetched.names += again[0].names if again else []
            again.append(fetched)
            if target and target[1] is not None:
                self._fetch(node, [fetched], self.program.origin(target[0], target[1]), bound)
        return [node, fetched]  # _Empty takes away what stays without names

    def symbol(self, node: ast.expr, owner: str, name: str, binder: Scope) -> ast.expr:
        if owner not in self._names.inside or not isinstance(node, ast.Attribute):
            return node  # a plain name keeps the name it was imported by
        assert isinstance(node.value, ast.Name)
        alias = binder.alias(node.value.id)
        if alias not in self._fetched:
            return node  # of a file that stays and has it from the common one
        bound = self._unlike(node, (owner, name), (name, f"{node.value.id}_{name}"))
        self._fetch(node, self._fetched[alias], (owner, name), bound)
        return ast.copy_location(ast.Name(bound, ast.Load()), node)

    def _unlike(self, node: ast.AST, key: Key, names: tuple[str, ...]) -> str:
        """The first of `names` that stands for nothing else in the module."""
        for name in names:
            if name not in self._used and self._bound.setdefault(name, key) == key:
                return name
        other = self._bound.get(names[-1])
        raise self.module.error(
            node,
            f"{names[-1]} would be {'.'.join(key)} and "
            f"{'.'.join(other) if other else 'what is called so here'}",
        )

    def _fetch(self, node: ast.AST, fetched: list[ast.ImportFrom], key: Key, bound: str) -> None:
        new = self._names.get(key)
        if new is None:
            raise self.module.error(node, f"import {key[1]} from where it comes from")
        for statement in fetched:
            if bound not in [alias.asname or alias.name for alias in statement.names]:
                statement.names.append(ast.alias(new, None if new == bound else bound))


def _takes_from(module: Module, names: Names) -> bool:
    """True when the module imports anything of what is merged."""
    return any(
        names.target(node, alias)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _all_names(module: Module) -> set[str]:
    """Every name that the module binds or reads anywhere."""
    names = set(module.scope.bound) | _inner_names(module)
    return names | {node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name)}


class _Empty(ast.NodeTransformer):
    """Takes away imports of nothing."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        return node if node.names else None
