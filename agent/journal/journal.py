"""The append-only journal: hash-chained records in segment files named by their first sequence.

A record is `pending` until flush() has made it durable. A torn or damaged tail ends a segment; the
next one starts at the sequence after the last good record, so no byte is ever written over.
"""

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import record as records

SEGMENT_BYTES = 16384
PREFIX = "j"
ASIDE = "bad."
_DIGITS = 10


def segment_name(sequence):
    """File name of the segment whose first record is `sequence`."""
    return "%s%0*d" % (PREFIX, _DIGITS, sequence)


def segments(storage):
    """First sequences of the segments present, rising."""
    found = []
    for name in storage.names():
        if len(name) == len(PREFIX) + _DIGITS and name.startswith(PREFIX) and name[1:].isdigit():
            found.append(int(name[1:]))
    return sorted(found)


class SegmentReader:
    """Walks the records of one segment: next() gives bytes, or None at the end or at damage."""

    def __init__(self, storage, first):
        self._storage = storage
        self.first = first
        self._name = segment_name(first)
        self._window = bytearray(4 * records.MAX_LENGTH)
        self._view = memoryview(self._window)
        self._at = 0  # file offset of the window
        self._next = 0  # start of the next record in the window
        self._end = 0  # bytes of the window that are filled

    def offset(self):
        """File offset of the next record."""
        return self._at + self._next

    def next(self):
        size = self._length()
        if self._end - self._next < size or size == 0:
            self._slide()
            size = self._length()
        if size == 0 or self._end - self._next < size:
            return None
        data = bytes(self._view[self._next : self._next + size])
        self._next += size
        return data

    def _length(self):
        if self._end - self._next < 4:
            return 0
        return records.length_of(self._view[self._next : self._next + 4])

    def _slide(self):
        self._at += self._next
        self._next = 0
        self._end = self._storage.read_from(self._name, self._at, self._window)


def walk(storage, first_hash):
    """Yield (bytes, Record) of every good record in order; stops at the first that does not
    follow.

    Records met twice (a flush repeated after a failure) are passed over. After a gap the walk
    begins again at a segment that opens with a checkpoint.
    """
    last = 0
    previous = first_hash
    for first in segments(storage):
        if first > last + 1:
            restart = _checkpoint_at(storage, first)
            if restart is None:
                return
            last, previous = first - 1, restart.previous
        reader = SegmentReader(storage, first)
        while True:
            data = reader.next()
            if data is None:
                break
            try:
                entry = records.decode(data)
            except RecordError:
                break
            if entry.sequence <= last:
                continue
            if entry.sequence != last + 1 or entry.hash != records.chain(previous, data):
                break
            last = entry.sequence
            previous = entry.hash
            yield data, entry


def _checkpoint_at(storage, first):
    """The Checkpoint that opens a segment, or None."""
    data = SegmentReader(storage, first).next()
    try:
        entry = records.decode(data or b"")
        if entry.kind == records.CHECKPOINT and entry.sequence == first:
            return checkpoints.unpack(entry.payload)
    except RecordError:
        pass
    return None


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
        self._pending = []
        self._segment = None  # name of the segment being filled
        self._segment_size = 0
        self._reader = None  # (next sequence, SegmentReader) of the last read()

    def open(self, visit, known=0):
        """Walk what is stored, calling visit(record) for each good one; appends follow the last.

        A fresh segment is begun after a boot, so a torn tail is left as it lies. Segments up to
        sequence `known` that do not follow are set aside, never written over; returns how many.
        """
        for _, entry in walk(self._storage, self._first_hash):
            self.sequence = self.durable = entry.sequence
            self.hash = self.durable_hash = entry.hash
            self.balance = entry.balance
            visit(entry)
        aside = 0
        for first in segments(self._storage):
            if self.sequence < first <= max(known, self.sequence + 1):
                self._set_aside(segment_name(first))
                aside += 1
        return aside

    def _set_aside(self, name):
        """Keep what cannot be followed as evidence, under a name no segment has."""
        data = bytearray(self._storage.size(name))
        self._storage.read_from(name, 0, data)
        self._storage.commit(ASIDE + name, data)
        self._storage.remove(name)

    def resume(self, sequence, hash, balance):
        """Go on after records that were lost: the snapshot knows where the chain had been."""
        self.sequence = self.durable = sequence
        self.hash = self.durable_hash = hash
        self.balance = balance

    def append(self, kind, time, trust, amount, payload):
        """Add a record (pending until flush); returns its sequence. `amount` in nano-units."""
        data = records.encode(
            kind,
            self.sequence + 1,
            time,
            trust,
            amount,
            self.balance + amount,
            payload,
            self.hash,
        )
        self.sequence += 1
        self.balance += amount
        self.hash = data[len(data) - records.HASH_LENGTH :]
        self._pending.append(data)
        return self.sequence

    def is_pending(self):
        """True while records wait for flush()."""
        return bool(self._pending)

    def flush(self):
        """Make every pending record durable. OSError leaves them pending; call again later."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        if self._segment is None or self._segment_size >= self._segment_bytes:
            self._segment = None
            name = segment_name(self.durable + 1)
            self._storage.commit(name, data)
            self._segment = name
            self._segment_size = len(data)
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
        restart = _checkpoint_at(self._storage, sequence)
        return restart and restart.previous

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
        best = None
        for first in segments(self._storage):
            if first <= sequence:
                best = first
        return None if best is None else SegmentReader(self._storage, best)

    def _follow(self, reader, sequence):
        """(bytes of the record, the reader it came from); (None, None) when it is not there."""
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
