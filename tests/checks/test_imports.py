"""Dependencies point one way only: the import table of the architecture, by syntax tree."""

import ast

import pytest

from wattledger.tests.micropython.staging import ROOT

# Room -> what it may import of ours (dotted, below `wattledger`); itself always, but for board.
ALLOWED = {
    "board": (),
    "hal": ("hal",),
    "agent": ("agent", "hal.sample"),
    "host_sim": ("host_sim", "hal.errors", "hal.contract"),
    "firmware": ("firmware", "agent", "hal", "board"),
    "tools": ("agent", "board", "firmware", "hal", "host_sim", "tools"),
}
ALLOWED_FILES = {"firmware/main_sim.py": (*ALLOWED["firmware"], "host_sim")}
ROOMS = (*ALLOWED, "tests")
# What `agent/` must not know of; MicroPython's names with a leading u count as well.
WORLD = {
    *("machine", "os", "time", "socket", "ssl", "select", "asyncio", "network", "spidev"),
    *("smbus2", "gpiozero", "paho", "microdot", "tinydb"),
}
PLATFORM = ("platform", "implementation")


def imported(tree, package):
    """(line, dotted name) of each import; `package` (dotted) is where relative ones start."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = (base if node.level else []) + ([node.module] if node.module else [])
            for alias in node.names:
                yield node.lineno, ".".join([*parts, alias.name])
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in ("__import__", "import_module"):
                yield node.lineno, str(node.args[0].value)


def is_below(name, prefixes):
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def import_faults(path, source):
    """Lines "path:line: what" for each import that the table forbids in the file `path`."""
    room = path.split("/")[0]
    package = "wattledger." + ".".join(path.split("/")[:-1])
    allowed = ALLOWED_FILES.get(path, ALLOWED[room])
    for line, name in imported(ast.parse(source), package):
        top, _, rest = name.partition(".")
        if room == "board":
            fault = "board imports nothing"
        elif top in ROOMS:
            fault = "import it as wattledger.%s" % name
        elif top == "wattledger" and not is_below(rest, allowed):
            fault = "%s may not import %s" % (room, name)
        elif room == "agent" and (top in WORLD or top[:1] == "u" and top[1:] in WORLD):
            fault = "agent may not import %s" % top
        else:
            continue
        yield "%s:%d: %s" % (path, line, fault)


def open_faults(path, source):
    """Calls of the builtin `open` in agent/, which receives a storage instead."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("open", "io.open", "builtins.open"):
                yield "%s:%d: agent may not call open" % (path, node.lineno)


def platform_faults(path, source):
    """Uses of sys.platform and sys.implementation."""
    tree = ast.parse(source)
    names = {"sys"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname for a in node.names if a.name in ("sys", "usys") and a.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = node.attr if node.value.id in names else None
        elif isinstance(node, ast.ImportFrom) and node.module in ("sys", "usys"):
            found = next((a.name for a in node.names if a.name in PLATFORM), None)
        else:
            continue
        if found in PLATFORM:
            yield "%s:%d: sys.%s outside firmware/, *_linux.py, *_esp32.py" % (
                path,
                node.lineno,
                found,
            )


def may_test_platform(path):
    return path.startswith("firmware/") or path.endswith(("_linux.py", "_esp32.py"))


def sources(*places):
    for place in places:
        files = sorted((ROOT / place).rglob("*.py")) if place else sorted(ROOT.glob("*.py"))
        for file in files:
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def test_rooms_import_only_what_the_table_allows():
    faults = [f for path, source in sources(*ALLOWED) for f in import_faults(path, source)]
    assert not faults, "\n".join(faults)


def test_agent_never_calls_open():
    faults = [f for path, source in sources("agent") for f in open_faults(path, source)]
    assert not faults, "\n".join(faults)


def test_the_platform_is_tested_only_where_implementations_are_picked():
    faults = [
        fault
        for path, source in sources("", *ROOMS)
        if not may_test_platform(path)
        for fault in platform_faults(path, source)
    ]
    assert not faults, "\n".join(faults)


def test_every_room_is_there_to_be_checked():
    assert all(list((ROOT / room).rglob("*.py")) for room in ALLOWED)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("board/pi.py", "from micropython import const"),
        ("board/pi.py", "import wattledger.board.sim"),
        ("hal/relay/x.py", "from wattledger.agent import units"),
        ("hal/relay/x.py", "from wattledger import agent"),
        ("hal/relay/x.py", "from ...agent.units import WH"),
        ("hal/relay/x.py", "from ... import board"),
        ("hal/relay/x.py", "import wattledger"),
        ("hal/relay/x.py", "def late():\n    import wattledger.firmware.runtime"),
        ("hal/relay/x.py", "import importlib\nimportlib.import_module('wattledger.agent.units')"),
        ("hal/relay/x.py", "__import__('wattledger.tools.cli')"),
        ("hal/relay/x.py", "from hal.sample import OK"),
        ("hal/relay/x.py", "import board"),
        ("agent/agent.py", "from wattledger.hal.errors import BusError"),
        ("agent/agent.py", "from wattledger.hal import samples"),
        ("agent/agent.py", "from ..hal import errors"),
        ("agent/agent.py", "import time"),
        ("agent/agent.py", "import utime"),
        ("agent/agent.py", "from os import remove"),
        ("agent/agent.py", "import os.path"),
        ("agent/agent.py", "import paho.mqtt.client as mqtt"),
        ("host_sim/relay.py", "from wattledger.hal.sample import OK"),
        ("host_sim/relay.py", "from wattledger.hal import sample"),
        ("firmware/main_pi.py", "from wattledger.host_sim.relay import SimRelay"),
        ("firmware/runtime.py", "from wattledger.tools import cli"),
        ("tools/cli.py", "from wattledger.tests.guard import guarded_import"),
    ],
)
def test_a_forbidden_import_is_found(path, source):
    assert len(list(import_faults(path, source))) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("hal/relay/x.py", "from wattledger.hal.errors import BusError\nimport time"),
        ("hal/relay/x.py", "from ..errors import BusError\nfrom . import y"),
        (
            "agent/agent.py",
            "from wattledger.hal.sample import OK\nfrom wattledger.hal import sample",
        ),
        ("agent/agent.py", "from . import units\nimport json, hashlib"),
        ("agent/agent.py", "import timetable, utimer"),
        ("host_sim/relay.py", "from wattledger.hal import errors, contract"),
        ("firmware/main_sim.py", "from wattledger.host_sim.relay import SimRelay"),
        ("firmware/main_pi.py", "from wattledger.board import pi\nimport sys, os"),
        ("tools/cli.py", "from wattledger.agent.billing import rating\nimport typer"),
    ],
)
def test_an_allowed_import_is_left_alone(path, source):
    assert list(import_faults(path, source)) == []


def test_open_is_found_and_the_relay_may_open():
    assert len(list(open_faults("agent/x.py", "with open('a') as f: pass\nio.open('b')"))) == 2
    assert list(open_faults("agent/x.py", "relay.open()\nself._relay.open()")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nif sys.platform == 'esp32': pass",
        "import sys as s\nx = s.implementation.name",
        "from sys import implementation",
    ],
)
def test_a_platform_test_is_found(source):
    assert len(list(platform_faults("hal/x.py", source))) == 1


def test_platform_tests_have_their_places():
    assert may_test_platform("firmware/boot.py") and may_test_platform("hal/bus/spi_linux.py")
    assert may_test_platform("hal/bus/spi_esp32.py")
    assert not may_test_platform("hal/bus/spi.py") and not may_test_platform("tools/flash.py")
    assert list(platform_faults("hal/x.py", "import sys\nsys.path\nself.platform")) == []
