"""The documents of a meter: the set in force, the one that follows it, dynamic prices.

A set comes into force by its journal entry; its file moves from NEXT to ACTIVE only once that
entry is durable, so after a power cut the journal's last tariff entry says which file is in
force. Every file is replaced in one commit: what is refused leaves all that is held as it was.
"""

from wattledger.agent import events
from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError
from wattledger.agent.values import parse_object

ACTIVE = "tariff.active"
NEXT = "tariff.next"
PRICES = ("prices.0", "prices.1")
SINCE_BYTES = 5  # before the document: the first slot that is charged by, unix seconds
# What became of an offered document, a word for the log.
HELD = "held"
TAKEN_NEXT = "next"
TAKEN_PRICES = "prices"
TAKEN_CORRECTION = "correction"


class TariffShelf:
    """Loads, takes and moves the documents; the account holds the checked sets.

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
        self._change_percent = change_percent
        self._unmoved = False  # the set in force still lies in NEXT
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
        tariff = checked
        if tariff is None:
            document = parse_object(data, tariffs.MAX_BYTES, TariffError)
            if "prices_of" in document:
                return self._offer_prices(document, data, now)
            tariff = tariffs.made(document, data, self._price_limit, self._tidy)
            document = None  # what the set does not need of it may go
            if self._tidy is not None:
                self._tidy()
        if tariff.correct:
            return self._offer_correction(tariff, data, now)
        return self._offer_set(tariff, data)

    def _offer_set(self, tariff, data):
        active = self._account.tariff
        for held in (active, self._account.pending):
            if held is None:
                continue
            if tariff.digest == held.digest:
                return HELD
            if tariff.id != held.id:
                raise TariffError(
                    ("id",),
                    "is %s, the meter has %s; a change of id needs a signed want"
                    % (tariff.id, held.id),
                )
            if tariff.n < held.n or (tariff.n == held.n and held is active):
                raise TariffError(("n",), "must be above %d, which the meter holds" % held.n)
            if tariff.n == held.n:
                raise TariffError(("n",), "%d is held already with other content" % held.n)
        if self._is_corrected() and self.corrections().has_used(tariff):
            raise TariffError(("n",), "%d was that of a correction; take the next" % tariff.n)
        if active:
            from wattledger.agent.billing.change import check_change  # with a new set only

            check_change(active, tariff, self._change_percent)
        self._journal.flush()  # the entry of the set in force comes before its file is moved
        self.settle()
        self._storage.commit(NEXT, data)
        self._account.pending = tariff
        return TAKEN_NEXT

    def _offer_prices(self, document, data, now):
        from wattledger.agent.billing.dynamic_document import admit  # once a day

        new = dynamics.made(document, data, self._price_limit)
        active = self._account.tariff
        if active is None:
            raise TariffError(("prices_of",), "there is no tariff in force yet; send that first")
        if new.correct:
            return self._correct_prices(new, data, now)
        if self._is_corrected() and self.corrections().has_used(new, True):
            raise TariffError(("n",), "%d was that of a correction; take the next" % new.n)
        place = admit(new, self.dynamic, now, min(now, self._account.start))
        if place is None:
            return HELD
        self._storage.commit(PRICES[place], new.since.to_bytes(SINCE_BYTES, "little") + data)
        self.dynamic.held[place] = new
        return TAKEN_PRICES

    def _is_corrected(self):
        # A meter that was never corrected need not load what corrects.
        return any(name.startswith("correct") for name in self._storage.names())

    def _correct_prices(self, new, data, now):
        from wattledger.agent.billing.dynamic_document import check_over

        active = self._account.tariff
        if new.id != active.id:
            raise TariffError(
                ("prices_of",), "is %s, the meter charges by %s" % (new.id, active.id)
            )
        for held in self.dynamic.held:
            if held and (held.id, held.n) == (new.id, new.n):
                raise TariffError(("n",), "%d is held already with other content" % new.n)
        check_over(new, self._account.start)
        self._journal.flush()
        self.settle()  # so that the file of the set in force is ACTIVE
        taken = self.corrections().offer(new, data, now, self._read(ACTIVE))
        return TAKEN_CORRECTION if taken else HELD

    def _offer_correction(self, tariff, data, now):
        active = self._account.tariff
        if active is None or tariff.id != active.id:
            raise TariffError(("id",), "is %s, which is not the tariff in force" % tariff.id)
        for held in (active, self._account.pending):
            if held and tariff.n == held.n:
                raise TariffError(("n",), "%d is held already with other content" % held.n)
        return TAKEN_CORRECTION if self.corrections().offer(tariff, data, now) else HELD

    def turn(self, boundary, trust):
        """Put a due set in force at `boundary`; settle() moves its file."""
        if self._account.switch(boundary, trust):
            self._unmoved = True
            self.dynamic.tariff_id = self._account.tariff.id

    def settle(self):
        """Move the file of the set in force once the journal's entry is durable."""
        if self._unmoved:
            self._storage.commit(ACTIVE, self._read(NEXT))
            self._storage.remove(NEXT)
            self._unmoved = False
