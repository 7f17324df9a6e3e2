"""What the firmware takes of a device: .mpy bytes, heap from files and from ROMFS, least heap.

Modules are weighed as the sources lie; the least heap is that of the image a device gets
(tools/image), and of the sources beside it.
Measured on the 64-bit MicroPython, where an object takes twice the bytes it takes on an ESP32.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from wattledger.firmware.main_bridge import GC_BYTES
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.house import TARIFF
from wattledger.tools.bench.rows import Report, Row

CORE_LIMIT_KB = 110
PAGE_LIMIT_KB = 170
LIMIT = ("KiB", "limit set", "<= 1")
HOUR_S = 3600
SHOWN = 12  # modules named in the notes
COLLECT = GC_BYTES  # as a device sets at boot
HOUR = "wattledger.tools.bench.hour"
# One that a running meter takes after the first; here, so that it is not in the image.
NEXT_TARIFF = TARIFF.replace(b'"n":1', b'"n":2').replace(b"310000", b"320000")
CORE = (
    "wattledger.agent.agent",
    "wattledger.hal.meter.atm90e32",
    "wattledger.hal.storage.vfs",
)
PAGE = ("wattledger.hal.display.page", "wattledger.hal.display.page_server")
SIMULATED = ("wattledger.host_sim.chip.atm90e32",)


def run(seconds: int = HOUR_S, steps_kb: int = 1) -> Report:
    """Stage, weigh each module, and find the least heaps to `steps_kb`. BenchError."""
    with tempfile.TemporaryDirectory() as name:
        return _weigh(Path(name), seconds, steps_kb)


def _weigh(folder: Path, seconds: int, steps_kb: int) -> Report:
    lying, merged = folder / "lying", folder / "merged"
    sizes = device.stage(device.modules_of(device.PROGRAMS, HOUR), lying, page=True)
    device.stage(device.modules_of(HOUR), merged, page=True, root=HOUR)
    as_it_lies, image = _image(lying), _image(merged)
    names = list(device.modules_of(*CORE))
    names += ["microdot"] + [n for n in device.modules_of(*PAGE) if n not in names]
    names += [n for n in device.modules_of(*SIMULATED) if n not in names]
    from_files = Device(lying).run("imports", names)["costs"]
    from_rom = Device(lying, as_it_lies).run("imports", names)["costs"]
    modules = {
        name: {"mpy": sizes[name], "files": filed, "romfs": mapped}
        for name, filed, mapped in zip(names, from_files, from_rom, strict=True)
    }
    packages = _packages(modules)
    weighed = [
        Row(f"{name} ({cost['mpy']} B of .mpy)", cost["romfs"], cost["files"], "B", "from files")
        for name, cost in packages.items()
    ]
    kinds = {
        "core imported, ROMFS": (merged, image, None),
        "core, ROMFS": (merged, image, (False, False, COLLECT)),
        "core, ROMFS, and it takes a tariff": (
            merged,
            image,
            (False, False, COLLECT, NEXT_TARIFF),
        ),
        "core, ROMFS, collecting only when full": (merged, image, (False, False, 0)),
        "core, files": (merged, None, (False, False, COLLECT)),
        "core, ROMFS, sources as they lie": (lying, as_it_lies, (False, False, COLLECT)),
        "core and simulated chip, ROMFS": (merged, image, (False, True, COLLECT)),
        "core and page, ROMFS": (merged, image, (True, False, COLLECT)),
        "core and page, files": (merged, None, (True, False, COLLECT)),
    }
    least = [_least(name, *kind, seconds, steps_kb) for name, kind in kinds.items()]
    report = Report(
        "heap",
        "Heap of imports from ROMFS beside files, and the least heap to meter an hour with",
        weighed + least,
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


def _image(tree: Path) -> Path:
    """The ROMFS image of a staged tree, beside it."""
    image = tree.with_suffix(".rom")
    image.write_bytes(device.image_of(tree))
    return image


def _least(
    name: str,
    tree: Path,
    image: Path | None,
    kind: tuple[Any, ...] | None,
    seconds: int,
    steps_kb: int,
) -> Row:
    """The least heap, KiB, to import the core in (no `kind`), or to meter `seconds` in: with the
    page, with the simulated chip, bytes between collections, documents taken in the middle. The
    image is not counted."""
    page, simulated, collect, *documents = kind or (False, False, COLLECT)
    place = Device(tree, image, HOUR, collect)
    program: tuple[Any, ...] = ("imported",)
    if kind is not None:
        program = ("meter", seconds, page, simulated, *documents)
        _check(place.run(*program), page)
    least = smallest(partial(_fits, place, program), steps_kb)
    return Row(f"least heap: {name}", least, PAGE_LIMIT_KB if page else CORE_LIMIT_KB, *LIMIT)


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
