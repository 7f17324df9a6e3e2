"""Retention: which sealed segments may go, and what is kept of them outside the chain.

A segment goes when the utility holds it and it is older than the retention, or when room is short,
acknowledged or not. Its credits, refunds, adjustments and corrections are copied first, and the
freezes of its billing cycles.
"""

from wattledger.agent.journal import record as records
from wattledger.agent.journal.payload import CYCLE_ENDED
from wattledger.agent.journal.segments import (
    SegmentReader,
    checkpoint_at,
    segment_name,
    segments,
)
from wattledger.agent.units import DAY_S

KEPT = "kept"
KEPT_RECORDS = 200
KEPT_FREEZES = 13  # a year of months and the one that runs
KEPT_KINDS = (
    records.CREDIT,
    records.TOKEN,
    records.REFUND,
    records.ADJUST,
    records.CORRECTION,
)
ROOM_SEGMENTS = 2  # free room that is always left for money and relay entries


class Retention:
    """`days` of history, at most `limit_bytes` of segments of `segment_bytes` each."""

    def __init__(self, storage, days, limit_bytes, segment_bytes):
        self._storage = storage
        self._keep_s = days * DAY_S
        self._limit = max(limit_bytes - ROOM_SEGMENTS * segment_bytes, segment_bytes)
        self._room = ROOM_SEGMENTS * segment_bytes

    def expired(self, now, acknowledged):
        """Drop what the utility holds and nobody needs; True when a segment went."""
        present = segments(self._storage)
        count, follows = self._oldest(present)
        if not count or acknowledged < present[count] - 1 or follows.time > now - self._keep_s:
            return False
        self._drop(present[:count])
        return True

    def crowded(self, short=False):
        """When room is short (or storage said so), drop the oldest sealed segment whatever it
        holds: the last sequence lost, or 0 when nothing had to go."""
        present = segments(self._storage)
        size = sum([self._storage.size(segment_name(first)) for first in present])
        if not short and size <= self._limit and self._storage.free() >= self._room:
            return 0
        count, _ = self._oldest(present)
        if not count:
            return 0
        self._drop(present[:count])
        return present[count] - 1

    def _oldest(self, present):
        """How many of the oldest segments go together, and the checkpoint (Record) after them; 0
        and None when none may. One that a failed write began opens with no checkpoint, so nobody
        could enter the journal there: it goes with the one before it."""
        for count in range(1, len(present)):
            follows = checkpoint_at(self._storage, present[count])
            if follows:
                return count, follows[0]
        return 0, None

    def _drop(self, gone):
        money = []
        for first in gone:
            reader = SegmentReader(self._storage, first)
            data = reader.next()
            while data is not None:
                if data not in money and (data[1] in KEPT_KINDS or _ends_cycle(data)):
                    money.append(data)
                data = reader.next()
        if money:
            self._keep(money)
        for first in reversed(gone):  # the power may go between two: the oldest can be entered
            self._storage.remove(segment_name(first))

    def _keep(self, money):
        """Add records to the kept file; the oldest give way."""
        held = bytearray(self._storage.size(KEPT))
        self._storage.read_from(KEPT, 0, held)
        kept = split(held)
        for data in money:
            if data not in kept:  # the power went between the copy and the removal
                kept.append(data)
        try:
            self._storage.commit(KEPT, b"".join(_newest(kept)))
        except OSError:
            # Full: the segment has to go to make room at all; the utility's copy has its money.
            return


def _ends_cycle(data):
    return data[1] == records.FREEZE and data[records.HEAD_LENGTH] & CYCLE_ENDED


def _newest(kept):
    """The records that are kept: so many of money, so many freezes, in their order."""
    frozen = [data for data in kept if data[1] == records.FREEZE]
    money = [data for data in kept if data[1] != records.FREEZE]
    gone = frozen[:-KEPT_FREEZES] + money[:-KEPT_RECORDS]
    return [data for data in kept if data not in gone]


def split(data):
    """The records in the bytes of a kept file."""
    found = []
    at = 0
    size = records.length_of(data[:4])
    while size and at + size <= len(data):
        found.append(bytes(data[at : at + size]))
        at += size
        size = records.length_of(data[at : at + 4])
    return found
