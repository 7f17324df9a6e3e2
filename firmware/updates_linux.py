"""The updates of a meter on a Raspberry Pi, and what its log says of them."""

import os

from wattledger.firmware import release_linux
from wattledger.firmware.launch_linux import DAMAGED
from wattledger.firmware.updates import Updates
from wattledger.hal.clock.host_linux import HostClock


class PiUpdates:
    """`work()` once a turn, as Updates: True when the process should end and be started again.

    `more` is True while there is more to do at once.
    """

    def __init__(self, agent, storage, public_keys, root, link, log, environment=os.environ):
        self._log = log
        self._said = None
        running = release_linux.running(root)
        self._updates = Updates(
            agent,
            storage,
            release_linux.files_of(root),
            public_keys or {},
            release_linux.HW_CLASS,
            running,
            environment.get(DAMAGED, ""),
            release_linux.FileMirror(root),
            link,
            HostClock(),
        )
        self._agent = agent
        if running:
            trial = ", on trial" if self._updates.trial else ""
            log("application %d runs%s" % (agent.application["seq"], trial))

    @property
    def more(self):
        return self._updates.more

    def work(self):
        ends = self._updates.work()
        said = self._state(ends)
        if said != self._said:
            self._said = said
            if said:
                self._log(said)
        return ends

    def _state(self, ends):
        updates = self._updates
        if updates.trial is not None:
            if ends:
                return "the application has not proven itself: the one before is started"
            return "the application has yet to prove: %s" % updates.trial.lacking
        if ends:
            return "the next application is started"
        if updates.why_not:
            return "the next application waits for: %s" % updates.why_not
        application = self._agent.application or {}
        if application.get("refused"):
            return "application refused: %s" % application["refused"]
        return "the application has proven itself" if application.get("proven") else ""
