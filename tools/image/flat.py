"""Short names for modules that are loaded only when they are wanted: wattledger.c.g0, .g1, ...

For each module it loads MicroPython keeps its dotted name, the last part of it and its path, and
as much for each package around it; in an image most packages are there for the name alone.
"""

import ast
from collections.abc import Iterable

from wattledger.tools.image.program import Program

FLAT = "wattledger.c"


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
        module.name = f"{FLAT}.{short}"
        module.path = module.name.replace(".", "/") + ".py"
        program.modules[module.name] = module


class _Importer(ast.NodeTransformer):
    """Imports by the new names."""

    def __init__(self, program: Program, table: dict[str, str]) -> None:
        self._program = program
        self._table = table

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.ImportFrom]:
        if node.module in self._table:
            node.module = f"{FLAT}.{self._table[node.module]}"
            return [node]
        found = []
        staying = []
        for alias in node.names:
            target = self._program.imported(node, alias)
            if target is None or target[1] is not None or target[0] not in self._table:
                staying.append(alias)
                continue
            moved = ast.alias(self._table[target[0]], alias.asname or alias.name)
            found.append(ast.ImportFrom(FLAT, [moved], 0))
        if staying:
            found.append(ast.ImportFrom(node.module, staying, 0))
        return [ast.copy_location(each, node) for each in found]
