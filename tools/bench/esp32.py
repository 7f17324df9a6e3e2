"""The ESP32's whole image, from ROMFS: its least heap for a day, and what is free in it.

The simulated `machine` and `esp32` lie beside the image and are in the heap too; what they take
is measured apart. On the 64-bit MicroPython an object takes twice the bytes of an ESP32's.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from wattledger.firmware.main_esp32 import GC_BYTES
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.heap import CORE_LIMIT_KB, HOUR_S, LIMIT, smallest
from wattledger.tools.bench.house import TARIFF
from wattledger.tools.bench.rows import Report, Row
from wattledger.tools.mpy import ROOT

PROGRAM = "wattledger.tools.bench.esp32_program"
BOARDS = ("wattledger.board.esp32_atm90e32",)  # named by device.json, imported by that name
SIMULATED = {"machine": "machine", "esp32": "esp32"}  # module of the port -> file of host_sim


def stage(folder: Path, program: str = PROGRAM) -> Device:
    """The image in a ROMFS, with the simulated modules beside it."""
    tree = folder / "tree"
    device.stage(device.modules_of(program), tree, root=program)
    for name in BOARDS:  # as they lie: constants that are named at run time must keep their names
        place = Path(*name.split("."))
        source = (ROOT / Path(*place.parts[1:])).with_suffix(".py").read_bytes()
        device._compile(b"", tree, place.parent / "__init__.py")
        device._compile(source, tree, place.with_suffix(".py"))
    for module, ours in SIMULATED.items():
        source = (ROOT / "host_sim" / f"{ours}.py").read_bytes()
        device._compile(source, tree, Path(f"{module}.py"))
    image = folder / "image.rom"
    image.write_bytes(device.image_of(tree))
    return Device(tree, image, program, GC_BYTES)


def check(found: dict[str, Any]) -> dict[str, Any]:
    """What ran did meter. BenchError."""
    if found["drift"] or found["missing"] or found["failures"] or not found["journal"]:
        raise BenchError(f"the ESP32's meter went wrong: {found}")
    return found


def run(seconds: int = HOUR_S, steps_kb: int = 1, count: int = 20_000, rounds: int = 3) -> Report:
    """The least heap, to `steps_kb`, in which the image meters `seconds`; a tick; a boot."""
    with tempfile.TemporaryDirectory() as name:
        place = stage(Path(name))
        beside = place.run("stand_ins")["bytes"]
        check(place.run("meter", seconds, TARIFF))

        def fits(kb: int) -> bool:
            return place.fits("meter", seconds, TARIFF, heap=kb << 10)

        least = smallest(fits, steps_kb)
        ticked = place.run("tick", count, rounds, TARIFF)
        bare = _best_ms(rounds, place, "imported")
        booted = _best_ms(rounds, place, "first_reading", TARIFF)
    if not ticked["ok"] or not ticked["counter"]:
        raise BenchError(f"the ESP32's tick went wrong: {ticked}")
    rows = [
        Row("least heap, stand-ins included", least, CORE_LIMIT_KB, *LIMIT),
        Row("tick by spi_esp32", ticked["tick_us"], ticked["empty_us"], "us", "empty call"),
        Row(
            "allocated a tick",
            ticked["allocated"] / count,
            ticked["counter"],
            "B",
            "a list of one",
            "0",
        ),
        Row("boot to the first reading", booted, bare, "ms", "the image imported, no more"),
    ]
    title = "The ESP32's core from ROMFS under the simulated machine, on MicroPython"
    return Report("esp32", title, rows, {"stand_ins": beside, "least_kb": least})


def _best_ms(rounds: int, place: Device, function: str, *arguments: object) -> float:
    """Milliseconds of the whole process, the best of `rounds`."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        place.run(function, *arguments)
        found.append((time.perf_counter() - began) * 1000)
    return min(found)
