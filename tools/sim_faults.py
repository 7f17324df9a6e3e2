"""What befalls a meter in a scenario: power, broker, chip, clock, contacts, and people."""

from collections.abc import Callable
from functools import partial
from typing import Any

from wattledger.agent.supply.hold import HOLD_MS
from wattledger.host_sim.network import Network
from wattledger.host_sim.times import TimeSource
from wattledger.host_sim.world import World
from wattledger.tools.scenario_parts import Disturbance
from wattledger.tools.sim_plan import Action, WriteCut
from wattledger.tools.sim_tokens import KEYPAD, TokenEntry
from wattledger.tools.sim_utility import Utility
from wattledger.tools.sim_watch import SNAPSHOT_MS, SNAPSHOT_MWS, Watch
from wattledger.tools.stage import Stage

SETUP_MS = 1000  # setting a chip up, and the write


class Faults:
    """Does the actions of a plan, and ends what does not last. `cuts` counts power cuts, `outages`
    are those of power or link that have ended, as (from, to) in unix ms."""

    def __init__(
        self,
        world: World,
        network: Network,
        times: TimeSource,
        stage: Stage,
        utility: Utility,
        watch: Watch,
        tick_ms: int,
    ) -> None:
        self.outages: list[tuple[int, int]] = []
        self.cuts = 0
        self._world = world
        self._network = network
        self._times = times
        self._stage = stage
        self._utility = utility
        self._watch = watch
        self._tick_ms = tick_ms
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._armed: WriteCut | None = None
        self._broker_up = True
        self._broker_since = 0
        self._down_since = 0
        self._do: dict[str, Callable[[Any], None]] = {
            "credit": lambda value: utility.credit(value, world.time_ms),
            "arm": lambda value: utility.arm(world.time_ms),
            "keep": lambda value: utility.keep(value // 3600, world.time_ms),
            "debt": lambda value: utility.debt(value.model_dump(), world.time_ms),
            "token": self._enter,
            "accept": lambda value: stage.accept(),
            "document": lambda value: stage.bring(value),
            "command": lambda value: utility.misbehave(value, world.time_ms),
            "press": self._press,
            "cut": self._cut,
            "write_cut": self._arm_cut,
            "broker": self._broker,
            "brown_out": self._brown_out,
            "clock": self._clock,
            "jump": lambda value: self._jump(*value),
            "silent": self._silent,
            "weld": self._weld,
            "bit_errors": self._bit_errors,
            "disturb": self._disturb,
        }

    def _enter(self, entry: TokenEntry) -> None:
        if entry.by == KEYPAD:
            self._stage.enter(entry.digits)
        else:
            self._utility.enter(entry.digits, self._world.time_ms)

    def befall(self, action: Action) -> None:
        """Let it happen now."""
        self._do[action.what](action.value)

    def next_ms(self) -> int | None:
        """When the next of what lasts ends, unix ms."""
        return self._later[0][0] if self._later else None

    def end_due(self) -> None:
        """End what has lasted until now."""
        now = self._world.time_ms
        while self._later and self._later[0][0] <= now:
            self._later.pop(0)[1]()

    def finish(self) -> None:
        """The run is over: give a meter without power a last tick with it."""
        self._stage.cut_at_write(0)
        if not self._world.powered:
            self._power_returns()
            self._stage.run_until(self._world.time_ms + self._tick_ms)
        if not self._broker_up:
            self.outages.append((self._broker_since, self._world.time_ms))

    def _after(self, seconds: int, what: Callable[[], None]) -> None:
        ms = -(-seconds * 1000 // self._tick_ms) * self._tick_ms
        self._later.append((self._world.time_ms + ms, what))
        self._later.sort(key=lambda later: later[0])

    def _press(self, seconds: int) -> None:
        self._world.button = True
        if seconds * 1000 >= HOLD_MS:
            # The meter hears of a button with a turn's time, and counts its hold in the next.
            seconds = max(seconds, 2 * self._tick_ms // 1000)
        self._after(seconds, self._let_go)

    def _let_go(self) -> None:
        self._world.button = False

    def _cut(self, seconds: int) -> None:
        if not self._world.powered:
            return  # the power is gone already
        now = self._world.time_ms
        self.cuts += 1
        # The shorter of 10 s and 10 Wh, one tick and the write.
        by_time = self._watch.passed_since(now - SNAPSHOT_MS - self._tick_ms - SETUP_MS)
        by_energy = SNAPSHOT_MWS + self._watch.passed_since(now - self._tick_ms - SETUP_MS)
        self._watch.loss_bound_mws += min(by_time, by_energy)
        self._stage.cut()
        self._world.lose_mains()
        self._watch.fault_begins()
        self._down_since = now
        self._after(seconds, self._power_returns)

    def _arm_cut(self, wanted: WriteCut) -> None:
        if self._armed is None:
            self._armed = wanted
            self._stage.cut_at_write(wanted.write, wanted.permille)

    def cut_within_write(self) -> None:
        """The power went within a write, as was asked for."""
        wanted, self._armed = self._armed, None
        assert wanted is not None
        if wanted.again:
            self._arm_cut(WriteCut(wanted.seconds, wanted.again, wanted.again_permille))
        self._cut(wanted.seconds)

    def _power_returns(self) -> None:
        if self._world.powered:
            return
        since = self._down_since
        self._world.return_mains()
        booted = self.boot()
        self.outages.append((since, self._world.time_ms))
        if booted:
            self._watch.fault_ends(self._broker_up)
        else:
            self.cut_within_write()

    def boot(self) -> bool:
        """Boot the meter; False when its power went on the way."""
        # Nothing is counted while the chip is set up, 40 ms after its supply came up.
        before = self._watch.passed()
        booted = self._stage.boot()
        self._watch.loss_bound_mws += self._watch.passed() - before
        return booted

    def _broker(self, seconds: int | None) -> None:
        if not self._broker_up:
            return
        self._broker_up = False
        self._broker_since = self._world.time_ms
        self._network.disconnect()
        self._watch.fault_begins()
        if seconds is not None:
            self._after(seconds, self._broker_returns)

    def _broker_returns(self) -> None:
        self._broker_up = True
        self.outages.append((self._broker_since, self._world.time_ms))
        self._network.connect()
        self._watch.fault_ends(self._broker_up)

    def _brown_out(self, _: bool) -> None:
        if not self._world.powered:
            return
        now = self._world.time_ms
        # Gone is what the chip held, and what passes until the driver has set it up again.
        begun = self._watch.passed() - self._watch.passed_since(now - self._tick_ms)
        self._watch.losses.append((now + 2 * self._tick_ms + SETUP_MS, begun))
        self._world.chip.brown_out()
        self._watch.fault_ends(self._broker_up)

    def _clock(self, clock: Any) -> None:
        if clock.silent is not None:
            self._silent(clock.silent)
        else:
            self._jump(clock.jump_s, clock.seconds)

    def _jump(self, jump_s: int, seconds: int | None) -> None:
        self._watch.mark()
        self._times.offset_s += jump_s
        self._times.ask()
        if seconds is not None:
            self._after(seconds, lambda: self._jump(-jump_s, None))

    def _silent(self, seconds: int) -> None:
        self._watch.mark()
        self._times.online = False
        self._after(seconds, self._speak)

    def _speak(self) -> None:
        self._times.online = True

    def _weld(self, seconds: int) -> None:
        self._world.relay.weld()
        self._watch.stuck_at = len(self._world.relay.movements)
        self._after(seconds, self._world.relay.free)

    def _disturb(self, wanted: Disturbance) -> None:
        self._world.disturb(wanted.kind)
        self._after(wanted.seconds, lambda: self._world.disturb(None))

    def _bit_errors(self, flips: list[tuple[int, int]]) -> None:
        for ms, mask in flips:
            self._after(ms // 1000, partial(self._world.chip.corrupt_next, mask))
