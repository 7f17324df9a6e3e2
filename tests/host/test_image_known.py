"""What the ESP32's rooms and the simulator call by a name of the port has that name there."""

import ast
import json
import subprocess

import pytest

from wattledger.tests.host import flash_bench
from wattledger.tools.image import known
from wattledger.tools.image.known_esp32 import NAMES
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program, Rewriter
from wattledger.tools.image.scopes import find

ROOMS = ("hal", "board", "firmware")
MODULES = ("esp32", "framebuf", "machine", "micropython", "vfs")
PLAYED = {"machine.py": "machine", "esp32.py": "esp32", "wlan.py": "network"}


def of(module):
    return set(NAMES[module].split())


def sources(room):
    for path in sorted((known.ROOT / room).rglob("*.py")):
        if not path.name.endswith("_linux.py"):
            yield ast.parse(path.read_bytes())


def test_what_our_rooms_take_of_the_ports_modules_is_there():
    found = set()
    for room in ROOMS:
        for tree in sources(room):
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute):
                    owner = getattr(node.value, "id", getattr(node.value, "attr", "")).lstrip("_")
                    if owner in MODULES:
                        found.add((owner, node.attr))
    assert {("machine", "Pin"), ("machine", "WDT"), ("esp32", "NVS")} <= found
    assert [(owner, name) for owner, name in sorted(found) if name not in of(owner)] == []


@pytest.mark.parametrize("name", PLAYED)
def test_the_simulators_modules_have_no_method_that_the_ports_lack(name):
    tree = ast.parse((known.ROOT / "host_sim" / name).read_bytes())
    there = of(PLAYED[name])
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in there]
    methods = {
        f"{node.name}.{each.name}"
        for node in classes
        for each in node.body
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")
    }
    assert methods
    assert [each for each in sorted(methods) if each.split(".")[1] not in there] == []


def test_an_attribute_of_ours_that_the_port_has_too_keeps_its_name():
    # FrameBuffer.line and machine.idle are not played, and no module of CPython's has them.
    source = "class A:\n    def line(self):\n        self.idle = 1\n        self.ours = 2\n"
    program = Program({"a.py": source.encode()})
    conceal(program)
    assert ast.unparse(program.modules["a"].tree) == ast.unparse(
        ast.parse(source.replace("ours", "g0"))
    )


TOLD = """
import builtins, json
names = []
for name in %r:
    try:
        module = __import__(name)
    except ImportError:
        continue  # the ESP32's own
    for each in dir(module):
        names += [each] + dir(getattr(module, each))
print(json.dumps([names, dir(builtins)]))
"""
# The Unix port alone has these, or the prompt.
NOT_OF_AN_ESP32 = {
    *("PinBase", "VfsLfs1", "VfsPosix", "VfsRom", "clock", "mem_current", "mem_peak", "mem_total"),
    *("ps1", "ps2", "sockaddr"),
}


class Reader(Rewriter):
    """What a file asks of the interpreter: names that it binds nowhere, and modules."""

    def __init__(self, program, module):
        super().__init__(program, module)
        self.names = set()
        self.modules = set()

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load) and node.id not in find(node.id, self.scope).bound:
            self.names.add(node.id)
        return node

    def visit_Attribute(self, node):
        return self.generic_visit(node)

    def visit_Import(self, node):
        self.modules.update(alias.name for alias in node.names)
        return node

    def visit_ImportFrom(self, node):
        self.modules.add(node.module)
        return node


@pytest.fixture(scope="module")
def asked():
    """(names, modules) that an image asks the interpreter for; (names of those modules and of
    what is in them, builtins) that MicroPython has."""
    core, app = flash_bench.composed()
    program = Program({**core, **app})
    readers = [Reader(program, module) for module in program.modules.values()]
    for reader in readers:
        reader.visit(reader.module.tree)
    names = set().union(*(reader.names for reader in readers))
    modules = set().union(*(reader.modules for reader in readers)) - set(program.modules)
    text = TOLD % sorted(name for name in modules if not name.startswith("wattledger."))
    done = subprocess.run(
        [flash_bench.interpreter(), "-c", text], capture_output=True, text=True, check=True
    )
    return (names, modules), [set(each) for each in json.loads(done.stdout)]


def test_what_an_image_takes_for_builtin_is_builtin_in_micropython(asked):
    (names, modules), (_, builtin) = asked
    assert {"len", "OSError"} <= names and {"asyncio", "machine", "struct"} <= modules
    assert sorted(names - builtin - {"__file__"}) == []


def test_what_micropythons_own_modules_hold_keeps_its_name(asked):
    _, (held, _) = asked
    assert {"awrite", "readinto"} <= held
    public = {name for name in held if not name.startswith("_")}
    assert sorted(public - known.outside() - NOT_OF_AN_ESP32) == []
