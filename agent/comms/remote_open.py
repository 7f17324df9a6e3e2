"""An opening that the utility ordered: warned, delayed, limited, and over again by itself.

`relay.open` schedules it. It comes after five minutes of warning (a supply that is on) and a
random part of 15 minutes, so that a street does not go off at once; a reboot drops it. It ends
after a day of powered time unless it is renewed, for a debt when nothing is owed, and at `until`.
"""

import struct

from wattledger.agent import events
from wattledger.agent.comms import commands
from wattledger.agent.errors import RefusalError
from wattledger.agent.supply import rules, states
from wattledger.agent.units import DAY_S
from wattledger.hal.sample import TRUST_SYNCED

STORE = "remote"
DELAY_S = 900
REASONS = ("request", "debt", "vacant", "tamper", "works")  # the event's value is the place + 1
DEBT = 1
FORMAT = "<BIQ"  # place in REASONS, powered second of its end, `until` (unix, 0: none)
NEVER = 0xFFFFFFFF
MAX_UNIX = 1 << 40
# The last four openings as one byte each: powered time in steps of 3 h, modulo 255, plus 1; 0 for
# none. A limit may last up to 3 h longer for it. They are dropped before the byte wraps (31 days).
STEP_S = 10800
WRAP = 255
LIMITS = ((2, 9, "24 hours"), (4, 241, "30 days"))  # openings, steps they count, in words


class RemoteOpening:
    """Scheduled by `order`, carried out and ended by `judge`, once a tick. Powered seconds."""

    def __init__(self, agent, storage, entropy):
        self._agent = agent
        self._storage = storage
        self._entropy = entropy
        self.reason = None  # place in REASONS, of the one scheduled or in force
        self.opens_at = None  # when the scheduled one comes
        self._ends_at = None
        self._until = 0

    def recover(self, state):
        """After a boot: go on with an opening in force. What was only scheduled is gone."""
        if not state.reasons & rules.REMOTE:
            return
        buffer = bytearray(struct.calcsize(FORMAT) + 1)
        try:
            size = self._storage.read_from(STORE, 0, buffer)
        except OSError:
            size = 0
        if size == len(buffer) - 1:
            self.reason, self._ends_at, self._until = struct.unpack_from(FORMAT, buffer, 0)
        if self.reason is None or self.reason >= len(REASONS):
            # Its terms are lost: the shortest are right.
            self.reason, self._until = 0, 0
            self._ends_at = (state.last_move_s or 0) + DAY_S

    def order(self, arguments):
        """reason and, when it ends at a time, until (unix seconds). As Actions answers."""
        agent = self._agent
        for key in arguments:
            if key not in ("reason", "until"):
                raise RefusalError(commands.RANGE, "a has an unknown key")
        reason = arguments.get("reason")
        if not isinstance(reason, str) or reason not in REASONS:
            raise RefusalError(commands.RANGE, "reason must be one of %s" % ", ".join(REASONS))
        place = REASONS.index(reason)
        until = 0
        if "until" in arguments:
            if agent.time.trust() != TRUST_SYNCED:
                raise RefusalError(
                    commands.DENIED, "until needs a clock, and the meter's is not set"
                )
            soonest = agent.time.unix() + rules.WARNED_S + DELAY_S + 1
            until = commands.whole(arguments, "until", soonest, MAX_UNIX)
        self._forbid(place)
        now = agent.time.powered_s
        if agent.supply.reasons & rules.REMOTE:
            self._set_terms(place, now, until)
            return commands.OK, "open already; renewed"
        self._keep_to_limits(now)
        drawn = bytearray(2)
        self._entropy.fill(drawn)
        delay = (drawn[0] | drawn[1] << 8) % (DELAY_S + 1)
        if agent.supply.state == states.CONNECTED:
            delay += rules.WARNED_S
        if place == DEBT and self._is_friendly(agent.time.unix() + delay):
            raise RefusalError(commands.DENIED, rules.HOLDS_BACK[rules.FRIENDLY][0])
        self.reason, self._until = place, until
        self.opens_at = now + delay
        agent.report(events.REMOTE_SCHEDULED, delay)
        return commands.SCHEDULED, "opens in %d s" % delay

    def _forbid(self, place):
        agent = self._agent
        if agent.ledger.fault:
            raise RefusalError(commands.DENIED, "the ledger is %s" % agent.ledger.fault)
        if agent.keeper.failed:
            raise RefusalError(commands.NO_SPACE, "storage does not take writes")
        if place == DEBT and not agent.account.debt.owed:
            raise RefusalError(commands.DENIED, "the meter's journal shows no debt")
        for holds, row in (
            (agent.config.never_cut, rules.NEVER_CUT),
            (agent.control.credit.keep_power_s, rules.KEEP_POWER),
        ):
            if holds:
                raise RefusalError(commands.DENIED, rules.HOLDS_BACK[row][0])

    def _keep_to_limits(self, now):
        steps = self._steps(now)
        for most, window, words in LIMITS:
            if len([step for step in steps if step < window]) >= most:
                raise RefusalError(commands.RATE, "%d openings in %s at most" % (most, words))

    def _steps(self, now):
        """How many steps ago each of the openings that count was."""
        held = self._agent.control.remote_opens
        found = []
        for shift in (0, 8, 16, 24):
            byte = held >> shift & 0xFF
            if byte:
                found.append((now // STEP_S - byte + 1) % WRAP)
        return found

    def _is_friendly(self, unix):
        tariff = self._agent.account.tariff
        if tariff is None or self._agent.time.trust() != TRUST_SYNCED:
            return False
        return tariff.friendly_until(unix) is not None

    def _set_terms(self, place, now, until):
        """The terms of an opening in force, kept over reboots."""
        self.reason, self._until = place, until
        self._ends_at = NEVER if place == DEBT else now + DAY_S
        try:
            self._storage.commit(STORE, struct.pack(FORMAT, place, self._ends_at, until))
        except OSError:
            pass  # without it a boot takes the shortest terms

    def cancel(self):
        """Drop what is scheduled (relay.arm, supply.keep, a top-up); True when there was one."""
        if self.opens_at is None:
            return False
        self.opens_at = self.reason = None
        self._agent.report(events.REMOTE_CANCELLED, 0)
        return True

    def opens_in_s(self):
        """Seconds to the scheduled opening, or None."""
        if self.opens_at is None:
            return None
        return max(self.opens_at - self._agent.time.powered_s, 0)

    def judge(self):
        """Once a tick: carry out what is due, end what is over."""
        now = self._agent.time.powered_s
        self._forget(now)
        if self.opens_at is not None and now >= self.opens_at:
            self._open(now)
        elif self._agent.supply.reasons & rules.REMOTE and self._is_over(now):
            self.end()
            self._agent.report(events.REMOTE_OVER, 0)

    def _open(self, now):
        self.opens_at = None
        control = self._agent.control
        # The newest first; with four of them none was left to push out that still counts.
        control.remote_opens = (control.remote_opens << 8 | now // STEP_S % WRAP + 1) & 0xFFFFFFFF
        self._set_terms(self.reason, now, self._until)
        self._agent.supply.hold_open(rules.REMOTE, True)
        self._agent.report(events.REMOTE_OPENED, self.reason + 1)

    def _is_over(self, now):
        if self.reason == DEBT and not self._agent.account.debt.owed:
            return True
        time = self._agent.time
        if self._until and time.trust() == TRUST_SYNCED and time.unix() >= self._until:
            return True
        return self._ends_at is not None and now >= self._ends_at

    def end(self):
        """Clear an opening in force: a person may close the supply."""
        self._agent.supply.hold_open(rules.REMOTE, False)
        self.reason = self._ends_at = None
        try:
            self._storage.remove(STORE)
        except OSError:
            pass  # it says nothing without the reason in the slot

    def _forget(self, now):
        """Drop openings that no limit counts any more."""
        control = self._agent.control
        if control.remote_opens:
            kept = 0
            for shift in (24, 16, 8, 0):
                byte = control.remote_opens >> shift & 0xFF
                if byte and (now // STEP_S - byte + 1) % WRAP < LIMITS[1][1]:
                    kept = kept << 8 | byte
            control.remote_opens = kept
