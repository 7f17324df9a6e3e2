"""What is watched while a scenario runs: losses that are allowed, recovery, and the supply."""

from collections import deque

from wattledger.agent.journal.record import decode
from wattledger.hal.bus.bridge import CLOCK_BUDGET, HAS_TARIFF, KEEP_POWER, SYNCED, WARNED
from wattledger.host_sim.network import Network
from wattledger.host_sim.world import World
from wattledger.tools.scenario_documents import TariffSets
from wattledger.tools.sim_utility import Utility

RECOVER_MS = 60_000
STATE_OLD_MS = 30_000
SNAPSHOT_MS = 10_000  # config defaults: the hot state is kept every 10 s or 10 Wh
SNAPSHOT_MWS = 10 * 3_600_000
OPEN_MS = 5_000
WARNED_MS = 300_000  # a cut waits so long after its warning
MOST_PROBLEMS = 20


class Watch:
    """`look()` after every few turns. `faults` are problems by invariant (I4, I10)."""

    def __init__(
        self, world: World, network: Network, utility: Utility, tariff: TariffSets, tick_ms: int
    ) -> None:
        self._world = world
        self._network = network
        self._utility = utility
        self._tariff = tariff
        self._tick_ms = tick_ms
        self._start_ms = world.time_ms
        self.faults: dict[str, list[str]] = {}
        self.marks: list[tuple[int, str, int]] = []
        self.loss_bound_mws = 0
        self.losses: list[tuple[int, int]] = []  # (until unix ms, mWs passed when it began)
        self.stuck_at: int | None = None  # movements of the relay when it was welded last
        self._seen: deque[tuple[int, int]] = deque()  # (unix ms, mWs that passed)
        self._recover_by: int | None = None
        self._unpaid_since: int | None = None
        self._warned_since: int | None = None

    def look(self, now: int, told: tuple[int, int, int] | None) -> None:
        """Look at everything at `now` (unix ms); `told` is what a running meter says of itself."""
        self._seen.append((now, self.passed()))
        while len(self._seen) > 1 and self._seen[1][0] <= now - 2 * SNAPSHOT_MS - self._tick_ms:
            self._seen.popleft()
        self.count_losses(now)
        self._watch_recovery(now)
        self._watch_credit(now, told)

    def passed(self) -> int:
        """Energy that passed the meter either way, mWs."""
        return self._world.import_mws + self._world.export_mws

    def passed_since(self, ms: int) -> int:
        """Energy that passed since the newest look at or before `ms`, mWs."""
        before = self._seen[0][1] if self._seen else 0
        for seen_ms, passed in self._seen:
            if seen_ms > ms:
                break
            before = passed
        return self.passed() - before

    def count_losses(self, now: int) -> None:
        """Close the losses that have ended by `now`."""
        for until, begun in self.losses:
            if until <= now:
                self.loss_bound_mws += self.passed() - begun
        self.losses = [loss for loss in self.losses if loss[0] > now]

    def mark(self) -> None:
        """Note the head of the utility's copy: nothing up to it may change any more."""
        if self._utility.entries:
            entry = decode(self._utility.entries[-1])
            self.marks.append((entry.sequence, entry.hash.hex(), entry.balance))

    def fault_begins(self) -> None:
        """The minute to recover in begins anew when this fault ends."""
        self._recover_by = None

    def fault_ends(self, broker_up: bool) -> None:
        """Unless another lasts, the meter has a minute from now."""
        if self._world.powered and broker_up:
            self._recover_by = self._world.time_ms + RECOVER_MS

    def _watch_recovery(self, now: int) -> None:
        if self._recover_by is None or now < self._recover_by:
            return
        self._recover_by = None
        if self._utility.hello_session != self._network.session:
            self._blame("I10", now, "no hello a minute after the fault")
        state = self._utility.last_state()
        if now - self._utility.state_ms > STATE_OLD_MS or state.get("quality") != "ok":
            self._blame("I10", now, f"no good sample a minute after the fault: {state}")

    def _watch_credit(self, now: int, told: tuple[int, int, int] | None) -> None:
        """I4 between intervals."""
        relay = self._world.relay
        # Contacts that were welded stay where they are until the meter next moves them.
        stuck = relay.welded or self.stuck_at == len(relay.movements)
        if told is None or stuck or not relay.conducts():
            self._unpaid_since = None
            return
        left, unix, state = told
        self._warned_since = (self._warned_since or now) if state & WARNED else None
        if left > 0 or self._may_stay(unix, state):
            self._unpaid_since = None
        elif self._unpaid_since is None:
            self._unpaid_since = now
        elif now - self._opens_from(self._unpaid_since) > OPEN_MS + self._tick_ms:
            self._blame("I4", now, f"{left} nano are left and the supply is on")
            self._unpaid_since = now

    def _opens_from(self, unpaid: int) -> int:
        """When nothing forbids the cut any more: a warning is 5 minutes old."""
        if self._warned_since is not None:
            return max(unpaid, self._warned_since)
        return unpaid + WARNED_MS

    def _may_stay(self, unix: int, state: int) -> bool:
        """True when something forbids a credit cut at the meter's time."""
        if not state & HAS_TARIFF or state & KEEP_POWER:
            return True
        if state & SYNCED:
            return self._tariff.friendly_until(unix) is not None
        return bool(state & CLOCK_BUDGET)

    def _blame(self, name: str, now: int, problem: str) -> None:
        found = self.faults.setdefault(name, [])
        if len(found) < MOST_PROBLEMS:
            found.append(f"{(now - self._start_ms) / 1000:g} s: {problem}")
