"""Segment files: named `j` and the first sequence they hold, walked a record at a time."""

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import record as records

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


def set_aside(storage, name):
    """Keep what cannot be followed as evidence, under a name no segment has."""
    data = bytearray(storage.size(name))
    storage.read_from(name, 0, data)
    storage.commit(ASIDE + name, data)
    storage.remove(name)


def checkpoint_at(storage, first):
    """(Record, Checkpoint) that open a segment, or None when it opens with something else."""
    from wattledger.agent.journal import checkpoint as checkpoints  # at a boot, and for retention

    data = SegmentReader(storage, first).next()
    try:
        entry = records.decode(data or b"")
        if entry.kind == records.CHECKPOINT and entry.sequence == first:
            checkpoint = checkpoints.unpack(entry.payload)
            if records.chain(checkpoint.previous, data) == entry.hash:
                return entry, checkpoint
    except RecordError:
        pass
    return None


class SegmentReader:
    """Walks the records of one segment: next() gives bytes, or None at the end or at damage."""

    def __init__(self, storage, first):
        self._storage = storage
        self.first = first
        self.until = None  # first sequence of the next segment: what lies here from it on is dead
        self._name = segment_name(first)
        self._window = bytearray(records.MAX_LENGTH + 128)
        self._view = memoryview(self._window)
        self._at = 0  # file offset of the window
        self._next = 0  # start of the next record in the window
        self._end = 0  # bytes of the window that are filled

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


def walk(storage, first_hash, start=0):
    """Yield (bytes, Record) of every good record from segment `start` on, in order; stops at the
    first that does not follow.

    Records met twice (a flush repeated after a failure) are passed over. The oldest segment kept,
    `start`, and one after a gap are entered through the checkpoint that opens them.
    """
    last = 0
    previous = first_hash
    for first in segments(storage):
        if first < start:
            continue
        if first > last + 1:
            restart = checkpoint_at(storage, first)
            if restart is None:
                return
            last, previous = first - 1, restart[1].previous
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
