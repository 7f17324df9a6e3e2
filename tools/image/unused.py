"""Names of the core that nothing in the image reads: a table for people, the half of a codec that
only the tools need. Methods are left alone, for what an object is cannot be known here.
"""

import ast
from collections.abc import Iterable

from wattledger.tools.image.program import Module, Program, Rewriter
from wattledger.tools.image.scopes import Scope

# What may stand in a definition that is taken away: working it out does nothing else.
PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Dict, ast.Set),
    *(ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context),
)


def drop_unused(program: Program, names: Iterable[str]) -> None:
    """Take away unread functions, classes and plain values of the modules called `names`."""
    modules = [program.modules[name] for name in names]
    while True:
        read = _read(program)
        dropped = False
        for module in modules:
            kept = [node for node in module.tree.body if not _is_unread(module, node, read)]
            dropped |= len(kept) < len(module.tree.body)
            module.tree.body = kept
        if not dropped:
            return
        program.scan()


class _Reader(Rewriter):
    """Collects what the statements of one module read; a definition's own name within it apart."""

    def __init__(self, program: Program, module: Module) -> None:
        super().__init__(program, module)
        self.read: set[tuple[str, str]] = set()

    def symbol(self, node: ast.expr, owner: str, name: str, binder: Scope) -> ast.expr:
        self.read.add((owner, name))
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            found = self.program.imported(node, alias)
            if found and found[1] is not None:
                self.read.add(self.program.origin(found[0], found[1]))
        return node


def _read(program: Program) -> set[tuple[str, str]]:
    read = set()
    for module in program.modules.values():
        reader = _Reader(program, module)
        for node in module.tree.body:
            reader.read = set()
            reader.visit(node)
            own = getattr(node, "name", None)
            read |= reader.read - {(module.name, own)}
    return read


def _is_unread(module: Module, node: ast.stmt, read: set[tuple[str, str]]) -> bool:
    name = None
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list:
        name = node.name
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        plain = all(isinstance(part, PLAIN) for part in ast.walk(node.value))
        name = target.id if isinstance(target, ast.Name) and plain else None
    bound_once = name is not None and len(module.scope.bound[name]) == 1
    return bound_once and (module.name, name) not in read
