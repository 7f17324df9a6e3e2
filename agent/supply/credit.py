"""Credit and the supply: when credit cuts, what holds a cut back, and the warnings before it."""

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.supply import rules
from wattledger.agent.supply.outlook import HORIZON_S, Outlook
from wattledger.agent.supply.rules import ACCEPTED, FRIENDLY_HELD, USED, WARNED_15
from wattledger.agent.supply.states import CONNECTED
from wattledger.agent.units import NANO_PER_MICRO, micro_of
from wattledger.hal.sample import TRUST_SYNCED

LOOK_S = 10
SPARE_S = 30  # warnings come so much early, that a steady load is cut when credit ends, not later
FIRST_S = 900


class CreditRule:
    """Puts `no credit` into the reasons and takes it out. `available` is nano, at the last look;
    `left_s` the seconds to the projected cut, None while that is over half an hour away."""

    def __init__(self, config, meter, ledger, supply, time, report):
        self._prepay = config.payment_mode == "prepay"
        self._never_cut = config.never_cut
        self._meter = meter
        self._ledger = ledger
        self._supply = supply
        self._time = time
        self._report = report
        self.outlook = Outlook(meter)
        self.paid_time = None  # of a meter whose tokens are time
        self.available = 0
        self.left_s = None
        self.warned_s = None  # powered seconds of the 5-minute warning
        self.keep_power_s = 0
        self.accrued_micro = 0  # below the floor in the friendly period before the cut
        self._warned_15 = False
        self._friendly_held = False  # a friendly period kept a supply without credit on
        self.aged_at = None
        self._looked_at = None

    def recover(self, state):
        """Go on from the slot."""
        self.warned_s = state.warning_s
        self.keep_power_s = state.keep_power_s
        self._warned_15 = bool(state.flags & WARNED_15)
        self._friendly_held = bool(state.flags & FRIENDLY_HELD)
        self.accrued_micro = self._ledger.accrued_micro
        self.aged_at = self._time.powered_s
        self._count()

    def flags(self):
        """What the slot keeps of this in its flags."""
        watch = self._ledger.account.watch
        found = ACCEPTED if watch.accepted else 0
        found |= USED if watch.used else 0
        found |= WARNED_15 if self._warned_15 else 0
        return found | (FRIENDLY_HELD if self._friendly_held else 0)

    def floor(self):
        """Nano at which credit ends."""
        account = self._ledger.account
        return account.watch.floor(account.tariff)

    def is_offered(self):
        """True when a person may accept emergency credit now."""
        account = self._ledger.account
        return self._prepay and account.watch.is_offered(account.tariff, self.available)

    def accept(self):
        """A person takes the emergency credit that is offered; True when it was."""
        if self._ledger.missing or not self.is_offered():
            return False
        account = self._ledger.account
        payload = payloads.pack_emergency(account.tariff.emergency, self.available)
        account.watch.accepted = True
        account.watch.used = self.available <= 0
        self._ledger.journal.append(
            records.EMERGENCY, self._time.unix(), self._time.trust(), 0, payload
        )
        return True

    def keep(self, seconds):
        """Keep-power for so much powered time from now; 0 ends it."""
        self.keep_power_s = seconds
        self._report(events.KEEP_POWER, seconds)

    def judge(self):
        """Once a tick: alarms, warnings, and whether the supply is open for want of credit."""
        powered_s = self._time.powered_s
        self._age(powered_s)
        self.outlook.note(powered_s)
        account = self._ledger.account
        self._count()
        for code in account.watch.crossed(account.tariff, self.available):
            self._report(code, micro_of(self.available))
        above = self.available - self.floor()
        if self._supply.reasons & rules.NO_CREDIT:
            if self._is_restored(above):
                self._supply.hold_open(rules.NO_CREDIT, False)
                self.accrued_micro = 0
        else:
            self._judge_cut(above, powered_s)
        if self.paid_time is not None:
            self.paid_time.judge(self._holds_time_back)

    def _count(self):
        register = self._meter.register
        account = self._ledger.account
        self.available = account.available(register.import_wh, register.export_wh)

    def _age(self, powered_s):
        passed = powered_s - self.aged_at
        self.aged_at = powered_s
        if passed > 0 and self.keep_power_s:
            self.keep_power_s = max(self.keep_power_s - passed, 0)
            if not self.keep_power_s:
                self._report(events.KEEP_POWER, 0)

    def _is_restored(self, above):
        tariff = self._ledger.account.tariff
        if above > 0 and tariff and above >= tariff.reconnect_above * NANO_PER_MICRO:
            return True
        row = self._holds_back()
        return row is not None and rules.HOLDS_BACK[row][1]

    def _holds_back(self):
        """The row of rules.HOLDS_BACK that forbids a cut now, or None."""
        synced = self._time.trust() == TRUST_SYNCED
        return rules.holds_back(
            self._ledger.account.tariff,
            self._prepay,
            self._never_cut,
            self.keep_power_s,
            0 if synced else self._time.budget_s,
            self._is_friendly,
            self._is_warned,
        )

    def _holds_time_back(self):
        """The row of rules.HOLDS_BACK that forbids a cut for want of time now, or None.

        Powered time needs no clock and no prices, so what is said of those holds nothing back.
        """
        return rules.holds_back(
            True, True, self._never_cut, self.keep_power_s, 0, self._is_friendly, self._is_warned
        )

    def _is_friendly(self):
        return self._friendly_until(self._time.unix()) is not None

    def _friendly_until(self, unix):
        tariff = self._ledger.account.tariff
        if tariff is None or self._time.trust() != TRUST_SYNCED:
            return None
        return tariff.friendly_until(unix)

    def _is_warned(self):
        if self._supply.state != CONNECTED:
            return True  # nothing is on that could be cut
        return self.warned_s is not None and (
            self._time.powered_s - self.warned_s >= rules.WARNED_S
        )

    def _judge_cut(self, above, powered_s):
        connected = self._supply.state == CONNECTED
        row = None
        if above <= 0:
            row = self._holds_back()
            if row is None:
                self._cut(above, connected)
                return
            if row == rules.FRIENDLY:
                self._friendly_held = True
        else:
            self._friendly_held = False
        if not connected:
            self._forget()
            return
        late = row == rules.NOT_WARNED and self.warned_s is None
        if late or self._looked_at is None or powered_s - self._looked_at >= LOOK_S:
            self._looked_at = powered_s
            self._warn(self._projected_s(above), powered_s)

    def _cut(self, above, connected):
        self._supply.hold_open(rules.NO_CREDIT, True)
        if connected:
            if self._friendly_held:
                self.accrued_micro = micro_of(-above)
                self._report(events.CUT_FRIENDLY, self.accrued_micro)
            self._report(events.CUT_RESTORE, self.restore_micro())
        self._friendly_held = False
        self._forget()

    def restore_micro(self):
        """Micro-units that arm a supply that credit has cut; 0 while it has not."""
        tariff = self._ledger.account.tariff
        if not self._supply.reasons & rules.NO_CREDIT or tariff is None:
            return 0
        # At least to reconnect_above, and above the floor where that is 0.
        goal = max(tariff.reconnect_above, 1)
        return max(goal - micro_of(self.available - self.floor()), 0)

    def _projected_s(self, above):
        """Seconds to the cut if everything goes on as in the last five minutes, or None."""
        if self._never_cut:
            return None
        left = self._credit_s(above)
        if self.paid_time is not None:
            left = self.paid_time.sooner(left)
        if left is None:
            return None
        left = max(left, self.keep_power_s)
        if left > HORIZON_S:
            return None
        unix = self._time.unix()
        until = self._friendly_until(unix + left)
        if until is not None:
            left = until - unix
        return left if left <= HORIZON_S else None

    def _credit_s(self, above):
        time = self._time
        account = self._ledger.account
        if account.tariff is None or not self._prepay:
            return None
        unix, trust = time.unix(), time.trust()
        left = self.outlook.left_s(account, above, unix, trust, time.powered_s)
        if left is None or trust == TRUST_SYNCED:
            return left
        return max(left, time.budget_s)

    def _warn(self, left, powered_s):
        self.left_s = left
        if left is None:
            if self.outlook.is_known(powered_s):
                self._forget()
            return
        if left <= FIRST_S + SPARE_S and not self._warned_15:
            self._warned_15 = True
            self._report(events.CUT_IN_15, left)
        if left <= rules.WARNED_S + SPARE_S and self.warned_s is None:
            self.warned_s = powered_s
            self._report(events.CUT_IN_5, max(left, rules.WARNED_S))

    def _forget(self):
        """No cut is near: the warnings may be given again."""
        self.left_s = None
        self.warned_s = None
        self._warned_15 = False
