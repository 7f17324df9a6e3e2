"""The ESP32's whole image, from ROMFS: its least heap for a day, and what is free in it.

The simulated `machine` and `esp32` lie beside the image and are in the heap too; what they take
is measured apart. On the 64-bit MicroPython an object takes twice the bytes of an ESP32's.
"""

import functools
import json
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from wattledger.firmware import boot, link, site_esp32
from wattledger.firmware.main_esp32 import GC_BYTES
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.heap import CORE_LIMIT_KB, HOUR_S, LIMIT, smallest
from wattledger.tools.bench.house import METER, TARIFF, House
from wattledger.tools.bench.plain_chip import PlainChip
from wattledger.tools.bench.rows import Report, Row
from wattledger.tools.flash import image
from wattledger.tools.image import known
from wattledger.tools.mpy import ROOT

WORKED_S = 60
BOARD = "esp32_atm90e32"
PROGRAM = "world.tools.bench.esp32_program"
# The image has modules of its own in `wattledger`; what stands for the world lies in `world`.
WORLD = (
    "host_sim/ticks.py",
    "tools/bench/browser.py",
    "tools/bench/plain_chip.py",
    "tools/bench/plain_net.py",
    "tools/bench/esp32_month.py",
    "tools/bench/esp32_program.py",
)
PORT = ("machine", "esp32")
NETWORK = {"ssid": "home", "password": "a password", "broker": "192.0.2.1"}
DEVICE = {
    "v": 1,
    "meter": METER,
    "tenant": "bench",
    "board": BOARD,
    "max_amps": 40,
    "max_volts": 276,
}


def stage(folder: Path, program: str = PROGRAM, **settings: object) -> Device:
    """The board's image as `wattledger flash` builds it, and the world beside it.

    `program` is the module whose functions are run, `settings` are more of device.json.
    """
    programs = b"".join((ROOT / path).read_bytes() for path in WORLD[-2:])
    made = image.build(BOARD, kept=known.named(programs))
    tree = folder / "world"
    for path in WORLD:
        source = (ROOT / path).read_bytes()
        for room in (b"host_sim", b"tools"):
            source = source.replace(b"wattledger." + room, b"world." + room)
        place = Path("world") / path
        device.compile_into(tree, place, source)
        for parent in place.parents[:-1]:
            device.compile_into(tree, parent / "__init__.py", b"")
    for module in PORT:
        source = (ROOT / "tools/bench/plain_port.py").read_bytes()
        device.compile_into(tree, Path(f"{module}.py"), source)
    (folder / "core.rom").write_bytes(made.rom)
    (folder / "slot.rom").write_bytes(made.slot[boot.ROM])
    (folder / "world.rom").write_bytes(device.image_of(tree))
    return Device(
        tree,
        folder / "core.rom",
        program,
        GC_BYTES,
        mounted={"/app/a": folder / "slot.rom", "/world": folder / "world.rom"},
        path=("/world",),
        fill=functools.partial(provision, slot=made.slot[boot.ROM], settings=settings),
    )


def provision(folder: Path, slot: bytes, settings: dict[str, object]) -> None:
    """The application's slot, the site and the store of a meter that has worked before, and holds its tariff."""
    site = folder / site_esp32.FOLDER
    site.mkdir()
    (site / "device.json").write_text(json.dumps(DEVICE | settings))
    (site / "device.key").write_bytes(b"ab" * 32)
    (site / "tariff.json").write_bytes(TARIFF)
    for name, data in _credentials().items():
        (site / name).write_bytes(data)
    (site / "network.json").write_text(json.dumps(NETWORK))
    (site / "display.pin").write_text("48151623")
    place = folder / boot.APP / "a"
    place.mkdir(parents=True)
    (place / boot.ROM).write_bytes(slot)
    house = House(PlainChip(), storage=VfsStorage(str(folder)))
    house.run(WORKED_S)
    house.agent.stop()


def _credentials() -> dict[str, bytes]:
    """A certificate, its key, and itself for an authority: of the size of a real one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, METER)])
    begins = datetime(2026, 1, 1, tzinfo=timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=3650))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    secret = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return {link.AUTHORITY: made, link.CERTIFICATE: made, link.KEY: secret}


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
        check(place.run("meter", seconds))

        def fits(kb: int) -> bool:
            return place.fits("meter", seconds, heap=kb << 10)

        least = smallest(fits, steps_kb)
        ticked = place.run("tick", count, rounds)
        bare = _best_ms(rounds, place, "imported")
        booted = _best_ms(rounds, place, "first_reading")
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
