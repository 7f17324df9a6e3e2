"""What a root calls for the application's sake: the trial, the next update, the way back.

    wholeness = Wholeness(files)
    running = slots.choose(storage, wholeness)         # at boot, before an APP module is imported
    ...
    updates = Updates(agent, storage, files, keys, "esp32", running, wholeness.damaged, mirror,
                      link, link_clock)
    ... once a turn:  if updates.work(): the root ends cleanly and restarts

The parts that judge, fetch and verify are loaded when there is something to do.
"""

from wattledger.agent import events
from wattledger.firmware import app_state, slots

LOOK_S = 10  # powered seconds between two looks while nothing is to be done
KEEP_S = 86400  # the way back is kept so long after the new one has proven itself


class NoMirror:
    """A place for the floor outside of storage, which a lost store does not take along: here none.

    On an ESP32 it is a number in NVS.
    """

    def read(self):
        """The highest sequence that ever proved itself, 0 for none."""
        return 0

    def write(self, sequence):
        """Keep it. OSError."""


class Updates:
    """`work()` once a turn: True when the root should restart now."""

    def __init__(
        self,
        agent,
        storage,
        files,
        public_keys,
        hw_class,
        running,
        damaged,
        mirror,
        link,
        link_clock,
    ):
        self._agent = agent
        self._storage = storage
        self._files = files
        self._keys = public_keys
        self._hw_class = hw_class
        self._running = running
        self._mirror = mirror
        self._link = link
        self._link_clock = link_clock
        self._updater = None
        self._fetcher = None
        self._moment = None
        self._looked_s = None
        self._holds_another = True  # the way back, until it may be written over
        self._restart = False
        self._said = None
        self._began_s = agent.time.powered_s
        self.trial = None
        self.more = False  # there is more to do at once
        self.idle = False  # nothing to do before another application is wanted than `floor` tells
        self.why_not = ""  # what an application that waits for its restart waits for
        self._begin(slots.load(storage), damaged)

    def _begin(self, selection, damaged):
        agent = self._agent
        app_state.tell_lost(agent, self._storage, selection, damaged)
        self.floor = app_state.floor(self._mirror, selection)
        if self._running is None:
            if selection.failed:
                self._tell_refused(self._why_failed(selection))
            return
        if selection.slot == self._running and selection.tries != slots.PROVEN:
            from wattledger.firmware.trial import Trial

            self.trial = Trial(agent, selection.sequence, selection.linked)
        agent.application = app_state.told(selection, self._running, self.trial is None)
        if selection.failed > agent.application["seq"]:
            self._tell_refused(self._why_failed(selection))

    def work(self):
        """A slice of what is to be done."""
        if self._restart:
            return True
        self.more = False
        try:
            if self.trial is not None:
                return self._judge()
            now = self._agent.time.powered_s
            if not self._is_busy() and now == self._looked_s:
                return False
            if self._is_busy() or self._looked_s is None or now - self._looked_s >= LOOK_S:
                self._looked_s = now
                return self._go_on(now)
        except OSError:
            pass  # the store does not take it: the next turn tries again
        return False

    def _judge(self):
        """The trial goes on, or its end is written down."""
        passed = self.trial.work()
        if passed is None:
            return False
        agent = self._agent
        sequence = slots.load(self._storage).sequence
        if passed:
            slots.good(self._storage, agent.time.powered_s)
            self.trial = None
            self.floor = max(self.floor, sequence)
            agent.report(events.APP_PROVEN, sequence)
            agent.keeper.now()  # before the hello says it, which no power cut takes back
            agent.application["proven"] = True
            if agent.sender:
                agent.sender.ask_hello()
            self._mirror.write(self.floor)
            return False
        slots.revert(self._storage)
        return self._end()

    def _end(self):
        self._agent.keeper.now()
        self._restart = True
        return True

    def _is_busy(self):
        return self._updater is not None and self._updater.busy

    def _go_on(self, now):
        if not self._is_busy():
            self._release(now)
        desk = self._agent.documents
        wanted = desk.want.firmware if desk is not None and desk.want else 0
        self.idle = wanted <= self.floor and not self._holds_another
        if self._link is None or wanted <= self.floor:
            return False
        if self._updater is None:
            self._load()
        self.more = self._updater.work(wanted)
        self._say(self._updater.why and "%d: %s" % (wanted, self._updater.why))
        if self._updater.ready is None:
            return False
        self.why_not = self._moment.why_not()
        if self.why_not:
            return False
        self._updater.install(self._link.is_up())
        return self._end()

    def _say(self, why):
        """The utility sees in the next hello why the last one was refused."""
        if why != self._said:
            self._said = why
            self._tell_refused(why)
            self._agent.sender.ask_hello()

    def _why_failed(self, selection):
        return "%d: was given up" % selection.failed

    def _tell_refused(self, why):
        if self._agent.application is None:
            self._agent.application = {"seq": 0, "digest": None, "proven": False}
        self._agent.application["refused"] = why

    def _load(self):
        from wattledger.agent.moment import Moment
        from wattledger.firmware.fetch import Fetcher
        from wattledger.firmware.update import Updater

        agent = self._agent
        if self._fetcher is None:
            config = agent.config
            self._fetcher = Fetcher(self._link, self._link_clock, config.tenant, config.meter)
            agent.listeners[self._fetcher.topic] = self._fetcher.hear
        self._moment = Moment(agent)
        self._updater = Updater(
            self._storage,
            self._files,
            self._keys,
            self._hw_class,
            self._running,
            self.floor,
            self._fetcher,
            self._link_clock,
            agent.report,
        )

    def _release(self, now):
        """After a day the slot of the one before may be written over."""
        selection = slots.load(self._storage)
        self._holds_another = selection.before is not None
        if selection.before is None or selection.tries != slots.PROVEN:
            return
        # Powered time that went back is of a lost snapshot: then the day begins with this start.
        since = selection.since if selection.since <= now else self._began_s
        if now - since >= KEEP_S and self._running == selection.slot:
            slots.release(self._storage)
