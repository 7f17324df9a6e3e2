"""The trial of a new application: what has to go well within ten minutes of its start.

Good readings for a minute, a journal entry written and read back, the relay's contact where it
was told to be, heap left, and an entry that the utility acknowledges by its signature. The last
only when the link was up before the restart: a network that was gone already proves nothing.
"""

import gc

from wattledger.agent import events
from wattledger.hal.sample import QUALITY_OK

TRIAL_S = 600
CHIP_S = 60
LEAST_HEAP = 20480


def free_heap():
    """Bytes, or None where the interpreter does not say."""
    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else None


class Trial:
    """`work()` once a turn: True when it is passed, False when its time is over, else None.

    `lacking` says for people what has not gone well so far.
    """

    def __init__(self, agent, sequence, needs_link, heap=free_heap):
        self._agent = agent
        self._needs_link = needs_link
        self._heap = heap
        self._began_s = self._good_since = agent.time.powered_s
        self._looked_s = None
        agent.report(events.APP_STARTED, sequence)
        self._sequence = agent.journal.sequence
        self.lacking = "chip"

    def work(self):
        """A look, at most once a second."""
        now = self._agent.time.powered_s
        meter = self._agent.meter
        if meter.missed or meter.quality != QUALITY_OK:
            self._good_since = now
        if now == self._looked_s:
            return None
        self._looked_s = now
        self.lacking = self._find_lacking(now)
        if not self.lacking:
            return True
        return False if now - self._began_s >= TRIAL_S else None

    def _find_lacking(self, now):
        agent = self._agent
        if now - self._good_since < CHIP_S:
            return "chip"
        if not agent.control.agrees():
            return "relay"
        if not agent.ledger.missing and not self._is_written():
            return "journal"
        if self._needs_link and not self._is_heard():
            return "link"
        free = self._heap()  # last, for it collects
        if free is not None and free < LEAST_HEAP:
            return "heap"
        return ""

    def _is_heard(self):
        agent = self._agent
        if agent.sender is None or agent.ledger.missing:
            return agent.is_linked()  # there is no entry to be acknowledged
        return agent.sender.acknowledged >= self._sequence

    def _is_written(self):
        agent = self._agent
        if agent.journal.durable < self._sequence and not agent.keeper.now():
            return False
        try:
            data = agent.journal.read(self._sequence)
        except OSError:
            return False
        return data is not None
