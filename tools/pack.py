"""The application of a Raspberry Pi as a folder that can be signed: the program as it lies here.

OUT/wattledger.py, OUT/wattledger/agent, board, firmware, hal: what `wattledger-meter` imports of
this project. What it needs of others stays in the environment that it was installed into.
"""

from fnmatch import fnmatch
from pathlib import Path

from wattledger.tools.errors import UpdateError

HOME = Path(__file__).resolve().parent.parent  # of the rooms, in a clone or installed

FIRST = "wattledger.py"
ROOMS = ("agent", "board", "firmware", "hal")
SUFFIXES = (".py", ".html", ".css", ".js", ".json", ".svg", ".gz")
LICENSE = "LICENSE"  # of what the page is built with; a path of a release has no capitals
# Of another computer, or of the simulator.
APART = ("*_esp32.py", "board/esp32_*", "board/sim.py", "firmware/main_bridge.py")
APART_TOO = ("firmware/main_sim.py", "firmware/simulated.py")


def pack(out: Path) -> list[str]:
    """Copy the program into the new folder `out`; the paths in it. UpdateError."""
    if out.exists():
        raise UpdateError(f"{out}: exists already; name a new folder")
    root = HOME if (HOME / FIRST).exists() else HOME.parent
    found = {FIRST: root / FIRST}
    for room in ROOMS:
        for path in (HOME / room).rglob("*"):
            name = path.relative_to(HOME).as_posix()
            if path.is_file() and _is_wanted(name):
                found["wattledger/" + name.replace(LICENSE, LICENSE.lower())] = path
    for name, path in found.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(path.read_bytes())
    return sorted(found)


def _is_wanted(name: str) -> bool:
    if any(fnmatch(name, pattern) for pattern in (*APART, *APART_TOO)):
        return False
    return name.endswith(SUFFIXES) or name.rpartition("/")[2] == LICENSE
