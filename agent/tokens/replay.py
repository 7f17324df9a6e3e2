"""Which tokens were taken: the token identifiers of STS, the counts of OpenPAYGO."""

TIDS = 64
TID_BYTES = 3
MAX_TID = 0xFFFFFF

JUMP = 64  # an OpenPAYGO count may be this far above the highest
SYNC_JUMP = 100  # that of a counter sync
OLDER = 16  # how far below the highest an unused token still counts
ALL_USED = (1 << OLDER) - 1

NEW = 0
IS_OLD = 1
IS_USED = 2


class TidMemory:
    """64 identifiers, smallest first. A new one takes the place of the smallest, so whatever was
    forgotten is below all that are remembered, and OLD."""

    def __init__(self, floor=0):
        self.data = bytearray()
        self.preset(floor)

    def preset(self, floor):
        """Forget all; nothing below `floor` is taken, and `floor` counts as used."""
        self.data = bytearray(floor.to_bytes(TID_BYTES, "big") * TIDS)

    def _at(self, index):
        at = index * TID_BYTES
        return self.data[at] << 16 | self.data[at + 1] << 8 | self.data[at + 2]

    def check(self, tid):
        """NEW, IS_OLD or IS_USED."""
        if tid < self._at(0):
            return IS_OLD
        for index in range(TIDS):
            if self._at(index) == tid:
                return IS_USED
        return NEW

    def add(self, tid):
        """Remember a new one."""
        if self.check(tid) != NEW:
            return
        index = 0
        while index + 1 < TIDS and self._at(index + 1) < tid:
            index += 1
        end = index * TID_BYTES
        self.data[:end] = self.data[TID_BYTES : end + TID_BYTES]
        self.data[end : end + TID_BYTES] = tid.to_bytes(TID_BYTES, "big")


class CountMemory:
    """The highest count taken, and which of the 16 up to it were; no count is taken twice.

    It never falls: a counter sync that lowered it would make used tokens good again.
    """

    def __init__(self, highest=0, used=ALL_USED):
        self.highest = highest
        self.used = used  # bit i: highest - i was taken, or is no longer taken

    def check(self, count, adds, syncs):
        """NEW, IS_OLD (beyond all windows) or IS_USED."""
        ahead = count - self.highest
        if ahead > (SYNC_JUMP if syncs else JUMP):
            return IS_OLD
        if ahead > 0:
            return NEW
        # Late tokens only add; the rest replaced whatever came before them.
        if adds and -ahead < OLDER and not self.used >> -ahead & 1:
            return NEW
        return IS_USED

    def add(self, count, adds):
        """Take a count that check() found new."""
        ahead = count - self.highest
        if ahead <= 0:
            self.used |= 1 << -ahead
            return
        self.highest = count
        self.used = (self.used << ahead | 1) & ALL_USED if adds else ALL_USED
