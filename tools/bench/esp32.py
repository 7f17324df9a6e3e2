"""The ESP32's whole image, from ROMFS: its least heap for a day, and what is free in it.

The simulated `machine` and `esp32` lie beside the image and are in the heap too; what they take
is measured apart. On the 64-bit MicroPython an object takes twice the bytes of an ESP32's.
"""

import tempfile
from functools import partial
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


def stage(folder: Path) -> Device:
    """The image in a ROMFS, with the simulated modules beside it."""
    tree = folder / "tree"
    device.stage(device.modules_of(PROGRAM), tree, root=PROGRAM)
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
    return Device(tree, image, PROGRAM, GC_BYTES)


def check(found: dict[str, Any]) -> dict[str, Any]:
    """What ran did meter. BenchError."""
    if found["drift"] or found["missing"] or found["failures"] or not found["journal"]:
        raise BenchError(f"the ESP32's meter went wrong: {found}")
    return found


def run(seconds: int = HOUR_S, steps_kb: int = 1) -> Report:
    """The least heap, to `steps_kb`, in which the image meters `seconds`."""
    with tempfile.TemporaryDirectory() as name:
        place = stage(Path(name))
        beside = place.run("stand_ins")["bytes"]
        check(place.run("meter", seconds, TARIFF))

        def fits(kb: int) -> bool:
            return place.fits("meter", seconds, TARIFF, heap=kb << 10)

        least = smallest(partial(fits), steps_kb)
    return Report(
        "esp32",
        "The ESP32's core from ROMFS, metering",
        [Row("least heap, stand-ins apart", least - beside / 1024, CORE_LIMIT_KB, *LIMIT)],
        {"stand_ins": beside, "least_kb": least},
    )
