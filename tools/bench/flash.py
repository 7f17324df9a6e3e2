"""Flash use of a meter at its default rates: what a day writes, and the years that leaves.

The erases of an operation are those of VfsLfs2 on a model of 4 KiB NOR blocks, counted over 1000
operations each on MicroPython 1.29: an append that is flushed copies its block once (1.009), a
file of up to 128 bytes that is rewritten and renamed stays in the metadata pair (0.106).
"""

from collections.abc import Iterator
from typing import Any

from wattledger.hal.storage.memory import MemoryStorage
from wattledger.tools.bench.rows import Row
from wattledger.tools.bench.world import MeteredHouse

DAY_S = 86_400
DAYS_A_YEAR = 365.25
APPEND_ERASES = 1.009
REWRITE_ERASES = 0.106
INLINE_BYTES = 128
BLOCKS = 512  # 2 MiB, worn evenly
CYCLES = 100_000  # of a NOR sector
YEARS_WANTED = 20  # the life of a meter
SOURCE = (
    "flash: erases by operation as counted on VfsLfs2 of MicroPython 1.29 over a model of 4 KiB "
    "blocks (append and flush 1.009, rewrite of up to 128 B 0.106); 2 MiB, 100 000 cycles"
)


class CountingStorage(MemoryStorage):
    """Storage in memory that keeps what was asked of flash."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Count from 0."""
        self.appended = 0
        self.flushes = 0
        self.slots = 0
        self.other = 0  # commits of files over the inline limit

    def append(self, name: str, data: Any) -> None:
        super().append(name, data)
        self.appended += len(data)

    def sync(self, name: str) -> None:
        super().sync(name)
        self.flushes += 1

    def commit(self, name: str, data: Any) -> None:
        super().commit(name, data)
        if len(data) <= INLINE_BYTES:
            self.slots += 1
        else:
            self.other += 1
            self.appended += len(data)

    def erases(self) -> float:
        """Block erases that littlefs makes of it."""
        return (self.flushes + self.other) * APPEND_ERASES + self.slots * REWRITE_ERASES


def wear(seconds: int = DAY_S) -> tuple[list[Row], dict[str, Any]]:
    """Rows of a day's writes from a run of `seconds`, and the figures by name."""
    storage = CountingStorage()
    house = MeteredHouse(storage)
    storage.forget()  # a start is no day's work
    house.run(seconds)
    days = seconds / DAY_S
    erases = storage.erases() / days
    each_second = DAY_S * APPEND_ERASES
    details = {
        "run_s": seconds,
        "appended_bytes_a_day": storage.appended / days,
        "flushes_a_day": storage.flushes / days,
        "slot_writes_a_day": storage.slots / days,
        "erases_a_day": erases,
        "years": years(erases),
    }
    return list(_rows(storage, days, erases, each_second)), {"flash": details}


def years(erases_a_day: float) -> float:
    """Until every block has had its cycles, worn evenly."""
    return BLOCKS * CYCLES / erases_a_day / DAYS_A_YEAR


def _rows(
    storage: CountingStorage, days: float, erases: float, each_second: float
) -> Iterator[Row]:
    naive = "append and flush each second"
    yield Row("flash: bytes appended", storage.appended / days, DAY_S * 32, "B a day", naive)
    yield Row("flash: slot writes", storage.slots / days, DAY_S, "a day", naive)
    yield Row("flash: block erases", erases, each_second, "a day", naive)
    yield Row("flash: to 100 000 cycles", years(erases), years(each_second), "years", naive)
    yield Row("flash: to 100 000 cycles", years(erases), YEARS_WANTED, "years", "a life", ">= 1")
