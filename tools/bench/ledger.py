"""Durable commits: a purchase and an interval beside raw write + fsync, SQLite, TinyDB; wear."""

import os
import sqlite3
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.slots import HotState
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tools.bench.device import BenchError
from wattledger.tools.bench.house import START, House
from wattledger.tools.bench.plain_chip import PlainChip
from wattledger.tools.bench.rows import Report, Row, best, wall_s

COMMITS = 200
ROUNDS = 5
RAW_WANTED = ">= 0.65"
INTERVAL = readers.Interval(1, 0, 900, 0, 1, [payloads.Part(1, 0, 281, 530_000)]).pack()
RECORD = records.encode(
    records.INTERVAL, 2, START, TRUST_SYNCED, -148_930_000, 1, INTERVAL, b"\0" * 8
)
SLOT = bytes(HotState().pack())
UNIT = "commits a second"


def run(
    commits: int = COMMITS,
    rounds: int = ROUNDS,
    folder: Path | None = None,
) -> Report:
    """Commits a second of each, best of `rounds`, in `folder` (default: the temporary one)."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        kinds = {
            "purchase": _purchase,
            "interval + slot": _interval,
            "raw write + fsync": _raw,
            "SQLite, WAL, synchronous FULL": _sqlite,
            "journal alone": _journal,
            "slot alone": _slot,
            "journal, slot over itself": _in_place,
        }
        if _has_tinydb():
            kinds["TinyDB, fsync"] = _tinydb
        work = [_fresh(place, number, kind) for number, kind in enumerate(kinds.values())]
        took = best(rounds, [partial(measure, commits) for measure in work])
        kind_of_disk = _file_system(place)
    rate = {name: commits / seconds for name, seconds in zip(kinds, took, strict=True)}
    raw = rate["raw write + fsync"]
    ours = rate["purchase"]
    rows = [Row("purchase", ours, raw, UNIT, "raw write + fsync", RAW_WANTED)]
    for peer in ("SQLite, WAL, synchronous FULL", "TinyDB, fsync"):
        if peer in rate:
            rows.append(Row("purchase", ours, rate[peer], UNIT, peer))
    for part in ("interval + slot", "journal alone", "slot alone", "journal, slot over itself"):
        rows.append(Row(part, rate[part], raw, UNIT, "raw write + fsync"))
    report = Report(
        "ledger",
        f"{commits} durable commits of {len(RECORD)} + {len(SLOT)} bytes on {kind_of_disk}",
        rows,
        {"file_system": kind_of_disk},
        picture=list(rows),
    )
    report.notes.append(
        "a purchase is durable with its record, one sync, and is acknowledged then; an interval "
        "is three: the record's, the slot's file and, after the rename, its folder"
    )
    if not _has_tinydb():
        report.notes.append("TinyDB is not installed: pip install 'wattledger[bench]'")
    return report


def _fresh(
    place: Path, number: int, kind: Callable[[Path, int], Callable[[], None]]
) -> Callable[[int], float]:
    """A measure that works in a folder of its own each time."""
    turn = 0

    def measure(commits: int) -> float:
        nonlocal turn
        turn += 1
        folder = place / f"{number}-{turn}"
        folder.mkdir()
        return wall_s(kind(folder, commits))

    return measure


def _purchase(folder: Path, commits: int) -> Callable[[], None]:
    """What the agent does before it acknowledges a credit."""
    agent = House(PlainChip(), storage=PosixStorage(folder)).agent
    numbers = count(1)

    def work() -> None:
        for _ in range(commits):
            agent.account.credit(next(numbers), 1, START, TRUST_SYNCED)
            if not agent.keeper.money():
                raise BenchError(f"the storage in {folder} takes no writes")

    return work


def _interval(folder: Path, commits: int) -> Callable[[], None]:
    """What the agent does when an interval has closed."""
    agent = House(PlainChip(), storage=PosixStorage(folder)).agent

    def work() -> None:
        for _ in range(commits):
            agent.journal.append(records.INTERVAL, START, TRUST_SYNCED, -1, INTERVAL)
            if not agent.keeper.now():
                raise BenchError(f"the storage in {folder} takes no writes")

    return work


def _raw(folder: Path, commits: int) -> Callable[[], None]:
    data = RECORD + SLOT

    def work() -> None:
        descriptor = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for _ in range(commits):
            os.write(descriptor, data)
            os.fsync(descriptor)
        os.close(descriptor)

    return work


def _sqlite(folder: Path, commits: int) -> Callable[[], None]:
    database = sqlite3.connect(folder / "db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE journal (sequence INTEGER PRIMARY KEY, record BLOB)")
    database.execute("CREATE TABLE slot (id INTEGER PRIMARY KEY, data BLOB)")

    def work() -> None:
        for sequence in range(commits):
            database.execute("BEGIN")
            database.execute("INSERT INTO journal VALUES (?, ?)", (sequence, RECORD))
            database.execute("INSERT OR REPLACE INTO slot VALUES (0, ?)", (SLOT,))
            database.execute("COMMIT")
        database.close()

    return work


def _has_tinydb() -> bool:
    try:
        import tinydb  # noqa: F401
    except ImportError:
        return False
    return True


def _tinydb(folder: Path, commits: int) -> Callable[[], None]:
    """Its JSON storage syncs each write; it begins empty, which flatters it."""
    from tinydb import TinyDB

    database = TinyDB(folder / "db.json")
    document = {"record": RECORD.hex(), "slot": SLOT.hex()}

    def work() -> None:
        for sequence in range(commits):
            database.insert(dict(document, sequence=sequence))
        database.close()

    return work


def _journal(folder: Path, commits: int) -> Callable[[], None]:
    storage = PosixStorage(folder)
    storage.commit("journal", RECORD)

    def work() -> None:
        for _ in range(commits):
            storage.append("journal", RECORD)
            storage.sync("journal")

    return work


def _slot(folder: Path, commits: int) -> Callable[[], None]:
    storage = PosixStorage(folder)

    def work() -> None:
        for number in range(commits):
            storage.commit(("slot.a", "slot.b")[number % 2], SLOT)

    return work


def _in_place(folder: Path, commits: int) -> Callable[[], None]:
    """The two slots written over themselves in turn: their CRC finds a torn one."""
    storage = PosixStorage(folder)
    storage.commit("journal", RECORD)
    for name in ("slot.a", "slot.b"):
        storage.commit(name, SLOT)

    def work() -> None:
        slots = [os.open(folder / name, os.O_WRONLY) for name in ("slot.a", "slot.b")]
        for number in range(commits):
            storage.append("journal", RECORD)
            storage.sync("journal")
            os.pwrite(slots[number % 2], SLOT, 0)
            os.fsync(slots[number % 2])
        for slot in slots:
            os.close(slot)

    return work


def _file_system(folder: Path) -> str:
    """The type of the file system a folder is on: on tmpfs a sync costs nothing."""
    kind, longest = "an unknown file system", 0
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return kind
    for fields in (line.split() for line in mounts):
        point = Path(fields[1].replace("\\040", " "))
        if folder.resolve().is_relative_to(point) and len(fields[1]) >= longest:
            kind, longest = fields[2], len(fields[1])
    return kind
