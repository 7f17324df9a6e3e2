"""Short names for modules that are loaded only when they are wanted: g0, g1, ..., in no package.

For each module it loads MicroPython keeps its dotted name, the last part of it and its path, and
as much for each package around it; g0 it keeps already, as the name of an attribute.
"""

import ast
from collections.abc import Iterable

from wattledger.tools.image.program import Program


def flatten(program: Program, fixed: Iterable[str]) -> None:
    """Rename all modules but those whose names begin with one of `fixed`."""
    fixed = tuple(fixed)
    table: dict[str, str] = {}
    for name in sorted(program.modules):
        module = program.modules[name]
        is_package = module.path.endswith("/__init__.py")
        if not is_package and not name.startswith(fixed):
            table[name] = f"g{len(table)}"
    for module in program.modules.values():
        _Importer(program, table).visit(module.tree)
    for name, short in table.items():
        module = program.modules.pop(name)
        module.name = short
        module.path = short + ".py"
        program.modules[short] = module


class _Importer(ast.NodeTransformer):
    """Imports by the new names."""

    def __init__(self, program: Program, table: dict[str, str]) -> None:
        self._program = program
        self._table = table

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        if node.module in self._table:
            node.module = self._table[node.module]
            return [node]
        found: list[ast.stmt] = []
        staying = []
        for alias in node.names:
            target = self._program.imported(node, alias)
            if target is None or target[1] is not None or target[0] not in self._table:
                staying.append(alias)
                continue
            moved = ast.alias(self._table[target[0]], alias.asname or alias.name)
            found.append(ast.Import([moved]))
        if staying:
            found.append(ast.ImportFrom(node.module, staying, 0))
        return [ast.copy_location(each, node) for each in found]
