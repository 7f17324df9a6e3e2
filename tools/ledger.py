"""`wattledger ledger verify`: is a journal whole, and does its money add up?

Reads the bytes by the published layout (docs/journal.md) with none of the device's code for it,
so that a mistake there does not hide itself. Never writes.
"""

import binascii
import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from wattledger.agent.journal.record import KINDS, MAGIC, MAX_LENGTH, MIN_LENGTH
from wattledger.agent.journal.slots import NAMES as SLOTS
from wattledger.agent.journal.slots import HotState, unpack
from wattledger.agent.units import micro_of
from wattledger.tools.entries import CHECKPOINT, Books, LedgerError
from wattledger.tools.places import FileError

REMEDY = "what is written before it stands; restore the rest from the utility's copy"
HEAD = struct.Struct("<BBHIIBBqq")
CRC = 4
HASH = 8
OPENING_METER = HEAD.size + 12  # the meter id, after three u32 of the opening entry
_SEGMENT = re.compile(r"j(\d{10})", re.ASCII)


class DamagedError(FileError):
    """A journal that is not whole; the message names the first bad entry."""


class Entry(NamedTuple):
    """One journal entry; amounts in nano-units, `time` in unix seconds."""

    kind: str
    sequence: int
    time: int
    trust: int
    amount: int
    balance: int
    payload: bytes


class Scan:
    """What walking a journal from its first entry found. `problem` is None when all is well."""

    def __init__(self) -> None:
        self.meter: str | None = None
        self.first = 1  # sequence of the oldest entry held
        self.last = 0  # of the newest good one
        self.balance = 0
        self.chain_ok = True
        self.first_bad: int | None = None
        self.problem: str | None = None
        self.torn_bytes = 0  # of writes that a power cut left unfinished
        self.hashes: dict[int, bytes] = {}  # sequence: hash after that entry

    def blame(self, sequence: int, problem: str, chain: bool) -> None:
        """Note the first fault; `chain`: the record itself is missing or not what was written."""
        self.chain_ok = self.chain_ok and not chain
        if self.first_bad is None:
            self.first_bad = sequence
            self.problem = f"entry {sequence} {problem}"

    @property
    def entries(self) -> int:
        """How many good entries the journal holds."""
        return self.last - self.first + 1

    def report(self) -> dict[str, Any]:
        """What `ledger verify --json` prints."""
        head = self.hashes[self.last].hex() if self.hashes else None
        return {
            "ok": self.first_bad is None,
            "meter": self.meter,
            "entries": self.entries,
            "first": self.first,
            "balance_nano": self.balance,
            "balance_micro": micro_of(self.balance),
            "head": {"sequence": self.last, "hash": head},
            "chain_ok": self.chain_ok,
            "first_bad": self.first_bad,
            "problem": self.problem,
            "torn_bytes": self.torn_bytes,
        }


def storage_folder(state: str | Path) -> Path:
    """The folder of a meter's files: `state`/meter as the demo keeps it, `state`/storage as a
    simulated run does, else `state` itself."""
    folder = Path(state)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise FileError(f"{folder}: {what}; give the state directory of a meter")
    for name in ("meter", "storage"):
        if (folder / name).is_dir():
            return folder / name
    return folder


def segments(folder: Path) -> list[tuple[int, Path]]:
    """(first sequence, file) of each segment of a journal, rising."""
    try:
        names = [(path, _SEGMENT.fullmatch(path.name)) for path in folder.iterdir()]
        found = [(int(match[1]), path) for path, match in names if match]
        return sorted((first, path) for first, path in found if path.stat().st_size)
    except OSError as error:
        raise FileError(f"{folder}: cannot be read ({error.strerror})") from None


def meter_of(folder: Path) -> str:
    """The meter id in the entry a journal begins with; FileError when that cannot be read."""
    found = segments(folder)
    if not found:
        raise FileError(f"{folder}: holds no journal; give the state directory of a meter")
    data = found[0][1].read_bytes()
    meter = _opening_meter(data) if found[0][0] == 1 else _checkpoint_meter(data)
    if meter is None:
        raise FileError(
            f"{found[0][1]}: the entry the journal begins with is missing or damaged; restore the "
            "directory from a copy"
        )
    return meter


def verify(state: str | Path, visit: Callable[[Entry], None] | None = None) -> Scan:
    """Walk the journal in a state directory; `visit` sees each good entry."""
    folder = storage_folder(state)
    # Before the journal: on a running meter a snapshot read later could name later entries.
    slot = _newest_slot(folder)
    found = segments(folder)
    if not found and slot is None:
        raise FileError(f"{folder}: holds no journal; give the state directory of a meter")
    walk = _Walk(visit or (lambda entry: None))
    for first, path in found:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileError(f"{path}: cannot be read ({error.strerror})") from None
        if not walk.segment(first, data):
            break
    scan = walk.scan
    if slot is not None and scan.chain_ok:
        if slot.sequence > scan.last:
            scan.blame(scan.last + 1, "is missing: the snapshot names it as written", True)
        elif scan.hashes.get(slot.sequence) != slot.hash:
            scan.blame(slot.sequence, "is not the one that the snapshot names", True)
    return scan


def require_whole(state: str | Path) -> None:
    """DamagedError when the journal in `state` has a fault."""
    scan = verify(state)
    if scan.problem is not None:
        raise DamagedError(f"{state}: {scan.problem}; {REMEDY}")


def _newest_slot(folder: Path) -> HotState | None:
    newest = None
    for name in SLOTS:
        path = folder / name
        state = unpack(path.read_bytes()) if path.is_file() else None
        if state is not None and (newest is None or state.generation > newest.generation):
            newest = state
    return newest


def _opening_meter(data: bytes) -> str | None:
    size = _claimed(data)
    if data[1:2] != b"\x01" or len(data) < size or size < OPENING_METER + CRC + HASH:
        return None
    try:
        return data[OPENING_METER : size - CRC - HASH].decode()
    except UnicodeDecodeError:
        return None


def _checkpoint_meter(data: bytes) -> str | None:
    size = _claimed(data)
    at = HEAD.size + CHECKPOINT.size
    if data[1:2] != b"\x02" or len(data) < size or size < at + CRC + HASH:
        return None
    # Closings and debt, whose numbers end the fixed part; then bands and their blocks.
    try:
        at += 4 * data[at - 1] + data[at - 2]
        at += 2 + 4 * data[at] * (1 + data[at + 1])
        return data[at : size - CRC - HASH].decode()
    except (UnicodeDecodeError, IndexError):
        return None


def _claimed(data: bytes) -> int:
    """The length a record claims; 0 when none can start here."""
    size = int.from_bytes(data[2:4], "little")
    return size if data[:1] == bytes([MAGIC]) and MIN_LENGTH <= size <= MAX_LENGTH else 0


def _has_good_crc(block: bytes) -> bool:
    end = len(block) - CRC - HASH
    return binascii.crc32(block[:end]) == int.from_bytes(block[end : end + CRC], "little")


def _is_torn(rest: bytes) -> bool:
    """True for the beginning of a record whose end was never written, or for zeros in its place
    (a file system may keep the length of a write and not its content)."""
    if not any(rest):
        return True
    if rest[0] != MAGIC or len(rest) >= 4 and not _claimed(rest):
        return False
    # A damaged length must not pass for a torn write: with the right one the record is whole.
    for size in range(MIN_LENGTH, len(rest) + 1):
        if _has_good_crc(rest[:2] + size.to_bytes(2, "little") + rest[4:size]):
            return False
    return True


class _Walk:
    """Takes segments in order and checks every record."""

    def __init__(self, visit: Callable[[Entry], None]) -> None:
        self.scan = Scan()
        self._visit = visit
        self._books = Books()

    def segment(self, first: int, data: bytes) -> bool:
        """Check one segment; False at damage after which nothing can be trusted."""
        scan = self.scan
        if not scan.hashes and not self._open(first, data):
            return False
        if first > scan.last + 1:
            scan.blame(scan.last + 1, f"is missing: the next stored is {first}", True)
            return False
        while data:
            size = _claimed(data)
            if not 0 < size <= len(data):
                if _is_torn(data):
                    scan.torn_bytes += len(data)
                    return True
                scan.blame(scan.last + 1, "is damaged: no record starts there", True)
                return False
            if not self._record(data[:size]):
                return False
            data = data[size:]
        return True

    def _open(self, first: int, data: bytes) -> bool:
        """Enter the oldest segment: by the opening entry, or by a checkpoint once that is gone."""
        scan = self.scan
        if first > 1:
            scan.meter = _checkpoint_meter(data)
            if scan.meter is None:
                scan.blame(1, f"is missing: the first stored is {first}", True)
                return False
            scan.first, scan.last = first, first - 1
            scan.hashes[first - 1] = data[HEAD.size + 1 : HEAD.size + 1 + HASH]
            self._books.begin(HEAD.unpack_from(data)[8])
            return True
        scan.meter = _opening_meter(data)
        if scan.meter is None:
            scan.blame(1, "is damaged: it is no opening entry", True)
            return False
        scan.hashes[0] = hashlib.sha256(scan.meter.encode()).digest()[:HASH]
        return True

    def _record(self, block: bytes) -> bool:
        scan = self.scan
        body, found = block[:-HASH], block[-HASH:]
        _, kind, _, sequence, low, high, trust, amount, balance = HEAD.unpack_from(block)
        if not _has_good_crc(block) or kind not in KINDS:
            scan.blame(scan.last + 1, "is damaged: its bytes fail their checksum", True)
            return False
        # A flush that failed after its bytes had arrived is written again by the meter.
        repeated = scan.first <= sequence <= scan.last
        if not repeated and sequence != scan.last + 1:
            scan.blame(scan.last + 1, f"is missing: entry {sequence} is in its place", True)
            return False
        if hashlib.sha256(scan.hashes[sequence - 1] + body).digest()[:HASH] != found:
            scan.blame(sequence, "does not follow from the entry before it", True)
            return False
        if repeated:
            return True
        payload = body[HEAD.size : -CRC]
        entry = Entry(KINDS[kind], sequence, low | high << 32, trust, amount, balance, payload)
        scan.hashes[sequence] = found
        scan.last = sequence
        scan.balance = balance
        try:
            self._books.take(entry.kind, amount, balance, payload)
        except LedgerError as fault:
            scan.blame(sequence, str(fault), False)
        self._visit(entry)
        return True
