"""Supply control: credit decides, a person closes, the journal comes before every movement."""

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules, states
from wattledger.agent.supply.contact import ContactCheck
from wattledger.agent.supply.hold import HoldButton
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import TRUST_SYNCED


class SupplyControl:
    """`available` is the credit (nano) at the registers of the last tick it looked at."""

    def __init__(
        self, config, relay, clock, link_clock, meter, ledger, keeper, supply, time, report
    ):
        self._prepay = config.payment_mode == "prepay"
        self._never_cut = config.never_cut
        self._relay = relay
        self._meter = meter
        self._ledger = ledger
        self._keeper = keeper
        self._supply = supply
        self._time = time
        self._report = report
        self.button = HoldButton(link_clock)
        self.contact = ContactCheck(relay, clock, meter, report)
        self.available = 0
        self._seen = -1
        self._refused = False  # the relay did not take its last opening

    def recover(self, state):
        """After a boot: the last durable state, and what the journal knows of movements. The
        relay is not moved, and its contact has the last word."""
        supply = self._supply
        supply.restore(state.supply, state.reasons, state.last_move_s)
        supply.closings = self._ledger.closings
        supply.moved_at = self._ledger.moved_at or None
        contact = self._relay.contact()
        if contact is None or contact == (supply.state == states.CONNECTED):
            return
        self._report(events.CONTACT_DIFFERS, 1 if contact else 0)
        if contact:
            # Power went before an opening was done: the rules open it again, with a cause.
            supply.state = states.CONNECTED
        else:
            supply.state = states.DISCONNECTED if supply.reasons else states.READY

    def look_again(self):
        """Decide in the next step although no tick has passed (credit has arrived)."""
        self._seen = -1

    def decide(self):
        """Alarms, open reasons and the opening they ask for; once a tick."""
        if self._meter.ticks == self._seen or self._ledger.missing:
            return
        self._seen = self._meter.ticks
        if self._refused:
            self._open_relay()
        register = self._meter.register
        account = self._ledger.account
        self.available = account.available(register.import_wh, register.export_wh)
        for code in account.watch.crossed(account.tariff, self.available):
            self._report(code, self.available // NANO_PER_MICRO)
        self._judge_credit(account.tariff)
        if self._supply.must_open():
            self._move(states.DISCONNECTED, rules.BY_CREDIT)
        elif self._supply.settle():
            self._keeper.urgent = True

    def _judge_credit(self, tariff):
        if self.available > 0:
            if tariff and self.available >= tariff.reconnect_above * NANO_PER_MICRO:
                self._supply.hold_open(rules.NO_CREDIT, False)
            return
        synced = self._time.trust() == TRUST_SYNCED
        friendly = synced and tariff and tariff.friendly_until(self._time.unix()) is not None
        forbidden = rules.forbids_cut(
            tariff, self._prepay, self._never_cut, synced, self._time.budget_s, friendly
        )
        if forbidden is None:
            self._supply.hold_open(rules.NO_CREDIT, True)

    def check_contact(self):
        """Does the relay stand where it was told? One that did not close is ready again."""
        if not self.contact.work() and self._supply.state == states.CONNECTED:
            self._supply.state = states.READY
            self._keeper.urgent = True

    def person(self, request):
        """What a person asked for at a display: ("press",) renewed while held, or ("release",)."""
        if request[0] == "press":
            self.button.press()
        elif request[0] == "release":
            self.button.release()

    def close_when_held(self):
        """Close the relay when the button was held long enough and nothing forbids it."""
        if self.may_close() and self.button.take():
            self._move(states.CONNECTED, rules.BY_PERSON)

    def may_close(self):
        """True when a person may close the relay now."""
        supply = self._supply
        return supply.state == states.READY and supply.wait_s(self._time.powered_s) == 0

    def _move(self, operation, cause):
        """Journal a movement, keep it, then move: nothing moves without its cause on storage.

        Storage that fails forbids a closing, and never an opening.
        """
        supply = self._supply
        before = (supply.state, supply.reasons, supply.last_move_s)
        powered_s = self._time.powered_s
        if operation == states.CONNECTED and self._keeper.failed:
            self._report(events.STORAGE_FAILED, self._keeper.failed)
            return
        self._write_down(operation, cause)
        moved_at, supply.moved_at = supply.moved_at, self._time.unix()
        if operation == states.CONNECTED:
            supply.closed(powered_s)
        else:
            supply.opened(powered_s)
        kept = self._keeper.now()
        if operation != states.CONNECTED:
            self._open_relay()
        elif kept:
            self._relay.close()
            self.contact.moved(True)
        else:
            # Not stored, so not done: the entry waiting to be stored is answered by a second.
            supply.forget_closing()
            supply.restore(*before)
            supply.moved_at = moved_at
            self._write_down(states.DISCONNECTED, rules.BY_WITHDRAWAL)

    def _open_relay(self):
        """Tell the relay to open; one that fails is told again at each tick."""
        try:
            self._relay.open()
            self._refused = False
            self.contact.moved(False)
        except Exception as error:  # whatever a relay's driver raises
            if not self._refused:
                self._report(events.RELAY_FAILED, getattr(error, "errno", 0) or 0)
            self._refused = True

    def _write_down(self, operation, cause):
        self._ledger.journal.append(
            records.RELAY,
            self._time.unix(),
            self._time.trust(),
            0,
            payloads.pack_relay(operation, self._supply.reasons, cause, self._time.powered_s),
        )
