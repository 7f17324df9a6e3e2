"""What the energy has cost and earned since counting began: sums of the journal, kept beside it.

Home Assistant adds up what a total grew by, so a total must not lose what was counted before a
boot and must not count an entry twice: sums and the last sequence in them are one small file,
and the entries after it are read again. What the open interval has accrued is on top, as in
the balance that people see.
"""

import binascii
import struct

from wattledger.agent.billing.calendar import EPOCH_2000, civil
from wattledger.agent.errors import RecordError
from wattledger.agent.journal import record as records
from wattledger.agent.units import DAY_S

STORE = "home"
FORMAT = "<BqqIQ"  # version, cost and earned (nano), last sequence, unix seconds it began
VERSION = 1
SIZE = struct.calcsize(FORMAT)
ENTRIES_A_CALL = 8
KEEP_EVERY = 16  # entries
# What is a cost beside the import in the intervals. A debt was spent on other things, and what a
# person pays in or a token takes away is none.
CHARGES = (records.STANDING, records.DEMAND, records.MINIMUM, records.ADJUST)


class Costs:
    """`cost` and `earned` in nano-units as of the last durable entry; `since` as ISO 8601."""

    def __init__(self, agent):
        self._agent = agent
        self.cost = 0
        self.earned = 0
        self._sequence = None  # the last entry in the sums
        self._began = 0
        self._kept = None  # the sequence in the file
        self._shown = (0, 0)

    def work(self):
        """Take a few entries that are new; True when there are more."""
        journal = self._agent.journal
        if self._sequence is None:
            self._recover()
        left = ENTRIES_A_CALL
        while left and self._sequence < journal.durable:
            if not self._take(journal.read(self._sequence + 1)):
                self._begin()
            left -= 1
        if self._kept is None or self._sequence - self._kept >= KEEP_EVERY:
            self._keep()
        return self._sequence < journal.durable

    def read(self):
        """(cost, earned) in nano-units of what is durable and what the open interval accrued.

        Catches up first, after a boot with up to KEEP_EVERY entries: a total that begins too low
        would be a new meter to who adds it up.
        """
        while self.work():
            pass
        agent = self._agent
        journal = agent.journal
        if self._sequence == journal.durable == journal.sequence:
            account, kept = agent.account, agent.ledger.state
            cost, earned = split(
                account.parts(
                    max(kept.import_wh, account.start_import),
                    max(kept.export_wh, account.start_export),
                )
            )
            self._shown = (self.cost + cost, self.earned + earned)
        return self._shown

    def since(self):
        """When counting began, ISO 8601 in UTC."""
        days, second = divmod(self._began - EPOCH_2000, DAY_S)
        return "%04d-%02d-%02dT%02d:%02d:%02d+00:00" % (
            civil(days) + (second // 3600, second // 60 % 60, second % 60)
        )

    def _recover(self):
        data = bytearray(SIZE + 4)
        try:
            size = self._agent.storage.read_from(STORE, 0, data)
        except OSError:
            size = 0
        whole = size == SIZE + 4 and data[0] == VERSION
        if whole and struct.unpack_from("<I", data, SIZE)[0] == _check(data):
            _, self.cost, self.earned, sequence, self._began = struct.unpack_from(FORMAT, data, 0)
            if sequence <= self._agent.journal.durable:
                self._sequence = self._kept = sequence
                self._shown = (self.cost, self.earned)
                return
        self._begin()

    def _begin(self):
        """Count from now on: there is no memory, or entries are gone that were not counted."""
        self.cost = self.earned = 0
        self._shown = (0, 0)
        self._began = max(self._agent.time.unix(), EPOCH_2000)
        self._sequence = self._agent.journal.durable
        self._kept = None

    def _take(self, data):
        if data is None:
            return False
        try:
            entry = records.decode(data)
        except RecordError:
            return False
        if entry.kind == records.INTERVAL:
            # Once in a quarter of an hour: a small heap need not hold it between.
            from wattledger.agent.journal.payload_read import unpack_interval

            cost, earned = split(unpack_interval(entry.payload).parts)
            self.cost += cost
            self.earned += earned
        elif entry.kind in CHARGES:
            self.cost -= entry.amount
        self._sequence = entry.sequence
        return True

    def _keep(self):
        data = struct.pack(FORMAT, VERSION, self.cost, self.earned, self._sequence, self._began)
        try:
            self._agent.storage.commit(STORE, data + struct.pack("<I", _check(data)))
        except OSError:
            return  # the next entry tries again
        self._kept = self._sequence


def split(parts):
    """(cost of the import, earned by the export) of an interval's parts, nano-units."""
    from wattledger.agent.journal.payload import EXPORT

    cost = earned = 0
    for part in parts:
        if part.band & EXPORT:
            earned += part.amount()
        else:
            cost -= part.amount()
    return cost, earned


def _check(data):
    return binascii.crc32(memoryview(data)[:SIZE])
