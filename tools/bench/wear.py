"""Flash wear of a meter at its default rates, on littlefs over a model of NOR flash.

What a meter asks of its storage in some hours is written down, and done by MicroPython's own
VfsLfs2 on a simulated flash that counts erases and programmed bytes.
"""

import tempfile
from pathlib import Path
from typing import Any

from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tools.bench import device
from wattledger.tools.bench.device import BenchError, Device
from wattledger.tools.bench.rows import Report, Row
from wattledger.tools.bench.world import MeteredHouse

DAY_S = 86_400
HOURS = 24
DAYS_A_YEAR = 365.25
BLOCKS = 256  # 1 MiB: what a 4 MB board has beside its application slots
CYCLES = 100_000  # of a NOR sector
YEARS_WANTED = 15
HELD_FILES, HELD_BYTES = 25, 16_384  # a full journal: `journal_kb` of segments
PROGRAMS = "wattledger.tools.bench.wear_programs"
NAIVE_S = 600  # of a record of 32 bytes appended and flushed each second
NAIVE = "append and flush each second"
HEAP = 8 << 20


class WrittenStorage(MemoryStorage):
    """Storage in memory that writes down what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def commit(self, name: str, data: Any) -> None:
        super().commit(name, data)
        self.lines.append(f"commit {name} {len(data)}\n")

    def append(self, name: str, data: Any) -> None:
        super().append(name, data)
        self.lines.append(f"append {name} {len(data)}\n")

    def remove(self, name: str) -> None:
        super().remove(name)
        self.lines.append(f"remove {name}\n")


def run(hours: int = HOURS) -> Report:
    """Wear of `hours`, scaled to a day. BenchError without MicroPython."""
    storage = WrittenStorage()
    house = MeteredHouse(storage)
    storage.lines.clear()  # a start is no day's work
    house.run(3600 * hours)
    naive = [f"append naive{second // 512} 32\n" for second in range(NAIVE_S)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        modules = device.modules_of(PROGRAMS)
        device.stage(modules, folder / "lying")
        board = Device(folder / "lying", programs=PROGRAMS)
        found = _measure(board, folder, storage.lines)
        each_second = _measure(board, folder, naive)
    days = hours / 24
    erases = found["erases"] / days
    naive_erases = each_second["erases"] * DAY_S / NAIVE_S
    rows = [
        Row("block erases", erases, naive_erases, "a day", NAIVE),
        Row(
            "bytes programmed",
            found["programmed"] / days,
            each_second["programmed"] * DAY_S / NAIVE_S,
            "B a day",
            NAIVE,
        ),
        Row(
            "to 100 000 cycles, worn evenly", years(erases), YEARS_WANTED, "years", "bound", ">= 1"
        ),
    ]
    report = Report(
        "wear", f"littlefs on 1 MiB of NOR flash, {hours} h at default rates", rows, found
    )
    report.notes.append(
        f"{found['operations']} storage operations beside a full journal of "
        f"{HELD_FILES * HELD_BYTES // 1024} KiB, {found['free'] // 1024} KiB stay free; "
        f"{found['worn']} of {BLOCKS} blocks were erased, one at most {found['worst']} times: "
        "littlefs moves the pair that takes the slots about every 100 erases"
    )
    report.notes.append(
        "a model of flash with 4 KiB sectors, not a chip; 100 000 cycles are those of datasheets"
    )
    return report


def years(erases_a_day: float) -> float:
    """Until every block has had its cycles, worn evenly."""
    return BLOCKS * CYCLES / erases_a_day / DAYS_A_YEAR


def _measure(board: Device, folder: Path, lines: list[str]) -> dict[str, Any]:
    path = folder / "operations"
    path.write_text("".join(lines))
    found = board.run("wear", str(path), BLOCKS, HELD_FILES, HELD_BYTES, heap=HEAP)
    if found["raised"]:
        raise BenchError("littlefs set a bit without an erase: the model of the flash is wrong")
    return found
