"""The agent: one deterministic function of its inputs, driven by two calls.

tick() reads the chip: no allocation, no wall time. step() does bounded pieces of everything else
and returns the milliseconds until it wants the next. The order in step() is: time, chip,
intervals, supply, storage, messages, people.
"""

from wattledger.agent import events
from wattledger.agent.billing.forecast import Prospect
from wattledger.agent.billing.intervals import Intervals
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.keeper import Keeper
from wattledger.agent.ledger import Ledger
from wattledger.agent.metering import ladder
from wattledger.agent.metering.meter import Meter
from wattledger.agent.metering.watch import Watch
from wattledger.agent.supply.control import SupplyControl
from wattledger.agent.supply.rules import REMOTE
from wattledger.agent.supply.states import Supply
from wattledger.agent.timekeeping import Timekeeper
from wattledger.hal.sample import TRUST_SYNCED

ROTATED = ("keys.a", "keys.b")  # the stores of rotation.py, overrides.py and message.py
SETTINGS = "settings"
MESSAGE = "message"
BUSY_MS = 10
FLIGHT_MS = 100  # how often the broker's acknowledgements are looked for while the journal waits


class Agent:
    """Wired by constructor arguments (hal/contract.py); `link`, `page` and `book` may be None.

    `clock` is the meter's time, `link_clock` the wall time of messages and people; `gate_key` the
    second secret that a remote opening needs (none: it takes none); `token_key` the decoder key of
    its tokens; `public_keys` of those who sign documents (kid: 64 bytes);
    `firmware` names this build, `cause` why it restarted; `inputs` are the switches of cover and
    magnet, None where there are none; `calibration` is the CRC-32 of the chip's, 0 for nominal;
    `tidy`, of a root short of heap, lets go of modules that only one piece of work needed.
    """

    def __init__(
        self,
        config,
        chip,
        relay,
        clock,
        link_clock,
        entropy,
        storage,
        link=None,
        page=None,
        device_key=b"",
        gate_key=b"",
        token_key=b"",
        public_keys=None,
        firmware="",
        cause="power",
        book=None,
        inputs=None,
        calibration=None,
        tidy=None,
    ):
        self.config = config
        self._calibration = calibration
        self._tidy = tidy
        self.firmware = firmware
        self.cause = cause
        self._link_clock = link_clock
        self._link = link
        self._people = None
        self.storage = storage
        self._entropy = entropy
        self.gated = bool(gate_key)
        self.message = None  # {"time", "text", "until"} of the utility
        self.assistance = None  # an Assistance, while the utility asks for one or has it
        self.failures = 0  # exceptions that the root contained since the boot
        self.refuted = 0  # the last sequence that the utility named with another hash
        self.meter = Meter(chip, clock, config)
        self.ledger = Ledger(storage, config, tidy)
        self.account = self.ledger.account
        self.journal = self.ledger.journal
        self.time = Timekeeper(clock)
        self.supply = Supply()
        self.keeper = Keeper(
            config, clock, self.meter, self.ledger, self.supply, self.time, self.report
        )
        self.intervals = Intervals(
            config, clock, self.meter, self.ledger, self.keeper, self.supply, self.time
        )
        self.control = SupplyControl(
            config,
            relay,
            clock,
            link_clock,
            self.meter,
            self.ledger,
            self.keeper,
            self.supply,
            self.time,
            entropy,
            self.report,
        )
        self.keeper.control = self.control
        self.watch = Watch(
            config, self.meter, self.time, storage, inputs, self.control.is_open, self._note
        )
        self.tokens = self.keypad = None
        if config.token:
            self._take_tokens(storage, token_key, chip.phases)
        self._view = None
        if page is not None:
            self.open_to_people(page)
        self.prospect = Prospect(storage)
        self._feed = None
        if book is not None:
            # Only boards with room for a book load this.
            from wattledger.agent.journal.book import BookFeed

            self._feed = BookFeed(book, storage, self.journal, config.meter)
        self.talk = self.keyring = self.sender = self.desk = self.documents = None
        self.application = None  # of a meter with slots: {"seq", "digest", "proven", "refused"}
        self.listeners = {}  # topic: what hears (data) of it, beside commands and documents
        if link is not None:
            # An ESP32's core alone has no link, and no heap to spare for what talks by one.
            from wattledger.agent.comms.conversation import Conversation

            self.secrets = (device_key, gate_key)
            self.talk = Conversation(self, link, link_clock, entropy, self.secrets, public_keys)
            self.keyring, self.sender = self.talk.keyring, self.talk.sender
            self.desk, self.documents = self.talk.desk, self.talk.documents

    @property
    def view(self):
        """What the link and displays show (display/view.py). A core without an application has
        neither, nor the heap for it."""
        if self._view is None:
            from wattledger.agent.display.view import View

            self._view = View(self)
        return self._view

    def open_to_people(self, page):
        """Show the view at `page` from now on, and hear who is there; in place of any before."""
        from wattledger.agent.people import People

        if page.show is not None:
            # Where somebody looks: a meter with a button alone has no heap to spare for it, and
            # must run without an application, which brings this.
            from wattledger.agent.display.home import HomeView

            self._view = HomeView(self)
        self._people = People(self, page, self._link_clock)

    def _take_tokens(self, storage, key, phases):
        # Here, because a meter without tokens has no heap to spare for them.
        from wattledger.agent.tokens.desk import TokenDesk
        from wattledger.agent.tokens.keypad import Keypad

        desk = TokenDesk(self, storage, self.config.token, key, phases)
        self.tokens = self.ledger.tokens = desk
        self.keypad = Keypad(desk, self._link_clock)

    def start(self, tariff=None, checked=None):
        """Recover from storage, set the chip up, open an interval. The relay is never moved here.

        `tariff` is a document (bytes) that provisioning brings; TariffError when it is refused.
        `checked` is the Tariff in it: a root short of heap checks it before it makes the agent.
        """
        self.let_go()
        state = self.ledger.open()
        self.let_go()
        self.time.restore(
            self.ledger.last_time(), self.ledger.last_powered_s(), state.clock_budget_s
        )
        self.watch.recover()
        if tariff is not None:
            self.ledger.shelf.offer(tariff, self.time.unix(), checked)
            self.let_go()
        self._restore_registers(state)
        state.boots += 1
        self.ledger.go_on(self.time.unix(), self.time.trust())
        self.keeper.acknowledged = state.acknowledged
        if self.sender:
            self.sender.start_at(state.acknowledged)
        self.intervals.recover(state)
        for code, value in self.ledger.found:
            self.report(code, value)
        self.report(events.STARTED, state.boots)
        self.control.recover(state)
        if state.remote_opens or state.reasons & REMOTE:
            self.remote().recover(state)
        if self.tokens:
            self.tokens.apply_limits()
        self._recall()
        self.meter.begin()
        self.let_go()
        if self._calibration is None:
            self.keeper.now()
        else:
            self._take_calibration()

    def let_go(self):
        """Of modules that the piece of work before needed, where heap is short."""
        if self._tidy is not None:
            self._tidy()

    def _take_calibration(self):
        from wattledger.agent.metering import provenance  # at a boot only

        new = provenance.is_new(self.storage, self._calibration)
        if new:
            provenance.close_rest(self.meter.register, self.report, self._calibration)
        self.keeper.now()
        if new and not self.keeper.failed:
            provenance.keep(self.storage, self._calibration)

    def _recall(self):
        """What the utility has set or said; a meter where it has not loads nothing."""
        if self.desk and any(self.storage.size(name) for name in ROTATED):
            from wattledger.agent.comms.rotation import restore

            restore(self)
        if self.storage.size(SETTINGS):
            from wattledger.agent.overrides import restore

            restore(self)
        if self.storage.size(MESSAGE):
            from wattledger.agent.message import load

            self.message = load(self.storage)

    def remote(self):
        """The openings that the utility orders."""
        if self.control.remote is None:
            # Rare, and a meter's heap is better free for other things until there is one.
            from wattledger.agent.comms.remote_open import RemoteOpening

            self.control.remote = RemoteOpening(self, self.storage, self._entropy)
        return self.control.remote

    def _restore_registers(self, state):
        register = self.meter.register
        register.restore(state.import_wh, state.import_rest, state.export_wh, state.export_rest)
        # Records after the slot may know of more energy: registers never go down.
        start_import, start_export = self.account.start_import, self.account.start_export
        if start_import > register.import_wh or start_export > register.export_wh:
            register.restore(
                max(start_import, register.import_wh), 0, max(start_export, register.export_wh), 0
            )

    def accept_document(self, data):
        """Take a document (bytes): a tariff, dynamic prices or a correction.

        Returns a word for the log; TariffError says where and why it is refused.
        """
        try:
            return self.ledger.shelf.offer(data, self.time.unix())
        except OSError as error:
            self.keeper.urgent = True  # what was written down is stored with the next try
            raise TariffError((), "cannot be stored (error %s); send it again" % error.errno)

    def stop(self):
        """A clean end: everything durable, nothing moved, the utility told."""
        self.keeper.now()
        if self._feed is not None:
            self._feed.finish()
        if self.sender:
            self.sender.leave()

    def tick(self):
        """Read the chip and carry its energy. Allocates nothing when all is well."""
        self.meter.tick()

    def step(self):
        """One round of slow work; milliseconds until the next is wanted."""
        self.time.age()
        self.intervals.take_time()
        ladder.climb(self.meter, self.time.powered_s, self.report)
        self.intervals.close_due()
        self.intervals.work()
        self.watch.work()
        if self.tokens:
            self.tokens.clear_tamper()
        self.control.decide()
        self.control.check_contact()
        self.keeper.work()
        self._audit()
        self._correct()
        if self.assistance:
            self.assistance.work()
        self.prospect.work(
            self.account,
            self.time.unix(),
            self.time.trust() == TRUST_SYNCED,
            self.keeper.available,
            self.journal.balance,
        )
        if self._feed is not None:
            self._feed.work()
        busy = self.talk is not None and self.talk.work()
        if self._hear_people():
            busy = True
        if busy:
            return BUSY_MS
        return FLIGHT_MS if self.sender and self.sender.is_waiting() else self.config.tick_ms

    def report(self, code, value):
        """Write an event down; it is durable with the next snapshot."""
        self._note(payloads.pack_event(code, value))

    def _note(self, payload):
        self.note(records.EVENT, payload)

    def note(self, kind, payload):
        """Write an entry down that moves no money."""
        if not self.ledger.missing:
            self.journal.append(kind, self.time.unix(), self.time.trust(), 0, payload)

    def is_linked(self):
        """True while the link to the utility is up."""
        return self._link is not None and self._link.is_up()

    def _audit(self):
        found = self.ledger.audit()
        if found is not None:
            self.report(found[0], found[1])

    def _correct(self):
        register = self.meter.register
        now, trust = self.time.unix(), self.time.trust()
        if self.ledger.correct(now, trust, register.import_wh, register.export_wh):
            account = self.account
            available = account.available(register.import_wh, register.export_wh)
            account.watch.arm(account.tariff, available)
            self.control.look_again()
            self.keeper.money()

    def _hear_people(self):
        people = self._people
        if people:
            people.hear()
        self.control.close_when_held()
        busy = self.keypad is not None and self.keypad.work()
        if people:
            busy = people.answer() or busy
            people.show()
        return busy
