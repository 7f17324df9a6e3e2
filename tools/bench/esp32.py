"""The ESP32's whole image as `wattledger flash` builds it, from ROMFS: its least heaps and a tick.

What stands for the hardware is in the heap too; what that takes is measured apart and taken off.
On the 64-bit MicroPython an object takes twice the bytes of an ESP32's.
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
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.heap import (
    COLLECT,
    CORE_LIMIT_KB,
    HOUR_S,
    LIMIT,
    PAGE_LIMIT_KB,
    smallest,
)
from wattledger.tools.bench.house import METER, TARIFF, House
from wattledger.tools.bench.plain_chip import PlainChip
from wattledger.tools.bench.rows import Report, Row
from wattledger.tools.flash import image
from wattledger.tools.image import known
from wattledger.tools.image.arguments import shorten
from wattledger.tools.image.constants import inline
from wattledger.tools.image.private import conceal
from wattledger.tools.image.program import Program
from wattledger.tools.image.toplevel import rename
from wattledger.tools.mpy import ROOT, portable_files

WORKED_S = 60
BOARD = "esp32_atm90e32"
PROGRAM = "esp32_program"
# What stands for the world lies beside the image, without a folder and with short names: neither
# is on a device.
WORLD = (
    "host_sim/ticks.py",
    "tools/bench/browser.py",
    "tools/bench/plain_chip.py",
)
PORT = {
    "machine": "tools/bench/plain_port.py",
    "esp32": "tools/bench/plain_port.py",
    "plain_net": "tools/bench/plain_net.py",
}
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

    `program` is the module of this folder whose functions are run, `settings` are more of
    device.json.
    """
    programs = {name: f"tools/bench/{name}.py" for name in (PROGRAM, program)}
    named = set().union(*(known.named((ROOT / path).read_bytes()) for path in programs.values()))
    made = image.build(BOARD, kept=named)
    tree = folder / "world"
    for path, source in _world(programs).items():
        device.compile_into(tree, Path(path), source, image.SOURCE)
    (folder / "core.rom").write_bytes(made.rom)
    (folder / "slot.rom").write_bytes(made.slot[boot.ROM])
    (folder / "world.rom").write_bytes(device.image_of(tree))
    return Device(
        tree,
        folder / "core.rom",
        program,
        COLLECT,
        mounted={"/app/a": folder / "slot.rom", "/world": folder / "world.rom"},
        path=("/world",),
        fill=functools.partial(provision, slot=made.slot[boot.ROM], settings=settings),
    )


def _world(programs: dict[str, str]) -> dict[str, bytes]:
    """The world's modules; what the image asks them for keeps its name."""
    port = {f"port.{module}": (ROOT / path).read_bytes() for module, path in PORT.items()}
    sources = {name.replace(".", "/") + ".py": source for name, source in port.items()}
    for path in (*WORLD, *programs.values()):
        source = (ROOT / path).read_bytes()
        for room in (b"host_sim", b"tools.bench"):
            source = source.replace(b"wattledger." + room + b".", b"")  # of an import
        sources[Path(path).name] = source
    files = [ROOT / name for name in portable_files() if not name.startswith("host_sim")]
    asked = set().union(*(known.named(path.read_bytes()) for path in files))
    program = Program(sources)
    own = [name for name in program.modules if name not in port]  # no port's argument is renamed
    inline(program, port)
    conceal(program, (), asked)
    shorten(program, own)
    rename(program, (*programs, *port), asked)
    return {path.removeprefix("port/"): source for path, source in program.sources().items()}


def provision(folder: Path, slot: bytes, settings: dict[str, object]) -> None:
    """The application's slot, the site, and the store of a meter that holds its tariff."""
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


def stand_ins(place: Device, with_app: bool = False) -> int:
    """Bytes of heap of what is not the firmware: the port's modules, the chip, the broker, the
    program that starts all."""
    return int(place.run("stand_ins", with_app)["bytes"]) - place.images_bytes


def run(seconds: int = HOUR_S, steps_kb: int = 1, count: int = 20_000, rounds: int = 3) -> Report:
    """The least heaps, to `steps_kb`, in which the image meters `seconds`; a tick; a boot."""
    kinds = {
        "core alone": (False,),
        "with link and page, mapped": (True,),
        "with link and page, from its slot": (True, False),
    }
    rows = []
    beside = {}
    with tempfile.TemporaryDirectory() as name:
        place = stage(Path(name))
        for title, kind in kinds.items():
            check(place.run("meter", seconds, *kind))

            def fits(kb: int, kind: tuple[bool, ...] = kind) -> bool:
                return place.fits("meter", seconds, *kind, heap=kb << 10)

            world = stand_ins(place, *kind[:1]) / 1024
            least = smallest(fits, steps_kb) - world
            limit = PAGE_LIMIT_KB if kind[0] else CORE_LIMIT_KB
            rows.append(Row(f"least heap: {title}", round(least, 1), limit, *LIMIT))
            beside[title] = world
        ticked = place.run("tick", count, rounds)
        bare = _best_ms(rounds, place, "imported")
        booted = _best_ms(rounds, place, "first_reading")
    if not ticked["ok"] or not ticked["counter"]:
        raise BenchError(f"the ESP32's tick went wrong: {ticked}")
    rows += [
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
    title = "The ESP32's image from ROMFS in a port of next to no heap, on MicroPython"
    report = Report("esp32", title, rows, {"stand_ins_kb": beside})
    report.notes.append("what stands for the hardware is taken off the heaps, the image too")
    report.notes.append(
        "from its slot: the code of the application is in the heap, as where flash is not mapped"
    )
    return report


def _best_ms(rounds: int, place: Device, function: str, *arguments: object) -> float:
    """Milliseconds of the whole process, the best of `rounds`."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        place.run(function, *arguments)
        found.append((time.perf_counter() - began) * 1000)
    return min(found)
