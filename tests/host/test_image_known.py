"""What the ESP32's rooms and the simulator call by a name of the port has that name there."""

import ast

import pytest

from wattledger.tools.image import known
from wattledger.tools.image.known_esp32 import NAMES
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program

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
