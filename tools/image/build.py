"""A device image from the portable sources: constants written out, the core in one module.

    wattledger/core.py    all that the root imports when it starts, the app's rooms apart
    wattledger/hal/display/served.py, front.py    the page's server, and the numbers it writes
    wattledger/...        the root, what is imported only when needed, and the app

Nothing else differs from the sources: the same code runs in the same order.
"""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from wattledger.tools.image.arguments import shorten
from wattledger.tools.image.bundle import bundle, closure
from wattledger.tools.image.check import check
from wattledger.tools.image.constants import inline
from wattledger.tools.image.flat import flatten
from wattledger.tools.image.generators import generators_of, keep
from wattledger.tools.image.known import server
from wattledger.tools.image.lean import slim
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program
from wattledger.tools.image.proof import prove
from wattledger.tools.image.settled import settle
from wattledger.tools.image.toplevel import rename
from wattledger.tools.image.unused import drop_unused

CORE = "wattledger.core"
BRIDGE = "wattledger.firmware.main_bridge"
# Rooms that an update replaces while the core stays: never merged into it.
APP = (
    "wattledger.agent.comms.discovery",
    "wattledger.agent.display",
    "wattledger.agent.tokens",
    "wattledger.hal.display",
    "wattledger.hal.network",
)
# The page's room again, in two modules of its own: what serves, and what only a browser without
# JavaScript needs. The folder of its files is found from where a module lies, which stays.
PAGE_ROOM = "wattledger.hal.display."
NET_ROOM = "wattledger.hal.network."
# The page's server, where an image holds it.
LIBRARY = PAGE_ROOM + "microdot"
# What it puts together from two texts and looks for by that name.
SPOKEN = ("after_error_request_handlers", "after_request_handlers", "before_request_handlers")
# Found from where it lies; one that asks what its port has.
OWN_FILES = (LIBRARY, PAGE_ROOM + "folder", NET_ROOM + "resolver")
# What talks by a link, where that is not in the core: loaded together, and only then.
TALK_ROOM = "wattledger.agent.comms."
VIEW_ROOM = "wattledger.agent.display."
NET = ("mqtt.client", "wifi_esp32", "uplink", "sntp_named")
SERVED = ("page_server", "page_buffer", "faces")
# (what is merged with all of its room that it imports, the module it becomes, the room)
APART = (
    ((TALK_ROOM + "conversation",), TALK_ROOM + "talking", TALK_ROOM),
    (tuple(NET_ROOM + name for name in NET), NET_ROOM + "net", NET_ROOM),
    ((VIEW_ROOM + "home",), VIEW_ROOM + "shown", VIEW_ROOM),
    (tuple(PAGE_ROOM + name for name in SERVED), PAGE_ROOM + "served", PAGE_ROOM),
    ((PAGE_ROOM + "plain",), PAGE_ROOM + "front", PAGE_ROOM),
)


def compose(
    sources: dict[str, bytes],
    roots: list[str],
    also: tuple[str, ...] = (),
    kept: Iterable[str] = (),
    fixed: Iterable[str] | None = None,
    board: Mapping[str, object] | None = None,
) -> dict[str, bytes]:
    """The sources of an image: path -> content. What `roots` import is the core, and the modules
    `also`, which they import later; the roots themselves stay, for they are started by name.
    Attributes called `kept` are asked for by who is not in the image. With `fixed` the modules
    that are loaded only when wanted get short names, but for those and the application's. `board`
    are constants (name -> value) of the one board that the image is for.
    ImageError names the line that is in the way.
    """
    program = Program(sources)
    check(program)
    generators = generators_of(program)
    settle(program, board or {})
    inline(program)
    keep(generators)
    wanted = list(also)
    for root in roots:
        wanted += [name for name in program.eager(root) if name not in wanted]
    apart = (*APP, *roots)
    core = closure(program, wanted, apart)
    drop_unused(program, core)
    kept = frozenset(kept).union(SPOKEN if LIBRARY in program.modules else server())
    conceal(program, [name for name in program.modules if name.startswith(APP)], kept)
    shorten(program, list(program.modules))
    bundle(program, wanted, CORE, apart)
    made: list[str] = []
    for parts, target, room in APART:
        present = [name for name in parts if name in program.modules]
        if present:
            outside = [name for name in program.modules if not name.startswith(room)]
            bundle(program, present, target, (*outside, *OWN_FILES, *made))
            made.append(target)
    rename(program, roots, kept)
    _drop_empty_packages(program)
    slim(program)
    if fixed is not None:
        flatten(program, (CORE, *APP, *roots, *fixed))
    prove(program)
    return program.sources()


def _drop_empty_packages(program: Program) -> None:
    """A folder whose modules all went into the core needs no __init__ any more."""
    for name in sorted(program.modules, reverse=True):
        module = program.modules[name]
        inside = any(other.startswith(name + ".") for other in program.modules)
        if module.path.endswith("/__init__.py") and not inside and _says_nothing(module.tree):
            del program.modules[name]


def _says_nothing(tree: ast.Module) -> bool:
    return all(isinstance(node, ast.Expr) for node in tree.body)


def recipe() -> bytes:
    """The builder's own code, so that a tree made by another one is not taken for its own."""
    folder = Path(__file__).parent
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
