"""The supply under everything at once: a state machine against a model written from the rules.

The real agent on scripted parts: 1 Wh costs 1.000000, so 1 Wh is 10**9 nano. The model adds up
what was paid and used by itself, and looks at every entry of the journal as it is written.
"""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from wattledger.agent import events
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply.states import CONNECTED, READY
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.fixtures_agent import START, UNIT, WH, House, tariff_of

NANO = 1_000_000_000
EMERGENCY = 20
LOW_2 = 5
STANDING = 3
# Tuesday 06:30 to 07:00 and 07:30 to 09:00, local minutes; a run starts on Tuesday at 06:00.
FRIENDLY = ((390, 420), (450, 540))
LIMIT_W = 6000
TRIES = 3
WARNED_S = 300
CALM_S = 3600
TICK_S = 10
RECONNECT = 2
OVER_MV = 276_000  # 120 % of 230 V
UNSAFE_S, STABLE_S = 3, 180
OVERLOAD_S, RECLOSE_S = 30, 300
DELAY_S = 600  # before a closing without a person, at most
# As docs/journal.md has them.
SAFETY, NO_CREDIT, LOAD, REMOTE = 1, 2, 4, 8
BY_PERSON, BY_ITSELF = 2, 7


def is_friendly(unix):
    day, second = divmod(unix - (START - 6 * 3600), 86_400)
    return day % 7 == 0 and any(a * 60 <= second < b * 60 for a, b in FRIENDLY)


class SupplyMachine(RuleBasedStateMachine):
    """Seconds pass in ticks of 1 to 10 s; the load, the mains, the clock and people change."""

    @initialize(
        credit=st.integers(1, 60),
        auto_close=st.booleans(),
        minutes=st.sampled_from([0, 27, 32, 89, 95]),
    )
    def begin(self, credit, auto_close, minutes):
        """Some runs begin just before a friendly period or in one."""
        self.auto_close = auto_close
        rules = {
            "low": [10 * UNIT, LOW_2 * UNIT],
            "reconnect_above": RECONNECT * UNIT,
            "max": 100_000 * UNIT,
            "friendly": [[2, start, end] for start, end in FRIENDLY],
            "emergency": EMERGENCY * UNIT,
            "auto_close": auto_close,
        }
        tariff = tariff_of(standing_day=STANDING * UNIT, credit=rules)
        self.house = House(credit=credit, tariff=tariff, warned=False, load_limit_w=LIMIT_W)
        self.first_day = self.house.agent.account.standing_day
        self.paid = credit
        self.purchases = 0
        self.watts = 1800
        self.floor = 0
        self.used = False  # emergency credit was, since it was taken
        self.keep_until = 0  # powered seconds, like all times below
        self.warned_at = None
        self.unpaid_since = None  # nothing held a cut back since
        self.opened_at = None
        self.opened_for = 0  # every reason since the opening
        self.moved_at = 0
        self.closings = []
        self.overloads = 0  # openings for the load without a person between
        self.held = False  # a person holds the button
        self.over_since = None  # the load is over its limit, as a tick first saw it
        self.unsafe_since = self.safe_since = None  # likewise of the mains
        self.load_opened_at = None
        self.reasons = 0  # after the last tick
        self.ready_since = None  # armed, and nothing but the meter itself is waited for
        self.listen()
        watts, self.watts = self.watts, 0
        for _ in range(minutes * 6):
            self.tick(TICK_S)
        self.watts = watts

    def listen(self):
        """Hear every entry as it is written."""
        journal = self.house.agent.journal
        append = journal.append

        def heard(kind, unix, trust, amount, payload):
            append(kind, unix, trust, amount, payload)
            self.hear(kind, unix, trust, bytes(payload))

        journal.append = heard

    # What may happen.

    @rule(watts=st.sampled_from([1800, 360, 3600, 7200, 14_400, 0, -3600]))
    def load(self, watts):
        self.watts = watts

    @rule(seconds=st.integers(1, 400), step=st.sampled_from([1, 5, TICK_S]))
    def let_time_pass(self, seconds, step):
        for _ in range(max(seconds // step, 1)):
            self.tick(step)

    @rule(minutes=st.integers(5, 90))
    def let_much_time_pass(self, minutes):
        for _ in range(minutes * 60 // TICK_S):
            self.tick(TICK_S)

    @rule(units=st.integers(1, 40))
    def top_up(self, units):
        self.purchases += 1
        assert self.house.pay(units, self.purchases) == "ok"
        self.paid += units
        if self.available() > (0 if self.used else LOW_2 * NANO):
            self.floor, self.used = 0, False
        self.tick(1)

    @precondition(lambda self: not self.house.relay.contact())
    @rule(units=st.integers(5, 40))
    def come_back(self, units):
        """Pay, wait out what holds the supply open, and close: so that there is more to see."""
        self.top_up(units)
        self.mains(230_000)
        for _ in range(RECLOSE_S // TICK_S + 1):
            self.tick(TICK_S)
        if not self.house.relay.contact():
            self.hold_the_button()

    @precondition(lambda self: self.house.relay.contact())
    @rule(watts=st.sampled_from([3600, 3600, 5400]), then=st.integers(0, 40))
    def use_it_up(self, watts, then):
        """Until credit ends, and on."""
        self.watts = watts
        for _ in range(300):
            if self.available() <= self.floor:
                break
            self.tick(1)
        for _ in range(then):
            self.tick(TICK_S)

    @precondition(lambda self: not self.house.relay.contact())
    @rule(units=st.sampled_from([0, 1, 1, 2, 30]), lack=st.integers(0, 3))
    def pay_and_wait(self, units, lack):
        """As much as brings credit near what restores the supply, or more, and nobody presses."""
        self.mains(230_000)
        missing = (self.floor - self.available()) // NANO + lack
        if units < 30 and missing > 0:
            units = missing
        if units:
            self.top_up(units)
        for _ in range((DELAY_S + RECLOSE_S) // TICK_S):
            self.tick(TICK_S)

    @precondition(lambda self: self.house.agent.supply.reasons & NO_CREDIT)
    @rule(minutes=st.sampled_from([1, 70]))
    def be_kept_on(self, minutes):
        """Keep-power arms what credit has cut; when it is over, credit cuts again."""
        self.keep_power(1)
        if not self.house.relay.contact():
            self.hold_the_button()
        for _ in range(minutes * 60 // TICK_S):
            self.tick(TICK_S)

    @precondition(lambda self: self.house.relay.contact())
    @rule(times=st.sampled_from([1, 4, 5]), press=st.booleans())
    def overload(self, times, press):
        """It opens, closes itself three times, and then waits for somebody."""
        for _ in range(times):
            self.watts = 7200
            for _ in range(OVERLOAD_S // TICK_S + 2):
                self.tick(TICK_S)
            self.watts = 0
            for _ in range(RECLOSE_S // TICK_S + 1):
                self.tick(TICK_S)
        if press and not self.house.relay.contact():
            self.hold_the_button()

    @rule(seconds=st.sampled_from([2, 4, 30]), then=st.sampled_from([60, 200]))
    def surge(self, seconds, then):
        self.house.chip.voltage_mv = 290_000
        for _ in range(seconds):
            self.tick(1)
        self.house.chip.voltage_mv = 230_000
        for _ in range(then // TICK_S):
            self.tick(TICK_S)

    @precondition(lambda self: self.house.relay.contact())
    @rule(budget_s=st.sampled_from([0, 250, 86_400]), then=st.integers(0, 60))
    def run_out_without_a_clock(self, budget_s, then):
        self.clock(False)
        self.restart(30)
        self.house.agent.time.budget_s = budget_s
        if self.house.relay.contact():
            self.use_it_up(3600, then)
        self.clock(True)

    @rule(times=st.sampled_from([1, 6]), seconds=st.sampled_from([20, 62, 160]))
    def be_told_to_open(self, times, seconds):
        """By the utility; somebody closes it again as soon as may be, too soon or not."""
        supply = self.house.agent.supply
        self.watts = 0
        for _ in range(times):
            supply.hold_open(REMOTE, True)
            self.tick(1)
            supply.hold_open(REMOTE, False)
            self.tick(1)
            for _ in range(seconds // 2):
                self.tick(2)
            if not self.house.relay.contact():
                self.hold_the_button()

    @rule()
    def take_emergency_credit(self):
        may = self.floor == 0 and self.available() <= LOW_2 * NANO
        self.house.page.requests.append(("accept",))
        self.house.agent.step()
        assert self.house.agent.account.watch.accepted == (may or self.floor < 0)
        if may:
            self.floor, self.used = -EMERGENCY * NANO, self.available() <= 0
        self.house.agent.step()

    @rule(what=st.sampled_from(["keep", "mains", "restart", "clock", "budget"]), data=st.data())
    def disturb(self, what, data):
        """What is rarer than time, load and people is drawn once for all."""
        if what == "keep":
            self.keep_power(data.draw(st.sampled_from([0, 1])))
        elif what == "mains":
            self.mains(data.draw(st.sampled_from([230_000, 230_000, 150_000, 290_000])))
        elif what == "restart":
            self.restart(data.draw(st.sampled_from([0, 30, 7200])))
        elif what == "clock":
            self.clock(data.draw(st.booleans()))
        else:
            self.house.agent.time.budget_s = data.draw(st.sampled_from([0, 200, 86_400]))

    def keep_power(self, hours):
        # It counts from the last reading on.
        self.keep_until = self.house.agent.control.credit.aged_at + hours * 3600
        self.house.agent.control.credit.keep(hours * 3600)
        self.tick(1)

    def mains(self, millivolts):
        self.house.chip.voltage_mv = millivolts
        self.tick(5)

    def restart(self, off_s):
        credit, supply = self.house.agent.control.credit, self.house.agent.supply
        before = (supply.reasons, supply.state, supply.since, supply.load_tries)
        keep_power_s = credit.keep_power_s
        self.house.agent.stop()  # what a cut may cost is another test's
        self.house.pass_ms(off_s * 1000)
        self.house.boot()
        supply = self.house.agent.supply
        assert (supply.reasons, supply.state, supply.since, supply.load_tries) == before
        credit = self.house.agent.control.credit
        assert credit.keep_power_s == keep_power_s
        self.keep_until = credit.aged_at + keep_power_s  # less what passed since the last reading
        self.listen()
        self.over_since = self.unsafe_since = self.safe_since = self.ready_since = None
        self.unpaid_since = None
        self.tick(1)

    def clock(self, online):
        self.house.online = self.house.clock.online = online

    @precondition(lambda self: not self.house.relay.contact())
    @rule()
    def hold_the_button(self):
        supply = self.house.agent.supply
        may = supply.state == READY and self.may_close_in() <= 0
        self.closed_by_hand = False
        self.held = True
        self.house.hold(3000)
        self.held = False
        assert not may or self.house.relay.contact()
        assert not self.closed_by_hand or self.house.agent.supply.load_tries == 0
        self.note_reasons()

    def may_close_in(self):
        """Seconds until a closing is allowed: one is counted in 10 minutes and in a day."""
        now = self.powered()
        waits = [0 if self.opened_at is None else self.opened_at + 60 - now]
        for window, most in ((600, 4), (86_400, 10)):
            if len(self.closings) >= most:
                waits.append(self.closings[-most] + window - now)
        return max(waits)

    # What the model makes of it.

    def tick(self, seconds):
        """A tick after so many seconds; whatever it does is heard."""
        closed = self.house.relay.contact()
        watts = self.watts if closed else 0
        seen = self.powered() + seconds
        self.over_since = (self.over_since or seen) if watts > LIMIT_W else None
        unsafe = self.house.chip.voltage_mv > OVER_MV
        self.unsafe_since = (self.unsafe_since or seen) if unsafe else None
        self.safe_since = None if unsafe else (self.safe_since or seen)
        self.house.chip.power_mw[0] = watts * 1000
        self.house.chip.feed(watts * seconds * WH // 3600)
        self.house.once(seconds * 1000)
        if self.floor and self.available() <= 0:
            self.used = True
        self.opened_for |= self.house.agent.supply.reasons
        self.note_reasons()
        self.watch_the_limits()
        self.watch_what_closes_itself()
        self.watch_the_end_of_credit()

    def note_reasons(self):
        """What went out of the set went for a cause."""
        supply = self.house.agent.supply
        gone, self.reasons = self.reasons & ~supply.reasons, supply.reasons
        now = self.powered()
        if gone & NO_CREDIT:
            enough = self.available() - self.floor >= RECONNECT * NANO
            assert enough or now <= self.keep_until
        if gone & SAFETY:
            assert self.safe_since is not None and now - self.safe_since >= STABLE_S
        if gone & LOAD:
            assert now - self.load_opened_at >= RECLOSE_S
        if self.reasons & NO_CREDIT:
            # One step after what clears it, and the supply is armed.
            assert self.available() - self.floor < RECONNECT * NANO
            assert now >= self.keep_until - TICK_S or not self.keep_until

    def watch_what_closes_itself(self):
        """An armed supply that needs no person closes, after its waiting time and a delay."""
        own = self.opened_for and not self.opened_for & ~(SAFETY | LOAD)
        ready = self.house.agent.supply.state == READY and self.overloads <= TRIES
        if ready and self.opened_for and (own or self.auto_close) and self.may_close_in() <= 0:
            self.ready_since = self.ready_since or self.powered()
            assert self.powered() - self.ready_since <= DELAY_S + TICK_S
        else:
            self.ready_since = None

    def watch_the_limits(self):
        """Too much load or voltage opens in its time."""
        if self.house.relay.contact():
            now = self.powered()
            assert self.over_since is None or now - self.over_since <= OVERLOAD_S + TICK_S
            assert self.unsafe_since is None or now - self.unsafe_since <= UNSAFE_S + TICK_S
        else:
            self.over_since = None

    def watch_the_end_of_credit(self):
        """Without credit and with nothing to hold it back, it opens 5 minutes later at most."""
        house = self.house
        due = house.relay.contact() and self.available() <= self.floor
        if due and self.held_back() is None:
            if self.unpaid_since is None:
                self.unpaid_since = self.powered()
            assert self.powered() - self.unpaid_since <= WARNED_S + TICK_S
        else:
            self.unpaid_since = None

    def held_back(self):
        time = self.house.agent.time
        if self.powered() < self.keep_until:
            return "keep-power"
        if time.trust() != TRUST_SYNCED:
            return "clock" if time.budget_s else None
        return "friendly" if is_friendly(time.unix()) else None

    def powered(self):
        return self.house.agent.time.powered_s

    def available(self):
        """From what was paid and the registers alone, less the standing charge of each new day."""
        agent = self.house.agent
        register = agent.meter.register
        days = agent.account.standing_day - self.first_day
        return (self.paid - register.import_wh + register.export_wh - STANDING * days) * NANO

    def hear(self, kind, unix, trust, payload):
        if kind == records.EVENT and readers.unpack_event(payload)[0] == events.CUT_IN_5:
            self.warned_at = self.powered()
        elif kind == records.RELAY:
            operation, reasons, cause, _ = readers.unpack_relay(payload)
            if operation == CONNECTED:
                self.hear_closing(cause)
            else:
                self.hear_opening(reasons)
            self.moved_at = self.powered()

    def hear_opening(self, reasons):
        assert reasons
        now = self.powered()
        if reasons & NO_CREDIT:
            assert self.available() <= self.floor
            assert self.held_back() is None
            assert self.warned_at is not None and now - self.warned_at >= WARNED_S
        if reasons & SAFETY:
            assert self.unsafe_since is not None and now - self.unsafe_since >= UNSAFE_S
        if reasons & LOAD:
            assert self.over_since is not None and now - self.over_since >= OVERLOAD_S
            self.load_opened_at = now
            if now - self.moved_at >= CALM_S:
                self.overloads = 0
            self.overloads += 1
        self.opened_at, self.opened_for, self.warned_at = now, reasons, None

    def hear_closing(self, cause):
        now = self.powered()
        assert self.house.agent.supply.reasons == 0
        if cause == BY_PERSON:
            assert self.held
            self.closed_by_hand = True
            self.overloads = 0
        else:
            assert cause == BY_ITSELF
            assert self.auto_close or not self.opened_for & ~(SAFETY | LOAD)
            assert self.overloads <= TRIES
        assert now - self.opened_at >= 60
        self.closings.append(now)
        assert len([at for at in self.closings if now - at < 600]) <= 4
        assert len([at for at in self.closings if now - at < 86_400]) <= 10
        self.opened_for = 0

    @invariant()
    def the_balance_is_the_sum(self):
        if hasattr(self, "house"):
            assert self.house.agent.control.credit.available == self.available()
            assert self.house.agent.control.credit.floor() == self.floor

    @invariant()
    def the_contact_is_where_the_state_says(self):
        if hasattr(self, "house"):
            credit = self.house.agent.control.credit
            assert credit.keep_power_s == max(self.keep_until - credit.aged_at, 0)
            supply = self.house.agent.supply
            assert self.house.relay.contact() == (supply.state == CONNECTED)
            assert supply.state != READY or supply.reasons == 0

    def teardown(self):
        if hasattr(self, "house"):
            self.house.agent.stop()
            total = 0
            for entry in self.house.entries():
                total += entry.amount
                assert entry.balance == total
            assert total == self.house.agent.journal.balance


def play(examples, steps):
    run_state_machine_as_test(
        SupplyMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_sequence_of_events_breaks_a_rule_of_the_supply():
    play(examples=30, steps=30)


@pytest.mark.nightly
def test_no_long_sequence_of_events_breaks_a_rule_of_the_supply():
    play(examples=400, steps=60)
