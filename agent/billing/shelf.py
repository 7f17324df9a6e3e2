"""The documents of a meter: the set in force, the one that follows it, dynamic prices.

A set comes into force by its journal entry; its file moves from NEXT to ACTIVE only once that
entry is durable, so after a power cut the journal's last tariff entry says which file is in
force. Every file is replaced in one commit: what is refused leaves all that is held as it was.
"""

from wattledger.agent import events
from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records

ACTIVE = "tariff.active"
NEXT = "tariff.next"
PRICES = ("prices.0", "prices.1")
SINCE_BYTES = 5  # before the document: the first slot that is charged by, unix seconds


class NextSet:
    """What is remembered of the set that follows; the rest waits in NEXT, and not in the heap."""

    def __init__(self, tariff):
        self.id = tariff.id
        self.n = tariff.n
        self.digest = tariff.digest
        self.start = tariff.start


class TariffShelf:
    """Loads, takes and moves the documents; the account holds the set in force, and the NextSet.

    `dynamic` answers for the dynamic prices, `corrections()` gives what takes a correction.
    `tidy` lets modules go between the parts of a check, where heap is short; None: they stay.
    """

    def __init__(
        self, storage, account, journal, price_limit, change_percent, corrections, tidy=None
    ):
        self._storage = storage
        self._account = account
        self._journal = journal
        self._price_limit = price_limit
        self.change_percent = change_percent
        self._unmoved = False  # the set in force still lies in NEXT
        self.wanted_id = None  # what a signed want names: the id may change to it, and to no other
        self.dynamic = dynamics.DynamicPrices()
        self.corrections = corrections
        self._tidy = tidy

    def open(self, digest, damaged):
        """Put the set with `digest` (the journal's last, None for none) in force after a boot.

        Returns (event code, value) of what had to be refused. In a damaged journal the entry may
        be lost: the file is believed, for it is written only after the entry.
        """
        found = []
        active = self._load(ACTIVE, found, digest)
        following = self._load(NEXT, found, digest)
        if following and following.digest == digest:
            # The power went between the entry and the files: finish the change.
            active, following = following, None
            self._unmoved = True
        if active and active.digest != digest and not damaged:
            found.append((events.TARIFF_REFUSED, active.n))
            active = None
        if active:
            self._account.adopt(active)
            self.dynamic.tariff_id = active.id
        if following and active:
            following = NextSet(following)
        self._account.pending = following
        for place in (0, 1):
            self.dynamic.held[place] = self._load_prices(PRICES[place], found)
        return found

    def _load(self, name, found, digest):
        try:
            data = self._read(name)
            return tariffs.load(data, self._price_limit, digest) if data else None
        except (TariffError, OSError):
            found.append((events.TARIFF_REFUSED, 0))
            return None

    def _load_prices(self, name, found):
        try:
            data = self._read(name)
            if not data:
                return None
            prices = dynamics.load(data[SINCE_BYTES:], self._price_limit)
        except (TariffError, OSError):
            found.append((events.TARIFF_REFUSED, 0))
            return None
        prices.since = int.from_bytes(data[:SINCE_BYTES], "little")
        return prices

    def hold_next(self, tariff, data):
        """Keep a Tariff and its bytes until it is due. OSError: storage does not take it."""
        self._journal.flush()  # the entry of the set in force comes before its file is moved
        self.settle()
        self._storage.commit(NEXT, data)
        # The first is wanted at once, and there is none beside it.
        self._account.pending = NextSet(tariff) if self._account.tariff else tariff

    def hold_prices(self, prices, data, place):
        """Keep a PriceList and its bytes in one of the two places. OSError: as hold_next()."""
        self._storage.commit(PRICES[place], prices.since.to_bytes(SINCE_BYTES, "little") + data)
        self.dynamic.held[place] = prices

    def in_force(self):
        """The bytes of the set in force. OSError: storage cannot be read, or written to."""
        self._journal.flush()
        self.settle()
        return self._read(ACTIVE)

    def is_corrected(self):
        """True when a correction is held: a meter that never had one need not load them."""
        return any(name.startswith("correct") for name in self._storage.names())

    def _read(self, name):
        size = self._storage.size(name)
        buffer = bytearray(size)
        return bytes(buffer[: self._storage.read_from(name, 0, buffer)]) if size else b""

    def offer(self, data, now, checked=None):
        """Take a document (bytes) at `now` (unix s); a word for the log.

        `checked` is the Tariff in it when it was checked before. TariffError says why it is
        refused, OSError that storage does not take it. A set comes into force at the first
        15-minute boundary at or after its `from`; what is held already is silent.
        """
        from wattledger.agent.billing.offer import Offer  # a document comes once a day or a year

        offer = Offer(self, self._account, self._journal, now)
        if checked is None:
            return offer.take(data, self._price_limit, self._tidy)
        return offer.take_tariff(checked, data)

    def digests(self):
        """SHA-256 of every document that is held: the set in force, the next, the prices."""
        held = (self._account.tariff, self._account.pending) + tuple(self.dynamic.held)
        return [document.digest for document in held if document]

    def turn(self, boundary, trust):
        """Put a due set in force at `boundary`; settle() moves its file."""
        account = self._account
        following = account.pending
        if following is None or boundary < following.start:
            return
        if isinstance(following, NextSet):
            account.pending = self._load(NEXT, [], following.digest)
        if account.pending is None:
            # It cannot be read now: the set in force goes on, and the next boundary tries again.
            account.pending = following
            event = payloads.pack_event(events.TARIFF_REFUSED, following.n)
            self._journal.append(records.EVENT, boundary, trust, 0, event)
            return
        if account.switch(boundary, trust):
            self._unmoved = True
            self.dynamic.tariff_id = account.tariff.id

    def settle(self):
        """Move the file of the set in force once the journal's entry is durable."""
        if self._unmoved:
            self._storage.commit(ACTIVE, self._read(NEXT))
            self._storage.remove(NEXT)
            self._unmoved = False
