"""The end of the meter's certificate is told in time: at 90, 30 and 7 days, and when it is there.

Without it no broker takes the meter any more; metering, supply and tokens go on.
"""

from wattledger.agent import events
from wattledger.agent.units import DAY_S
from wattledger.hal.sample import TRUST_UNKNOWN

STORE = "certificate"
LEVELS = (90, 30, 7, 0)  # days left
EVERY_S = 3600
END_BYTES = 5


class CertificateWatch:
    """`work()` now and then; `ends` is the last unix second of the certificate.

    `time` is the agent's Timekeeper, `report` writes an event down. What was told of this end is
    remembered in `storage`, so that each is told once.
    """

    def __init__(self, ends, storage, time, report):
        self._ends = ends
        self._storage = storage
        self._time = time
        self._report = report
        self._due_s = 0  # powered seconds
        self._told = 0  # how many of LEVELS
        self._of = ends.to_bytes(END_BYTES, "little")
        kept = bytearray(END_BYTES + 1)
        try:
            storage.read_from(STORE, 0, kept)
        except OSError:
            pass  # told once more
        if kept[:END_BYTES] == self._of:
            self._told = kept[END_BYTES]

    def work(self):
        """Look at the date, once an hour."""
        now = self._time.powered_s
        if now < self._due_s or self._time.trust() == TRUST_UNKNOWN:
            return
        self._due_s = now + EVERY_S
        left = self._ends - self._time.unix()
        passed = sum(1 for level in LEVELS if left <= level * DAY_S)
        if passed <= self._told:
            return
        self._told = passed
        try:
            # A meter that was off for long tells the nearest alone.
            if LEVELS[passed - 1]:
                self._report(events.CERTIFICATE_ENDS, max(left // DAY_S, 0))
            else:
                self._report(events.CERTIFICATE_ENDED, 0)
            self._storage.commit(STORE, self._of + bytes((passed,)))
        except OSError:
            pass  # told once more after the next boot
