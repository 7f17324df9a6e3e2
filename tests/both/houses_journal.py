"""A journal of events that can be told apart. Portable."""

from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, walk
from wattledger.hal.sample import TRUST_SYNCED

METER = "demo-0001"
FIRST = records.first_hash(METER)


def add(journal, count, size=6):
    """Append `count` events, each worth its sequence in nano-units."""
    for _ in range(count):
        n = journal.sequence + 1
        journal.append(records.EVENT, 1000 + n, TRUST_SYNCED, n, bytes([n & 255]) * size)


def boot(storage, segment_bytes=16384):
    """A Journal as after a restart."""
    journal = Journal(storage, METER, segment_bytes)
    journal.open(lambda entry: None)
    return journal


def whole(storage):
    """How many records are found; each must be the one that add() wrote."""
    count = 0
    for data, entry in walk(storage, FIRST):
        count += 1
        assert entry.sequence == count
        assert entry.amount == count
        assert entry.balance == count * (count + 1) // 2
        assert entry.payload == bytes([count & 255]) * len(entry.payload)
        assert len(data) == entry.size
    return count
