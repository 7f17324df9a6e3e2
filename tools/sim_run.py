"""One run of a scenario in virtual time: the meter, its utility, and what befalls them."""

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from wattledger.agent.supply.hold import HOLD_MS
from wattledger.board import sim as board
from wattledger.host_sim.network import Network
from wattledger.host_sim.times import TimeSource
from wattledger.tools import sim_world
from wattledger.tools.evidence import Evidence
from wattledger.tools.keys import MeterKeys
from wattledger.tools.mqtt import TENANT
from wattledger.tools.scenario import Scenario
from wattledger.tools.sim_plan import Action, WriteCut, plan
from wattledger.tools.sim_utility import Utility
from wattledger.tools.sim_watch import RECOVER_MS, SNAPSHOT_MS, SNAPSHOT_MWS, Watch
from wattledger.tools.stage import CPYTHON, Stage

METER = "sim-0001"
SERVE_MS = 5000  # how often the utility looks, and the run at its promises
SETUP_MS = 1000  # setting a chip up, and the write


class Run:
    """`go()` runs the scenario to its end; then `evidence` is what tools/invariants.py judges."""

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        interpreter: str = CPYTHON,
        seed: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        seed = scenario.seed if seed is None else seed
        self.scenario = scenario
        self.tick_ms = scenario.tick_s * 1000
        self.config = {
            "v": 1,
            "meter": METER,
            "tenant": TENANT,
            "board": board.NAME,
            "tick_ms": self.tick_ms,
            "max_amps": board.MAX_AMPS,
            "max_volts": board.MAX_VOLTS,
        }
        self.world = sim_world.build(scenario, seed)
        self.network = Network()
        self.times = TimeSource()
        self.stage = Stage(
            self.world,
            self.network,
            self.times,
            self.config,
            scenario.document,
            folder,
            interpreter,
            seed,
            heap=True,
        )
        self.utility = Utility(MeterKeys(METER, self.stage.device_key), self.network)
        self.outages: list[tuple[int, int]] = []
        self.cuts = 0
        self._watch = Watch(
            self.world, self.network, self.utility, scenario.tariff_set, self.tick_ms
        )
        self._progress = progress or (lambda day: None)
        self._serve_ms = -(-SERVE_MS // self.tick_ms) * self.tick_ms
        self._start_ms = self.world.time_ms
        self._end_ms = self._start_ms + scenario.seconds * 1000
        self._actions = deque(plan(scenario, seed))
        self._later: list[tuple[int, Callable[[], None]]] = []
        self._armed: WriteCut | None = None
        self._broker_up = True
        self._broker_since = 0
        self._down_since = 0
        self._do: dict[str, Callable[[Any], None]] = {
            "credit": lambda value: self.utility.credit(value, self.world.time_ms),
            "arm": lambda value: self.utility.arm(self.world.time_ms),
            "command": lambda value: self.utility.misbehave(value, self.world.time_ms),
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
        }

    def go(self) -> None:
        """Run to the end and stop the meter cleanly."""
        self.network.connect()
        self.stage.commission(self.scenario.credit, self.scenario.used_wh)
        try:
            self._boot()
            while self.world.time_ms < self._end_ms:
                self._turn()
            self.stage.cut_at_write(0)
            if not self.world.powered:
                self._power_returns()
                self.stage.run_until(self.world.time_ms + self.tick_ms)
            self.utility.serve(self.world.time_ms)
            self._watch.count_losses(self.world.time_ms + RECOVER_MS)
            if not self._broker_up:
                self.outages.append((self._broker_since, self.world.time_ms))
        except BaseException:
            self.stage.cut()
            raise
        self.stage.stop()

    def _turn(self) -> None:
        """To the next thing that happens, and what happens then."""
        now = self.world.time_ms
        until = min(now + self._serve_ms, self._end_ms)
        if self._actions:
            until = min(until, max(self._actions[0].ms, now))
        if self._later:
            until = min(until, max(self._later[0][0], now))
        if until > now and not self.stage.run_until(until, ask=True):
            self._cut_within_write()
        now = self.world.time_ms
        self.utility.serve(now)
        self._watch.look(now, self.stage.told)
        while self._later and self._later[0][0] <= now:
            self._later.pop(0)[1]()
        while self._actions and self._actions[0].ms <= now:
            self._act(self._actions.popleft())
        self._progress((now - self._start_ms) // 86_400_000)

    def _act(self, action: Action) -> None:
        self._do[action.what](action.value)

    def _after(self, seconds: int, what: Callable[[], None]) -> None:
        ms = -(-seconds * 1000 // self.tick_ms) * self.tick_ms
        self._later.append((self.world.time_ms + ms, what))
        self._later.sort(key=lambda later: later[0])

    # What befalls the meter.

    def _press(self, seconds: int) -> None:
        self.world.button = True
        if seconds * 1000 >= HOLD_MS:
            # The meter hears of a button with a turn's time, and counts its hold in the next.
            seconds = max(seconds, 2 * self.tick_ms // 1000)
        self._after(seconds, self._let_go)

    def _let_go(self) -> None:
        self.world.button = False

    def _cut(self, seconds: int) -> None:
        if not self.world.powered:
            return  # the power is gone already
        now = self.world.time_ms
        self.cuts += 1
        # The shorter of 10 s and 10 Wh, one tick and the write.
        by_time = self._watch.passed_since(now - SNAPSHOT_MS - self.tick_ms - SETUP_MS)
        by_energy = SNAPSHOT_MWS + self._watch.passed_since(now - self.tick_ms - SETUP_MS)
        self._watch.loss_bound_mws += min(by_time, by_energy)
        self.stage.cut()
        self.world.lose_mains()
        self._watch.fault_begins()
        self._down_since = now
        self._after(seconds, self._power_returns)

    def _arm_cut(self, wanted: WriteCut) -> None:
        if self._armed is None:
            self._armed = wanted
            self.stage.cut_at_write(wanted.write, wanted.permille)

    def _cut_within_write(self) -> None:
        wanted, self._armed = self._armed, None
        assert wanted is not None
        if wanted.again:
            self._arm_cut(WriteCut(wanted.seconds, wanted.again, wanted.again_permille))
        self._cut(wanted.seconds)

    def _power_returns(self) -> None:
        if self.world.powered:
            return
        since = self._down_since
        self.world.return_mains()
        booted = self._boot()
        self.outages.append((since, self.world.time_ms))
        if booted:
            self._watch.fault_ends(self._broker_up)
        else:
            self._cut_within_write()

    def _boot(self) -> bool:
        """Nothing is counted while the chip is set up, 40 ms after its supply came up."""
        before = self._watch.passed()
        booted = self.stage.boot()
        self._watch.loss_bound_mws += self._watch.passed() - before
        return booted

    def _broker(self, seconds: int | None) -> None:
        if not self._broker_up:
            return
        self._broker_up = False
        self._broker_since = self.world.time_ms
        self.network.disconnect()
        self._watch.fault_begins()
        if seconds is not None:
            self._after(seconds, self._broker_returns)

    def _broker_returns(self) -> None:
        self._broker_up = True
        self.outages.append((self._broker_since, self.world.time_ms))
        self.network.connect()
        self._watch.fault_ends(self._broker_up)

    def _brown_out(self, _: bool) -> None:
        if not self.world.powered:
            return
        now = self.world.time_ms
        # Gone is what the chip held, and what passes until the driver has set it up again.
        begun = self._watch.passed() - self._watch.passed_since(now - self.tick_ms)
        self._watch.losses.append((now + 2 * self.tick_ms + SETUP_MS, begun))
        self.world.chip.brown_out()
        self._watch.fault_ends(self._broker_up)

    def _clock(self, clock: Any) -> None:
        if clock.silent is not None:
            self._silent(clock.silent)
        else:
            self._jump(clock.jump_s, clock.seconds)

    def _jump(self, jump_s: int, seconds: int | None) -> None:
        self._watch.mark()
        self.times.offset_s += jump_s
        self.times.ask()
        if seconds is not None:
            self._after(seconds, lambda: self._jump(-jump_s, None))

    def _silent(self, seconds: int) -> None:
        self._watch.mark()
        self.times.online = False
        self._after(seconds, self._speak)

    def _speak(self) -> None:
        self.times.online = True

    def _weld(self, seconds: int) -> None:
        self.world.relay.weld()
        self._watch.stuck_at = len(self.world.relay.movements)
        self._after(seconds, self.world.relay.free)

    def _bit_errors(self, flips: list[tuple[int, int]]) -> None:
        for ms, mask in flips:
            self._after(ms // 1000, partial(self.world.chip.corrupt_next, mask))

    def evidence(self, **found: Any) -> Evidence:
        """All of this run that can be judged; `found` is what its storage holds."""
        return Evidence(
            meter=METER,
            tariff=self.scenario.tariff_set,
            tick_ms=self.tick_ms,
            movements=self.world.relay.movements,
            commands=self.utility.commands,
            copy=self.utility.entries,
            truth=(self.world.import_mws, self.world.export_mws),
            loss_bound_mws=self._watch.loss_bound_mws,
            outages=self.outages,
            marks=self._watch.marks,
            faults=self._watch.faults,
            growth=self.stage.growth,
            **found,
        )
