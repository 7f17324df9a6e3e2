"""Feeds the book: purchases, events and tariffs of the durable journal as documents for queries.

The book is a copy. Its cursor is the last record it holds; what is missing is read again from the
journal, and a book whose last record the journal does not have is filled anew.
"""

import binascii

from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import segments, walk
from wattledger.agent.units import micro_of

RECORDS_A_CALL = 16


class BookFeed:
    """Copies what the journal has and the book lacks, a few records a call."""

    def __init__(self, book, storage, journal, meter):
        self._book = book
        self._storage = storage
        self._journal = journal
        self._first_hash = records.first_hash(meter)
        self._walk = None
        self._moved = False  # the walk found something new

    def work(self):
        """One slice. Never raises for storage: what cannot be read now is read later."""
        try:
            self._copy()
            self._book.save()
        except OSError:
            self._walk = None

    def finish(self):
        """A clean end: copy the rest and save at once."""
        try:
            while self._book.head()[0] != self._journal.durable:
                self._copy()
            self._book.save(True)
        except OSError:
            self._walk = None

    def _copy(self):
        head, _ = self._book.head()
        if head > self._journal.durable:
            self._book.clear()  # of another journal, or ahead of one that lost records
        elif head == self._journal.durable:
            return
        if self._walk is None:
            self._walk = walk(self._storage, self._first_hash, self._entrance(head))
            self._moved = False
        for _ in range(RECORDS_A_CALL):
            entry = self._next()
            if entry is None:
                self._end_walk()
                return
            if not self._take(entry):
                return

    def _entrance(self, head):
        """First sequence of the segment that holds the book's last record."""
        found = 0
        for first in segments(self._storage):
            if not found or first <= max(head, 1):
                found = first
        return found

    def _next(self):
        for _, entry in self._walk:
            return entry if entry.sequence <= self._journal.durable else None
        return None

    def _end_walk(self):
        self._walk = None
        if self._moved:
            return
        # Records after the book's last are lost: go on behind the gap.
        head, _ = self._book.head()
        later = [first for first in segments(self._storage) if first > head + 1]
        # Never ahead of the journal, or the book would begin anew, for ever.
        durable = self._journal.durable
        self._book.advance(min(later[0] - 1, durable) if later else durable, None)

    def _take(self, entry):
        """Copy one record; False when the book turns out to be of another journal."""
        head, hash = self._book.head()
        if entry.sequence == head and hash not in (None, _text(entry.hash)):
            self._book.clear()
            self._walk = None
            return False
        if entry.sequence <= head:
            return True
        self._moved = True
        found = _document(entry)
        if found:
            self._book.add(found[0], found[1])
        self._book.advance(entry.sequence, _text(entry.hash))
        return True


def _text(hash):
    return binascii.hexlify(hash).decode()


def _document(entry):
    """(table, document) of a record that belongs in the book, or None."""
    kind = records.KINDS[entry.kind]
    document = {"sequence": entry.sequence, "time": entry.time, "trust": entry.trust, "kind": kind}
    if entry.kind in (records.CREDIT, records.REFUND, records.TOKEN):
        if entry.kind != records.TOKEN:
            document["n"] = readers.unpack_credit(entry.payload)[0]
        document["amount_micro"] = micro_of(entry.amount)
        document["balance_micro"] = micro_of(entry.balance)
        return "purchases", document
    if entry.kind == records.EVENT:
        document["code"], document["value"] = readers.unpack_event(entry.payload)
        snapshot = readers.unpack_snapshot(entry.payload)
        if snapshot:
            document["snapshot"] = list(snapshot)
        return "events", document
    if entry.kind == records.RELAY:
        operation, reasons, cause, _ = readers.unpack_relay(entry.payload)
        document["operation"], document["reasons"], document["cause"] = operation, reasons, cause
        return "events", document
    if entry.kind == records.MESSAGE:
        document["text"] = entry.payload.decode()
        return "messages", document
    if entry.kind == records.TARIFF:
        document["n"], digest, document["id"] = readers.unpack_tariff(entry.payload)
        document["sha256"] = _text(digest)
        return "tariffs", document
    return None
