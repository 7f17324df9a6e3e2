"""Finds integers an ESP32 cannot hold without allocating: a value of 2^30 or more, anywhere.

The tick must not allocate, and on a device with 31-bit small integers a large one does. Neither
CPython nor the 64-bit MicroPython can show that, so the modules are rewritten: each value that an
operator, a call or a subscript yields passes through a check.
"""

import ast
import importlib
import importlib.abc
import importlib.util
import sys
from contextlib import contextmanager

CHECK = "__guard_check__"


class Guard:
    """Watches while `armed`. `findings` maps (module, line) to the value furthest from zero."""

    def __init__(self, limit):
        self.limit = limit
        self.armed = False
        self.findings = {}
        self.checked = 0
        self._modules = {}

    def __getitem__(self, name):
        """The guarded module of that dotted name."""
        return self._modules[name]

    def report(self):
        """Lines "module:line: value", empty when nothing was found."""
        found = sorted(self.findings.items())
        return "\n".join("%s:%d: %d" % (*place, value) for place, value in found)

    def checker(self, module):
        """The function that a rewritten module calls for each value; hands the value on."""

        def check(value, line):
            if self.armed and isinstance(value, int):
                self.checked += 1
                if abs(value) >= self.limit:
                    place = (module, line)
                    if abs(value) > abs(self.findings.get(place, 0)):
                        self.findings[place] = value
            return value

        return check


class _Rewriter(ast.NodeTransformer):
    """Wraps every expression that makes a value; leaves declarations alone."""

    def _wrapped(self, node):
        self.generic_visit(node)
        return _call(node)

    visit_BinOp = visit_UnaryOp = visit_Call = _wrapped

    def visit_Subscript(self, node):
        self.generic_visit(node)
        return _call(node) if isinstance(node.ctx, ast.Load) else node

    def visit_AugAssign(self, node):
        # The result is read back: rewriting `x += y` into `x = x + y` would change what it means
        # for a bytearray.
        self.generic_visit(node)
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        for part in ast.walk(target):
            ast.copy_location(part, node)
        return [node, ast.copy_location(ast.Expr(_call(target)), node)]

    def visit_For(self, node):
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            node.body.insert(0, ast.copy_location(ast.Expr(_call(read)), node))
        return node

    def visit_FunctionDef(self, node):
        node.body = [part for item in node.body for part in _as_list(self.visit(item))]
        return node

    def visit_ClassDef(self, node):
        return self.visit_FunctionDef(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node


def _as_list(visited):
    return visited if isinstance(visited, list) else [visited]


def _call(node):
    check = ast.Name(CHECK, ast.Load())
    line = ast.Constant(node.lineno)
    call = ast.Call(check, [node, line], [])
    for part in (check, line, call):
        ast.copy_location(part, node)
    return call


def rewrite(source, filename):
    """Code object of `source` with every value checked."""
    return compile(_Rewriter().visit(ast.parse(source)), filename, "exec")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads the named modules rewritten; all others come as ever."""

    def __init__(self, guard, origins):
        self.guard = guard
        self.origins = origins

    def find_spec(self, name, path=None, target=None):
        origin = self.origins.get(name)
        if origin is None:
            return None
        package = [] if origin.endswith("__init__.py") else None
        return importlib.util.spec_from_file_location(
            name, origin, loader=self, submodule_search_locations=package
        )

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__spec__.name
        with open(module.__spec__.origin, encoding="utf-8") as file:
            code = rewrite(file.read(), module.__spec__.origin)
        module.__dict__[CHECK] = self.guard.checker(name)
        exec(code, module.__dict__)  # noqa: S102 - this is what an import does


@contextmanager
def guarded_import(module_names, limit=2**30):
    """Import fresh, rewritten copies of the named modules; yields a Guard to arm and to read.

    Guarded modules see each other's copies, and the ordinary modules otherwise. On exit
    sys.modules and the packages' attributes are as they were.
    """
    names = list(module_names)
    parents = {name: name.rpartition(".")[0] for name in names}
    for parent in filter(None, parents.values()):
        importlib.import_module(parent)
    missing = object()
    saved = {name: sys.modules.get(name, missing) for name in names}
    attributes = {
        name: vars(sys.modules[parent]).get(name.rpartition(".")[2], missing)
        for name, parent in parents.items()
        if parent
    }
    guard = Guard(limit)
    finder = _Finder(guard, {name: importlib.util.find_spec(name).origin for name in names})
    for name in names:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, finder)
    try:
        for name in names:
            guard._modules[name] = importlib.import_module(name)
        yield guard
    finally:
        guard.armed = False
        sys.meta_path.remove(finder)
        for name, module in saved.items():
            sys.modules.pop(name, None)
            if module is not missing:
                sys.modules[name] = module
        for name, value in attributes.items():
            parent, _, leaf = name.rpartition(".")
            if value is not missing:
                setattr(sys.modules[parent], leaf, value)
            elif hasattr(sys.modules[parent], leaf):
                delattr(sys.modules[parent], leaf)
