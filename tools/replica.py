"""The utility's copy of one meter's journal: each entry proven by the chain, kept as it came.

<meter>.journal is the raw records one after another, as the meter's own journal has them; the
layout is docs/journal.md. Nothing counts as held before it is on disk.
"""

import fcntl
import json
import os
from pathlib import Path

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import record
from wattledger.tools import durable, jws
from wattledger.tools.errors import GapError, JournalError, JwsError, ReplicaError

MESSAGE_ENTRIES = 8  # the most a journal message carries


class Replica:
    """Entries 1 to `entries` of `meter`, kept in `directory`; one process at a time."""

    def __init__(self, directory: str | Path, meter: str) -> None:
        self.meter = meter
        self.path = Path(directory) / f"{meter}.journal"
        self.entries = 0
        self.balance = 0  # nano-units after the last entry
        self.torn = 0  # bytes of an unfinished write cut off at start
        self.wrong_sum = 0  # the first entry whose balance is not the one before plus its amount
        self._hashes = bytearray(record.first_hash(meter))  # 8 bytes an entry, that of 0 first
        self._size = 0
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "a+b", buffering=0)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            durable.sync_folder(self.path.parent)
            self._load(self.path.read_bytes())
        except BlockingIOError:
            raise ReplicaError(f"{self.path}: in use by another utility; stop that one") from None
        except OSError as error:
            raise ReplicaError(f"{self.path}: cannot be used ({error.strerror})") from None

    def close(self) -> None:
        """Let another process have the copy."""
        self._file.close()

    def hash_of(self, sequence: int) -> bytes:
        """The chain's hash after entry `sequence`, 0 to `entries`."""
        return bytes(self._hashes[sequence * 8 : sequence * 8 + 8])

    def summary(self) -> dict[str, object]:
        """What the copy adds up to; `head` as in the meter's hello."""
        head = {"sequence": self.entries, "hash": self.hash_of(self.entries).hex()}
        return {"entries": self.entries, "balance_nano": self.balance, "head": head}

    def add(self, message: bytes) -> int:
        """Take a journal message; how many new entries are now held durably, 0 when all were.

        JournalError when it leaves a gap (GapError), breaks the chain or is malformed: nothing is
        taken then.
        ReplicaError when the disk fails.
        """
        first, previous, blocks = self._parse(message)
        if first > self.entries + 1:
            raise GapError(first, self.entries + 1)
        if previous != self.hash_of(first - 1):
            raise JournalError(f"chain broken: entry {first} does not follow the entry before it")
        new = []
        for sequence, block in enumerate(blocks, first):
            entry = _entry(sequence, previous, block)
            if sequence > self.entries:
                new.append((entry, block))
            elif entry.hash != self.hash_of(sequence):
                raise JournalError(f"entry {sequence} is not the one the meter sent before")
            previous = entry.hash
        if new:
            self._append(b"".join(block for _, block in new))
            for entry, _ in new:
                self._hold(entry)
        return len(new)

    def _parse(self, message: bytes) -> tuple[int, bytes, list[bytes]]:
        try:
            document = json.loads(message)
            meter, first, previous = document["m"], document["from"], document["prev"]
            blocks = [jws.decode(text.encode()) for text in document["e"]]
            hash_before = bytes.fromhex(previous)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JwsError):
            raise JournalError("malformed journal message") from None
        if meter != self.meter:
            raise JournalError("journal message of another meter")
        if type(first) is not int or first < 1 or not 1 <= len(blocks) <= MESSAGE_ENTRIES:
            raise JournalError("malformed journal message")
        return first, hash_before, blocks

    def _load(self, data: bytes) -> None:
        position = 0
        while position < len(data):
            size = record.length_of(data[position : position + 4])
            rest = data[position:]
            if len(rest) < max(size, 4) or not any(rest):
                # The process or the power went during an append: nobody was told it is held.
                self._file.truncate(position)
                self.torn = len(rest)
                break
            try:
                self._hold(_entry(self.entries + 1, self.hash_of(self.entries), rest[:size]))
            except JournalError as fault:
                raise ReplicaError(
                    f"{self.path}: byte {position}: {fault}; restore the file from a backup"
                ) from None
            position += size
        self._size = position

    def _append(self, data: bytes) -> None:
        try:
            done = 0
            while done < len(data):
                done += self._file.write(data[done:])
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(self._size)
            raise ReplicaError(f"{self.path}: cannot be written ({error.strerror})") from None
        self._size += len(data)

    def _hold(self, entry: record.Record) -> None:
        if entry.balance != self.balance + entry.amount and not self.wrong_sum:
            self.wrong_sum = entry.sequence
        self.entries += 1
        self.balance = entry.balance
        self._hashes += entry.hash


def _entry(sequence: int, previous: bytes, block: bytes) -> record.Record:
    """The record in `block` when it is entry `sequence` after the hash `previous`."""
    try:
        entry = record.decode(block)
    except RecordError as error:
        raise JournalError(f"entry {sequence}: {error}") from None
    if entry.sequence != sequence:
        raise JournalError(f"entry {entry.sequence} stands in the place of entry {sequence}")
    if entry.hash != record.chain(previous, block):
        raise JournalError(f"chain broken: entry {sequence} does not follow the entry before it")
    return entry
