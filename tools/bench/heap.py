"""What the firmware takes of a device: .mpy bytes, heap from files and from ROMFS, least heap.

Measured on the 64-bit MicroPython, where an object takes twice the bytes it takes on an ESP32.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.rows import Report, Row

CORE_LIMIT_KB = 110
PAGE_LIMIT_KB = 170
LIMIT = ("KiB", "limit set", "<= 1")
HOUR_S = 3600
SHOWN = 12  # modules named in the notes
COLLECT = 8192  # bytes taken between two collections, as a device sets at boot
CORE = (
    "wattledger.agent.agent",
    "wattledger.hal.meter.atm90e32",
    "wattledger.hal.storage.memory",
)
PAGE = ("wattledger.hal.display.page", "wattledger.hal.display.app")
SIMULATED = ("wattledger.host_sim.chip.atm90e32",)


def run(seconds: int = HOUR_S, steps_kb: int = 1) -> Report:
    """Stage, weigh each module, and find the least heaps to `steps_kb`. BenchError."""
    with tempfile.TemporaryDirectory() as name:
        return _weigh(Path(name), seconds, steps_kb)


def _weigh(folder: Path, seconds: int, steps_kb: int) -> Report:
    tree = folder / "tree"
    sizes = device.stage(device.modules_of(device.PROGRAMS), tree, page=True)
    image = folder / "rom"
    image.write_bytes(device.image_of(tree))
    files, rom = Device(tree), Device(tree, image)
    core = list(device.modules_of(*CORE))
    names = list(core)
    names += ["microdot"] + [n for n in device.modules_of(*PAGE) if n not in names]
    names += [n for n in device.modules_of(*SIMULATED) if n not in names]
    from_files = files.run("imports", names)["costs"]
    from_rom = rom.run("imports", names)["costs"]
    modules = {
        name: {"mpy": sizes[name], "files": filed, "romfs": mapped}
        for name, filed, mapped in zip(names, from_files, from_rom, strict=True)
    }
    packages = _packages(modules)
    weighed = [
        Row(f"{name} ({cost['mpy']} B of .mpy)", cost["romfs"], cost["files"], "B", "from files")
        for name, cost in packages.items()
    ]
    report = Report(
        "heap",
        "Heap of imports from ROMFS beside files, and the least heap to meter an hour with",
        weighed + [_imported(rom, core, steps_kb)] + _least(files, rom, seconds, steps_kb),
        {"packages": packages, "modules": modules, "image_bytes": image.stat().st_size},
        picture=weighed,
    )
    dear = sorted(modules, key=lambda name: -modules[name]["romfs"])[:SHOWN]
    listed = ", ".join(f"{_short(name)} {modules[name]['romfs']}" for name in dear)
    report.notes.append(f"the dearest imports from ROMFS, bytes: {listed}")
    report.notes.append(
        "the table of names doubles when it is full: a module that is dear for its size is one "
        "at which that happened"
    )
    return report


def _short(name: str) -> str:
    return name.removeprefix(device.PACKAGE)


def _package(name: str) -> str:
    """The room and package a module lies in."""
    return ".".join(_short(name).split(".")[:-1]) or name


def _packages(modules: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The modules' figures added up by package."""
    found: dict[str, dict[str, int]] = {}
    for name, cost in modules.items():
        total = found.setdefault(_package(name), dict.fromkeys(cost, 0))
        for key, value in cost.items():
            total[key] += value
    return found


def _imported(rom: Device, core: list[str], steps_kb: int) -> Row:
    """The least heap in which the core is imported from ROMFS, and nothing run."""
    least = smallest(partial(_fits, rom, ("imports", core)), steps_kb)
    return Row("least heap: core imported, ROMFS", least, CORE_LIMIT_KB, *LIMIT)


def _least(files: Device, rom: Device, seconds: int, steps_kb: int) -> list[Row]:
    """The least heap of each build, kB. The image of ROMFS is not counted."""
    kinds = (
        ("core, ROMFS", rom, False, False, COLLECT),
        ("core, ROMFS, collecting only when full", rom, False, False, 0),
        ("core, files", files, False, False, COLLECT),
        ("core and simulated chip, ROMFS", rom, False, True, COLLECT),
        ("core and page, ROMFS", rom, True, False, COLLECT),
        ("core and page, files", files, True, False, COLLECT),
    )
    rows = []
    for name, place, page, simulated, threshold in kinds:
        program = ("meter", seconds, page, simulated, threshold)
        _check(place.run(*program), page)
        least = smallest(partial(_fits, place, program), steps_kb)
        limit = PAGE_LIMIT_KB if page else CORE_LIMIT_KB
        rows.append(Row(f"least heap: {name}", least, limit, *LIMIT))
    return rows


def _fits(place: Device, program: tuple[Any, ...], kb: int) -> bool:
    return place.fits(*program, heap=kb << 10)


def _check(found: dict[str, object], page: bool) -> None:
    """What ran did meter, and the page answered."""
    if found["drift"] or not found["messages"] or (page and found["status"] != "200 200"):
        raise BenchError(f"the meter on MicroPython went wrong: {found}")


def smallest(fits: Callable[[int], bool], step: int = 1, low: int = 32, high: int = 512) -> int:
    """The least number above `low` that fits(number) takes, bisected to `step`. BenchError."""
    if not fits(high):
        raise BenchError(f"the firmware does not run in {high} KiB of heap")
    while high - low > step:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
