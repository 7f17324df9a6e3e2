"""The audit: the whole journal summed and its chain followed, a few records at a time.

A boot trusts the newest snapshot and the last segment; this proves the rest while the meter works.
"""

from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import walk
from wattledger.agent.units import NANO_PER_MICRO

SLICE = 4  # records a step
MOVING = (records.CREDIT, records.REFUND, records.TOKEN)


class Audit:
    """work() a slice; `sound` is None while it runs, then whether all was whole up to `until`."""

    def __init__(self, storage, first_hash, until, recent):
        self._walk = walk(storage, first_hash)
        self._until = until
        self._recent = recent  # how many of the last purchases to remember
        self._balance = None
        self.last = None  # sequence of the last good record
        self.sound = None
        self.purchases = []  # (unix, micro-units, n), newest first

    def work(self):
        """Check the next records. OSError leaves it where it stands."""
        for _ in range(SLICE):
            if self.sound is not None:
                return
            item = next(self._walk, None)
            if item is None:
                self.sound = self.last is not None and self.last >= self._until
            else:
                self._check(item[1])

    def _check(self, entry):
        follows = self.last is None or entry.sequence == self.last + 1
        if self._balance is not None and entry.balance != self._balance + entry.amount:
            follows = False
        if not follows:
            self.sound = False
            return
        self.last = entry.sequence
        self._balance = entry.balance
        if entry.kind in MOVING and (entry.amount > 0 or entry.kind == records.REFUND):
            from wattledger.agent.journal import payload_read as readers  # let go again after it

            taken = entry.kind == records.TOKEN
            unpack = readers.unpack_token if taken else readers.unpack_credit
            n = unpack(entry.payload)[2 if taken else 0]
            purchase = (entry.time, entry.amount // NANO_PER_MICRO, n)
            self.purchases = [purchase] + self.purchases[: self._recent - 1]
        if entry.sequence >= self._until:
            self.sound = True
