"""Which modules' classes inherit from each other."""

import ast

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import find


def families_of(program: Program) -> list[list[str]]:
    """Modules joined by classes that inherit across them, each family sorted. ImageError where
    the source does not say what a class inherits from."""
    family = {name: {name} for name in program.modules}
    for name, module in program.modules.items():
        reader = _BaseReader(program, module)
        reader.visit(module.tree)
        for owner in reader.owners:
            joined = family[name] | family[owner]
            for member in joined:
                family[member] = joined
    return [list(members) for members in sorted({tuple(sorted(m)) for m in family.values()})]


class _BaseReader(Rewriter):
    """`owners` are the modules of the program that the classes of one inherit from."""

    def __init__(self, program: Program, module: Module) -> None:
        super().__init__(program, module)
        self.owners: set[str] = set()

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for base in node.bases:
            key = self._key(base)
            if key is not None:
                self._join(base, *key)
        return super().visit_ClassDef(node)

    def _key(self, base: ast.expr) -> "tuple[str, str] | None":
        """(module, symbol) of a base; None for one that is not the program's."""
        first = base.value if isinstance(base, ast.Attribute) else base
        if isinstance(first, ast.Name):
            found = self.reference(first.id)
            scope = find(first.id, self.scope)
            if found is None and (first.id not in scope.bound or scope.alias(first.id)):
                return None  # a builtin, or a library's
            if found is None and first is base:
                self._check_class(base, scope.bound[first.id])
                return None  # within a function: the module's own
            if found is not None and isinstance(base, ast.Attribute) and found[1] is None:
                return self.program.origin(found[0], base.attr)
            if found is not None and found[1] is not None and first is base:
                return self.program.origin(found[0], found[1])
        raise self._unclear(base)

    def _join(self, base: ast.expr, owner: str, symbol: str) -> None:
        scope = self.program.modules[owner].scope
        if scope.alias(symbol) is None:  # else a library's that comes by way of `owner`
            self._check_class(base, scope.bound.get(symbol, []))
            self.owners.add(owner)

    def _check_class(self, base: ast.expr, binders: list[ast.AST]) -> None:
        if not binders or not all(isinstance(binder, ast.ClassDef) for binder in binders):
            raise self._unclear(base)

    def _unclear(self, base: ast.expr) -> Exception:
        return self.module.error(
            base, f"{ast.unparse(base)} may be any class: inherit from one by its own name"
        )

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self.generic_visit(node)
