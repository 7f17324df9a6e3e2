"""The tariff files of a meter: the set in force and the one that follows it.

A set comes into force by its journal entry; its file moves from NEXT to ACTIVE only once that
entry is durable, so after a power cut the journal's last tariff entry says which file is in
force.
"""

from wattledger.agent import events
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.errors import TariffError

ACTIVE = "tariff.active"
NEXT = "tariff.next"


class TariffShelf:
    """Loads, takes and moves the documents; the account holds the checked sets."""

    def __init__(self, storage, account, journal, price_limit):
        self._storage = storage
        self._account = account
        self._journal = journal
        self._price_limit = price_limit
        self._unmoved = False  # the set in force still lies in NEXT

    def open(self, digest, damaged):
        """Put the set with `digest` (the journal's last, None for none) in force after a boot.

        Returns (event code, value) of what had to be refused. In a damaged journal the entry may
        be lost: the file is believed, for it is written only after the entry.
        """
        found = []
        active = self._load(ACTIVE, found)
        following = self._load(NEXT, found)
        if following and following.digest == digest:
            # The power went between the entry and the files: finish the change.
            active, following = following, None
            self._unmoved = True
        if active and active.digest != digest and not damaged:
            found.append((events.TARIFF_REFUSED, active.n))
            active = None
        if active:
            self._account.adopt(active)
        self._account.pending = following
        return found

    def _load(self, name, found):
        try:
            data = self._read(name)
            return tariffs.load(data, self._price_limit) if data else None
        except (TariffError, OSError):
            found.append((events.TARIFF_REFUSED, 0))
            return None

    def _read(self, name):
        size = self._storage.size(name)
        buffer = bytearray(size)
        return bytes(buffer[: self._storage.read_from(name, 0, buffer)]) if size else b""

    def offer(self, data):
        """Take a document (bytes) as the next set; TariffError says why not.

        The set that is held already is silent. It comes into force at the first 15-minute boundary
        at or after its `from`.
        """
        tariff = tariffs.load(data, self._price_limit)
        active = self._account.tariff
        for held in (active, self._account.pending):
            if held is None:
                continue
            if tariff.digest == held.digest:
                return held
            if tariff.id != held.id:
                raise TariffError(("id",), "is %s, the meter has %s" % (tariff.id, held.id))
            if tariff.n < held.n or (tariff.n == held.n and held is active):
                raise TariffError(("n",), "must be above %d, which the meter holds" % held.n)
            if tariff.n == held.n:
                raise TariffError(("n",), "%d is held already with other content" % held.n)
        self._journal.flush()  # the entry of the set in force comes before its file is moved
        self.settle()
        self._storage.commit(NEXT, data)
        self._account.pending = tariff
        return tariff

    def turn(self, boundary, trust):
        """Put a due set in force at `boundary`; settle() moves its file."""
        if self._account.switch(boundary, trust):
            self._unmoved = True

    def settle(self):
        """Move the file of the set in force once the journal's entry is durable."""
        if self._unmoved:
            self._storage.commit(ACTIVE, self._read(NEXT))
            self._storage.remove(NEXT)
            self._unmoved = False
