"""Supply control: the rules decide, a person closes, the journal comes before every movement."""

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules, states
from wattledger.agent.supply.contact import ContactCheck
from wattledger.agent.supply.credit import CreditRule
from wattledger.agent.supply.hold import HoldButton
from wattledger.agent.supply.limits import Limits
from wattledger.hal.sample import QUALITY_OK

DELAY_S = 600  # a closing without a person waits up to so long, so that a street does not at once
VALID_S = 10  # good measurement before a relay without memory is put back


class SupplyControl:
    """Once a tick `decide()`; everything that moves the relay is here."""

    def __init__(
        self,
        config,
        relay,
        clock,
        link_clock,
        meter,
        ledger,
        keeper,
        supply,
        time,
        entropy,
        report,
    ):
        self._holds = config.relay_kind == "hold"
        self.take_config(config)
        self._relay = relay
        self._meter = meter
        self._ledger = ledger
        self._keeper = keeper
        self._supply = supply
        self._time = time
        self._entropy = entropy
        self._report = report
        self.credit = CreditRule(config, meter, ledger, supply, time, report)
        self.limits = Limits(config, meter, supply, time, report)
        self.button = HoldButton(link_clock)
        self.contact = ContactCheck(relay, clock, meter, report)
        self._seen = -1
        self._refused = False  # the relay did not take its last opening
        self._close_at = None  # powered seconds at which it closes without a person
        self._restore_since = None  # powered seconds since which measurement is good
        self.restoring = False
        self.remote = None  # a RemoteOpening, on a meter that knows of one
        self.remote_opens = 0  # the last of them, as it keeps them in the slot

    def take_config(self, config):
        """Take what can change in the field."""
        self._tries = config.load_tries

    def recover(self, state):
        """After a boot: the last durable state, and what the journal knows of movements. The
        relay is not moved, and its contact has the last word."""
        supply = self._supply
        since = state.flags & rules.SINCE
        supply.restore(state.supply, state.reasons, state.last_move_s, since, state.load_tries)
        supply.closings = self._ledger.closings
        supply.moved_at = self._ledger.moved_at or None
        self.remote_opens = state.remote_opens
        self.credit.recover(state)
        contact = self._relay.contact()
        connected = supply.state == states.CONNECTED
        if self._holds and connected and not contact:
            self.restoring = True
            return
        if contact is None or contact == connected:
            return
        self._report(events.CONTACT_DIFFERS, 1 if contact else 0)
        if contact:
            # Power went before an opening was done: the rules open it again, with a cause.
            supply.state = states.CONNECTED
        else:
            supply.state = states.DISCONNECTED if supply.reasons else states.READY

    def keep_in(self, state):
        """Write what a reboot must find into the slot's state."""
        supply = self._supply
        state.supply = supply.state
        state.reasons = supply.reasons
        state.last_move_s = supply.last_move_s
        state.load_tries = supply.load_tries
        state.flags = supply.since | self.credit.flags()
        state.warning_s = self.credit.warned_s
        state.keep_power_s = self.credit.keep_power_s
        state.remote_opens = self.remote_opens

    def is_open(self):
        """True while the relay was told to open and, as far as it can tell, has."""
        return (
            self._supply.state != states.CONNECTED
            and not self.contact.welded
            and not self._relay.contact()
        )

    def agrees(self):
        """False when the contact can be read and is not where the relay was told to be."""
        contact = self._relay.contact()
        if contact is None:
            return not self.contact.welded
        return contact == (self._supply.state == states.CONNECTED)

    def look_again(self):
        """Decide in the next step although no tick has passed (credit has arrived)."""
        self._seen = -1

    def topped_up(self):
        """Money or time has arrived: look again, and what the utility had scheduled is off."""
        self.look_again()
        if self.remote:
            self.remote.cancel()

    def decide(self):
        """Alarms, open reasons and the movement they ask for; once a tick."""
        if self._meter.ticks == self._seen or self._ledger.missing:
            return
        self._seen = self._meter.ticks
        if self._refused:
            self._open_relay()
        self.limits.judge()
        self.credit.judge()
        if self.remote:
            self.remote.judge()
        supply = self._supply
        if supply.must_open():
            self.restoring = False
            self._move(states.DISCONNECTED, rules.cause(supply.reasons))
        elif supply.settle():
            self._keeper.urgent = True
        if self.restoring:
            self._restore()
        else:
            self._close_without_person()

    def _restore(self):
        """A relay that opens without power goes back to the last durable state."""
        now = self._time.powered_s
        if self._meter.missed or self._meter.quality != QUALITY_OK:
            self._restore_since = None
        elif self._restore_since is None:
            self._restore_since = now
        elif now - self._restore_since >= VALID_S and not self._keeper.failed:
            self.restoring = False
            self._move(states.CONNECTED, rules.CLOSES[rules.RESTORING][1])

    def _close_without_person(self):
        supply = self._supply
        tariff = self._ledger.account.tariff
        auto_close = tariff is not None and tariff.auto_close
        if not supply.may_close_itself(auto_close, self._tries):
            self._close_at = None
            return
        now = self._time.powered_s
        if self._close_at is None:
            # Overloads are one house's own; after a fault of the mains a whole street would close.
            alone = supply.since == rules.LOAD_LIMIT
            self._close_at = now if alone else now + self._delay_s()
        if now >= self._close_at and supply.wait_s(now) == 0 and not self._keeper.failed:
            self._close_at = None
            self._move(states.CONNECTED, rules.CLOSES[rules.METER][1])

    def _delay_s(self):
        drawn = bytearray(2)
        self._entropy.fill(drawn)
        return (drawn[0] | drawn[1] << 8) % (DELAY_S + 1)

    def closes_in_s(self):
        """Seconds to a closing without a person, or None when a person is needed."""
        if self._close_at is None:
            return None
        now = self._time.powered_s
        return max(self._close_at - now, self._supply.wait_s(now), 0)

    def check_contact(self):
        """Does the relay stand where it was told? One that did not close is ready again."""
        if not self.contact.work() and self._supply.state == states.CONNECTED:
            self._supply.state = states.READY
            self._keeper.urgent = True

    def person(self, request):
        """What a person asked for at a display: ("press",) renewed while held, ("release",), or
        ("accept",) for the emergency credit that is offered."""
        if request[0] == "press":
            self.button.press()
        elif request[0] == "release":
            self.button.release()
        elif request[0] == "accept" and not self._keeper.failed and self.credit.accept():
            self.look_again()
            self._keeper.now()

    def close_when_held(self):
        """Close the relay when the button was held long enough and nothing forbids it."""
        if self.may_close() and self.button.take():
            self._move(states.CONNECTED, rules.CLOSES[rules.PERSON][1])

    def may_close(self):
        """True when a person may close the relay now."""
        supply = self._supply
        return supply.state == states.READY and supply.wait_s(self._time.powered_s) == 0

    def _move(self, operation, cause):
        """Journal a movement, keep it, then move: nothing moves without its cause on storage.

        Storage that fails forbids a closing, and never an opening.
        """
        supply = self._supply
        before = (
            supply.state,
            supply.reasons,
            supply.last_move_s,
            supply.since,
            supply.load_tries,
        )
        powered_s = self._time.powered_s
        if operation == states.CONNECTED and self._keeper.failed:
            self._report(events.STORAGE_FAILED, self._keeper.failed)
            return
        self._write_down(operation, cause)
        moved_at, supply.moved_at = supply.moved_at, self._time.unix()
        if cause == rules.BY_RESTORING:
            supply.last_move_s = powered_s
        elif operation == states.CONNECTED:
            supply.closed(powered_s, cause == rules.BY_PERSON)
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
            self.restoring = cause == rules.BY_RESTORING
            if not self.restoring:
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
