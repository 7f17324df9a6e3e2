"""The append-only journal: hash-chained records in segment files named by their first sequence.

A record is `pending` until flush() has made it durable. A torn or damaged tail ends a segment; the
next one starts at the sequence after the last good record, so no byte is ever written over. Every
segment begun by a boot or by rotate() opens with a checkpoint.
"""

from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import (
    SegmentReader,
    checkpoint_at,
    segment_name,
    segments,
    set_aside,
    walk,
)

SEGMENT_BYTES = 16384


class Journal:
    """`sequence`, `hash` and `balance` (nano) are of the newest record, durable or pending."""

    def __init__(self, storage, meter, segment_bytes=SEGMENT_BYTES):
        self._storage = storage
        self._segment_bytes = segment_bytes
        self._first_hash = records.first_hash(meter)
        self.sequence = 0
        self.hash = self._first_hash
        self.balance = 0
        self.durable = 0  # newest sequence that is on storage
        self.durable_hash = self._first_hash
        self._writer = records.Writer()
        self._pending = []
        self._segment = None  # name of the segment being filled
        self._segment_size = 0
        self._reader = None  # (next sequence, SegmentReader) of the last read()
        self.start = 0  # the segment open() began at

    def open(self, visit, known=0):
        """Walk the last segment that can be entered, calling visit(record); appends follow it.

        Older segments are for audit and sending. Segments up to sequence `known` that cannot be
        followed are set aside, never written over; returns how many.
        """
        self.start = self._entrance()
        for _, entry in walk(self._storage, self._first_hash, self.start):
            self.sequence = self.durable = entry.sequence
            self.hash = self.durable_hash = entry.hash
            self.balance = entry.balance
            visit(entry)
        aside = 0
        for first in segments(self._storage):
            if self.sequence < first <= max(known, self.sequence + 1):
                set_aside(self._storage, segment_name(first))
                aside += 1
        return aside

    def _entrance(self):
        """First sequence of the newest segment that opens with a checkpoint, else of the first."""
        for first in reversed(segments(self._storage)):
            if checkpoint_at(self._storage, first):
                return first
        return 0

    def resume(self, sequence, hash, balance):
        """Go on after records that were lost: the snapshot knows where the chain had been."""
        self.sequence = self.durable = sequence
        self.hash = self.durable_hash = hash
        self.balance = balance

    def append(self, kind, time, trust, amount, payload):
        """Add a record (pending until flush); returns its sequence. `amount` in nano-units."""
        balance = self.balance + amount
        data = self._writer.encode(
            kind,
            self.sequence + 1,
            time,
            trust,
            amount,
            balance,
            payload,
            self.hash,
        )
        self._pending.append(data)
        # Once it is among them nothing is allocated any more: a heap that ends loses no record.
        self.sequence += 1
        self.balance = balance
        self.hash = self._writer.hash
        return self.sequence

    def is_full(self):
        """True when the segment has its size and rotate() is due."""
        return self._segment is not None and self._segment_size >= self._segment_bytes

    def rotate(self):
        """Let the next flush begin a segment; its first record must be a checkpoint."""
        self._segment = None

    def is_pending(self):
        """True while records wait for flush()."""
        return bool(self._pending)

    def flush(self):
        """Make every pending record durable. OSError leaves them pending; call again later."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        if self._segment is None or self.is_full():
            name = segment_name(self.durable + 1)
            self._storage.commit(name, data)
            self._segment = name
            self._segment_size = len(data)
            self._reader = None  # it does not know where its segment ends now
        else:
            name, self._segment = (
                self._segment,
                None,
            )  # after a failure the tail is not to be trusted
            self._storage.append(name, data)
            self._storage.sync(name)
            self._segment = name
            self._segment_size += len(data)
        self._pending = []
        self.durable = self.sequence
        self.durable_hash = self.hash

    def read(self, sequence):
        """Bytes of a durable record, or None when it is not there."""
        if not 0 < sequence <= self.durable:
            return None
        if self._reader is None or self._reader[0] != sequence:
            self._reader = None
            reader = self._seek(sequence)
        else:
            reader = self._reader[1]
        data, reader = self._follow(reader, sequence)
        self._reader = (sequence + 1, reader) if data else None
        return data

    def hash_before(self, sequence):
        """The chain's hash just before a durable record, or None when it is not there."""
        if sequence == 1:
            return self._first_hash
        data = self.read(sequence - 1)
        if data is not None:
            return data[len(data) - records.HASH_LENGTH :]
        restart = checkpoint_at(self._storage, sequence)
        return restart and restart[1].previous

    def present_from(self, sequence):
        """The first durable sequence at or after `sequence` that can be read; records may be lost
        before a checkpoint."""
        if self.read(sequence) is not None:
            return sequence
        for first in segments(self._storage):
            if first >= sequence:
                return first
        return sequence

    def _seek(self, sequence):
        """A reader of the segment that can hold `sequence`, or None."""
        best = until = None
        for first in segments(self._storage):
            if first <= sequence:
                best = first
            elif until is None:
                until = first
        if best is None:
            return None
        reader = SegmentReader(self._storage, best)
        reader.until = until
        return reader

    def _follow(self, reader, sequence):
        """(bytes of the record, the reader it came from); (None, None) when it is not there."""
        if reader is not None and reader.until is not None and sequence >= reader.until:
            reader = self._seek(sequence)
        while reader is not None:
            data = reader.next()
            if data is None:
                first = reader.first
                reader = self._seek(sequence)
                if reader is not None and reader.first <= first:
                    reader = None
                continue
            found = data[4] | data[5] << 8 | data[6] << 16 | data[7] << 24
            if found == sequence:
                return data, reader
            if found > sequence:
                break
        return None, None
