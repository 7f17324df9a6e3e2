"""The agent: one deterministic function of its inputs, driven by two calls.

tick() reads the chip: no allocation, no wall time. step() does bounded pieces of everything else and
returns the milliseconds until it wants the next. The order in step() is: time, chip, intervals,
supply, storage, messages, display.
"""

from wattledger.agent import events
from wattledger.agent.comms.actions import Actions
from wattledger.agent.comms.challenge import Challenge
from wattledger.agent.comms.commands import PURPOSES, CommandDesk
from wattledger.agent.comms.envelope import Keyring
from wattledger.agent.comms.sender import Sender
from wattledger.agent.comms.topics import CMD, topic
from wattledger.agent.display.view import View
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.slots import HotState
from wattledger.agent.ledger import Ledger
from wattledger.agent.metering.meter import MISSED_BEFORE_RESET, Meter
from wattledger.agent.metering.quality import worse
from wattledger.agent.supply import rules, states
from wattledger.agent.supply.hold import HoldButton
from wattledger.agent.timekeeping import STEP_S, Timekeeper
from wattledger.agent.units import NANO_PER_MICRO, QUARTER_S, ticks_between
from wattledger.hal.sample import QUALITY_ESTIMATED, TRUST_SYNCED

SHOW_MS = 250
BUSY_MS = 10
SNAPSHOT_MIN_MS = 1000


class Agent:
    """Wired by constructor arguments; `link`, `page` and `device_key` may be None."""

    def __init__(
        self, config, chip, relay, clock, link_clock, entropy, storage, link, page, device_key,
        firmware="",
    ):  # fmt: skip
        self.config = config
        self._clock = clock
        self._link_clock = link_clock
        self._relay = relay
        self._link = link
        self._page = page
        self.firmware = firmware
        self.meter = Meter(chip, clock, config)
        self.ledger = Ledger(storage, config)
        self.account = self.ledger.account
        self.journal = self.ledger.journal
        self.time = Timekeeper(clock)
        self.supply = states.Supply()
        self.button = HoldButton(link_clock)
        self.storage_failed = 0  # errno while storage does not take writes
        self.restart_cause = "power"
        self.failures = 0
        self._ticks_seen = -1
        self._urgent = False  # something waits that must be durable now
        self._snapshot_ticks = clock.ticks_ms()
        self._snapshot_wh = 0
        self._shown_at = None
        self.available = 0  # nano, of the registers now
        self.shown_available = 0  # nano, of the last durable snapshot
        self.view = View(self)
        self.sender = None
        self.desk = None
        if link is not None:
            self._join(link_clock, entropy, device_key)

    def _join(self, link_clock, entropy, device_key):
        keyring = Keyring(device_key, PURPOSES)
        challenge = Challenge(entropy, link_clock)
        self.sender = Sender(self.config, self._link, keyring, self.journal, challenge, link_clock)
        self.desk = CommandDesk(
            self.config.meter, keyring, challenge, link_clock, Actions(self).table, self.report
        )
        self._link.subscribe(topic(self.config.tenant, self.config.meter, CMD))

    def start(self, tariff=None):
        """Recover from storage, set the chip up, open an interval. The relay is never moved here.

        `tariff` is a document (bytes) that provisioning brings; TariffError when it is refused.
        """
        state = self.ledger.open()
        if tariff is not None:
            self.ledger.offer_tariff(tariff)
        self.time.restore(self.ledger.last_time(), state.powered_s, state.clock_budget_s)
        self.supply.restore(state.supply, state.reasons, state.last_move_s)
        for powered_s, operation in self.ledger.relay_entries:
            if operation == states.CONNECTED:
                self.supply.remember_closing(powered_s)
        register = self.meter.register
        account = self.account
        register.restore(state.import_wh, state.import_rest, state.export_wh, state.export_rest)
        # Records after the slot may know more energy than it: registers never go down.
        if account.start_import > register.import_wh or account.start_export > register.export_wh:
            register.restore(
                max(account.start_import, register.import_wh), 0,
                max(account.start_export, register.export_wh), 0,
            )  # fmt: skip
        state.boots += 1
        if self.sender:
            self.sender.start_at(state.acknowledged)
        if not self.ledger.missing:
            self._close_at_snapshot(state)
        self._open_interval(self.time.unix())
        self._take_time()
        for code, value in self.ledger.found:
            self.report(code, value)
        self.report(events.STARTED, state.boots)
        self._check_contact()
        self.meter.recover(self.time.powered_s)
        self._urgent = True
        self._keep()

    def _close_at_snapshot(self, state):
        """Energy up to the snapshot belongs to the interval that was open then."""
        if state.unix > self.account.start:
            quality = worse(state.quality, QUALITY_ESTIMATED)
            self.account.trust = state.trust
            self.account.close(
                state.unix, self.meter.register.import_wh, self.meter.register.export_wh, quality
            )

    def _check_contact(self):
        contact = self._relay.contact()
        connected = self.supply.state == states.CONNECTED
        if contact is None or contact == connected:
            return
        self.report(events.CONTACT_DIFFERS, 1 if contact else 0)
        if contact:
            # Power was lost before an opening was done: the rules will open it again, with a cause.
            self.supply.state = states.CONNECTED
        else:
            self.supply.state = states.DISCONNECTED if self.supply.reasons else states.READY

    def tick(self):
        """Read the chip and carry its energy. Allocates nothing when all is well."""
        self.meter.tick()

    def step(self):
        """One round of slow work; milliseconds until the next is wanted."""
        self.time.age()
        self._take_time()
        self._watch_meter()
        self._close_due()
        self._decide_supply()
        self._press()
        self._keep()
        busy = self._talk()
        self._show()
        return BUSY_MS if busy else self.config.tick_ms

    def report(self, code, value):
        """Write an event down; it is durable with the next snapshot."""
        if not self.ledger.missing:
            self.journal.append(
                records.EVENT,
                self.time.unix(),
                self.time.trust(),
                0,
                payloads.pack_event(code, value),
            )

    # Time and intervals.

    def _open_interval(self, start):
        register = self.meter.register
        trust = self.time.trust()
        if not self.ledger.missing:
            # Only a synced clock knows a boundary, and a set comes into force on one.
            if trust == TRUST_SYNCED and start % QUARTER_S == 0:
                self.ledger.turn(start, trust)
            self.account.charge_standing(start, trust)
        self.account.begin(start, register.import_wh, register.export_wh, trust)

    def _close_interval(self, end):
        register = self.meter.register
        quality = self.meter.take_interval_quality()
        if end - self.account.start > self.config.profile_s:
            quality = worse(quality, QUALITY_ESTIMATED)
        if not self.ledger.missing:
            self.account.close(end, register.import_wh, register.export_wh, quality)
            self._urgent = True

    def _take_time(self):
        offered = self.time.offered()
        if offered is None:
            return
        now = self.time.unix()
        trust = self.time.trust()
        if now > self.account.start:
            self._close_interval(now)
        self.time.set(offered)
        if abs(offered - now) > STEP_S and not self.ledger.missing:
            self.journal.append(
                records.CLOCK, offered, TRUST_SYNCED, 0, payloads.pack_clock(now, offered, trust)
            )
        self._open_interval(offered)

    def _close_due(self):
        metered = self.time.unix() - self._clock.elapsed_ms(self.meter.last_tick) // 1000
        boundary = metered // self.config.profile_s * self.config.profile_s
        if boundary <= self.account.start:
            return
        self._close_interval(boundary)
        self._open_interval(boundary)

    def _watch_meter(self):
        meter = self.meter
        if meter.rejected:
            self.report(events.ENERGY_REJECTED, meter.rejected)
            meter.rejected = 0
        if meter.restarted_gap_ms >= 0:
            self.report(events.CHIP_RESTARTED, meter.restarted_gap_ms // 1000)
            meter.restarted_gap_ms = -1
        if meter.late_gap_ms >= 0:
            self.report(events.FORWARD_GAP, meter.late_gap_ms // 1000)
            meter.late_gap_ms = -1
        if meter.missed >= MISSED_BEFORE_RESET:
            self.report(events.CHIP_SILENT, meter.missed)
            if meter.recover(self.time.powered_s):
                self.report(events.CHIP_FAULT, 0)

    # Supply.

    def _decide_supply(self):
        if self.meter.ticks == self._ticks_seen or self.ledger.missing:
            return
        self._ticks_seen = self.meter.ticks
        register = self.meter.register
        account = self.account
        self.available = account.available(register.import_wh, register.export_wh)
        for code in account.watch.crossed(account.tariff, self.available):
            self.report(code, self.available // NANO_PER_MICRO)
        self._judge_credit(account.tariff)
        if self.supply.must_open():
            self._move(states.DISCONNECTED, rules.BY_CREDIT)
        elif self.supply.settle():
            self._urgent = True

    def _judge_credit(self, tariff):
        if self.available <= 0:
            synced = self.time.trust() == TRUST_SYNCED
            friendly = synced and tariff and tariff.friendly_until(self.time.unix()) is not None
            forbidden = rules.forbids_cut(
                tariff,
                self.config.payment_mode == "prepay",
                self.config.never_cut,
                synced,
                self.time.budget_s,
                friendly,
            )
            if forbidden is None:
                self.supply.hold_open(rules.NO_CREDIT, True)
        elif tariff and self.available >= tariff.reconnect_above * NANO_PER_MICRO:
            self.supply.hold_open(rules.NO_CREDIT, False)

    def _press(self):
        """What a person does at the display."""
        request = self._page.request() if self._page else None
        while request is not None:
            if request[0] == "press":
                self.button.press()
            elif request[0] == "release":
                self.button.release()
            request = self._page.request()
        if self.button.take() and self.may_close():
            self._move(states.CONNECTED, rules.BY_PERSON)

    def judge_again(self):
        """Look at the supply in the next step although no tick has passed."""
        self._ticks_seen = -1

    def is_linked(self):
        """True while the link to the utility is up."""
        return self._link is not None and self._link.is_up()

    def may_close(self):
        """True when a person may close the relay now."""
        return self.supply.state == states.READY and self.supply.wait_s(self.time.powered_s) == 0

    def _move(self, operation, cause):
        """Journal a movement, keep it, then move: nothing moves without its cause on storage.

        Storage that fails forbids a closing, and never an opening.
        """
        before = (self.supply.state, self.supply.reasons, self.supply.last_move_s)
        powered_s = self.time.powered_s
        self.journal.append(
            records.RELAY,
            self.time.unix(),
            self.time.trust(),
            0,
            payloads.pack_relay(operation, self.supply.reasons, cause, powered_s),
        )
        if operation == states.CONNECTED:
            self.supply.closed(powered_s)
        else:
            self.supply.opened(powered_s)
        self._urgent = True
        self._keep()
        if operation != states.CONNECTED:
            self._relay.open()
        elif self.storage_failed:
            self.supply.restore(*before)
        else:
            self._relay.close()

    # Storage.

    def _keep(self):
        """Flush and snapshot when it is time: every 10 s or 10 Wh, or at once for what is urgent."""
        register = self.meter.register
        age = ticks_between(self._snapshot_ticks, self._clock.ticks_ms())
        moved = register.import_wh + register.export_wh - self._snapshot_wh
        due = age >= self.config.snapshot_s * 1000 or (
            moved >= self.config.snapshot_wh and age >= SNAPSHOT_MIN_MS
        )
        if not due and not self._urgent:
            return
        if not due and self.storage_failed and age < SNAPSHOT_MIN_MS:
            return
        self._snapshot_ticks = self._clock.ticks_ms()
        self._snapshot_wh = register.import_wh + register.export_wh
        state = self._snapshot()
        try:
            self.ledger.keep(state)
        except OSError as error:
            if not self.storage_failed:
                self.report(events.STORAGE_FAILED, error.errno or 0)
            self.storage_failed = error.errno or 1
            return
        self.storage_failed = 0
        self._urgent = False
        self.shown_available = self.account.available(register.import_wh, register.export_wh)

    def _snapshot(self):
        register = self.meter.register
        account = self.account
        state = HotState()
        state.supply = self.supply.state
        state.reasons = self.supply.reasons
        state.last_move_s = self.supply.last_move_s
        state.alarms = account.watch.alarms
        state.powered_s = self.time.powered_s
        state.clock_budget_s = self.time.budget_s
        state.unix = self.time.unix()
        state.import_wh, state.import_rest = register.import_wh, register.import_rest
        state.export_wh, state.export_rest = register.export_wh, register.export_rest
        state.acknowledged = self.sender.acknowledged if self.sender else 0
        state.start = account.start
        state.quality = self.meter.interval_quality
        state.trust = account.trust
        state.used_wh = account.used_wh
        state.cycle_day = account.cycle_day
        state.standing_day = account.standing_day
        return state

    def stop(self):
        """A clean end: everything durable, nothing moved."""
        self._urgent = True
        self._keep()

    def keep_now(self):
        """Make what was just journalled durable; True when it is."""
        self._urgent = True
        self._keep()
        return not self.storage_failed

    # Messages and display.

    def _talk(self):
        """One command or one message; True when there may be more."""
        if self._link is None:
            return False
        message = self._link.receive()
        if message is not None:
            self._answer(message)
            return True
        return self.sender.work(self.view.hello, self.view.state, self.view.said())

    def _answer(self, message):
        _, data, retained = message
        answer = self.desk.handle(data, retained)
        if answer is None:
            return
        if answer["op"] == Actions.JOURNAL_ACK_CODE and answer["result"] == "ok":
            return  # answering an acknowledgement would never end
        if not self.ledger.missing:
            self.journal.append(
                records.COMMAND,
                self.time.unix(),
                self.time.trust(),
                0,
                payloads.pack_command(
                    answer["digest"], answer["op"], self.desk.result_code(answer["result"])
                ),
            )
        if answer["result"] == "stale":
            self.sender.ask_hello()
        self.sender.answer(answer)

    def _show(self):
        if self._page is None:
            return
        if self._shown_at is not None and self._link_clock.elapsed_ms(self._shown_at) < SHOW_MS:
            return
        self._shown_at = self._link_clock.ticks_ms()
        self._page.show(self.view.page())
