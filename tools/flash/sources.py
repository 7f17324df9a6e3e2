"""What an ESP32's image is made of: the core that its root imports, and the application's rooms.

Both come out of one composition, for names are shortened over all of it: a core runs only with an
application that was built beside it.
"""

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from wattledger.firmware.forget import STAYING
from wattledger.tools import wiring
from wattledger.tools.bench.device import modules_of
from wattledger.tools.errors import FlashError
from wattledger.tools.image.build import APP, LIBRARY, compose
from wattledger.tools.image.program import Program
from wattledger.tools.image.prune import library
from wattledger.tools.image.settled import asked_of
from wattledger.tools.mpy import ROOT, portable_files

PLATFORM = "esp32"
START = "wattledger.firmware.start_esp32"
BOOT = "wattledger.firmware.boot"
ROOTS = (START, "wattledger.firmware.main_esp32", BOOT)
BUSES = {"spi": "spi_esp32", "i2c": "i2c_esp32", "uart": "uart_esp32"}
METERS = "wattledger/hal/meter/"
BUS_ROOM = "wattledger/hal/bus/"
BOARDS = "wattledger/board/"
# Of the simulator, and of the module that holds the released state.
SIMULATED = "wattledger/hal/network/link_bridge.py"
BUILD = "wattledger/firmware/build.py"
Files = dict[str, bytes]  # path in the tree -> source


def board_of(name: str) -> ModuleType:
    """The constants of an ESP32 board. FlashError."""
    found = wiring.any_board(name)
    if getattr(found, "PLATFORM", None) != PLATFORM:
        listed = [each for each in wiring.names() if wiring.load(each).PLATFORM == PLATFORM]
        raise FlashError(f"{name} is no board of an ESP32; there are {', '.join(listed)}")
    return found


def composed(
    board: ModuleType, release: bool = False, kept: Iterable[str] = ()
) -> tuple[Files, Files]:
    """(core, application): path in the tree -> source, in `wattledger/` both; attributes called
    `kept` keep their names. ImageError."""
    wanted = modules_of(*ROOTS, f"wattledger.hal.meter.{board.CHIP}", *_ports(board))
    paths = {path.relative_to(ROOT).as_posix() for path in wanted.values()}
    paths |= {path for path in portable_files() if is_app("wattledger/" + path)}
    sources = {"wattledger/" + path: (ROOT / path).read_bytes() for path in sorted(paths)}
    own = set(_own(board, wanted))
    for path in list(sources):
        foreign = path.startswith((METERS, BUS_ROOM)) and path not in own
        # A board's constants are asked for by name at run time: they stay as they are.
        empty = path.endswith("/__init__.py") and not sources[path].strip()
        if foreign or empty or path.startswith(BOARDS) or path == SIMULATED:
            del sources[path]
    if release:
        sources[BUILD] = _released(sources[BUILD])
    sources[LIBRARY.replace(".", "/") + ".py"] = library()
    sources = {path: _library_inside(source) for path, source in sources.items()}
    also = (f"wattledger.hal.meter.{board.CHIP}",)
    made = compose(sources, list(ROOTS), also, kept, STAYING, vars(board))
    place = f"{BOARDS}{board.NAME}.py"
    made[place] = asked_of((ROOT / "board" / f"{board.NAME}.py").read_bytes(), made)
    started = _started(made)
    core = {path: text for path, text in made.items() if path in started or not is_app(path)}
    app = {path: made[path] for path in made if path not in core}
    return core, app


def is_app(path: str) -> bool:
    """True for a path of the tree that an update replaces."""
    return path.startswith(tuple(name.replace(".", "/") + "/" for name in APP))


def _started(made: Files) -> set[str]:
    """Paths of what is imported before an application is chosen: the core's, wherever it lies."""
    program = Program(made)
    waiting = list(ROOTS)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        path = program.modules[name].path
        if path not in found:
            found.add(path)
            waiting += program.eager(name)
    return found


def _ports(board: ModuleType) -> list[str]:
    """Modules between driver and bus: an ADE7953 has one for each bus."""
    own = f"wattledger.hal.meter.{board.CHIP}_{board.BUS}"
    path = ROOT / Path(*own.split(".")[1:]).with_suffix(".py")
    return [own] if path.exists() else []


def _own(board: ModuleType, wanted: dict[str, Path]) -> list[str]:
    """Paths of the board's own drivers and buses; those of other boards are not staged."""
    chip = modules_of(f"wattledger.hal.meter.{board.CHIP}", *_ports(board))
    names = [*chip, f"wattledger.hal.bus.{BUSES[board.BUS]}", "wattledger.hal.bus.i2c_esp32"]
    return [name.replace(".", "/") + ".py" for name in names if name in wanted]


def _released(source: bytes) -> bytes:
    before = b"RELEASE = False"
    if source.count(before) != 1:
        raise FlashError("firmware/build.py has no line RELEASE = False")
    return source.replace(before, b"RELEASE = True")


def _library_inside(source: bytes) -> bytes:
    """microdot lies in the page's room: an application replaces it with what calls it."""
    return source.replace(b"from microdot import", b"from %s import" % LIBRARY.encode())
