"""One run of a scenario in virtual time: the meter, its utility, and what befalls them."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wattledger.board import sim as board
from wattledger.host_sim.network import Network
from wattledger.host_sim.times import TimeSource
from wattledger.tools import sim_tokens, sim_world
from wattledger.tools.evidence import Evidence
from wattledger.tools.keys import MeterKeys
from wattledger.tools.mqtt import TENANT
from wattledger.tools.scenario import Scenario
from wattledger.tools.sim_faults import Faults
from wattledger.tools.sim_plan import plan
from wattledger.tools.sim_utility import Utility
from wattledger.tools.sim_watch import RECOVER_MS, Watch
from wattledger.tools.stage import CPYTHON, Stage

METER = "sim-0001"
SERVE_MS = 5000  # how often the utility looks, and the run at its promises


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
            "export_expected": scenario.pv is not None,
        }
        token_key = b""
        if sim_tokens.are_in(scenario):
            self.config["token"] = sim_tokens.settings(scenario)
            token_key = sim_tokens.key(seed)
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
            token_key=token_key,
        )
        self.utility = Utility(MeterKeys(METER, self.stage.device_key), self.network)
        self._watch = Watch(
            self.world, self.network, self.utility, scenario.tariff_sets, self.tick_ms
        )
        self._faults = Faults(
            self.world,
            self.network,
            self.times,
            self.stage,
            self.utility,
            self._watch,
            self.tick_ms,
        )
        self._progress = progress or (lambda day: None)
        self._serve_ms = -(-SERVE_MS // self.tick_ms) * self.tick_ms
        self._start_ms = self.world.time_ms
        self._end_ms = self._start_ms + scenario.seconds * 1000
        self._actions = deque(plan(scenario, seed))

    def go(self) -> None:
        """Run to the end and stop the meter cleanly."""
        self.network.connect()
        self.stage.commission(self.scenario.credit, self.scenario.used_wh)
        try:
            self._faults.boot()
            while self.world.time_ms < self._end_ms:
                self._turn()
            self._faults.finish()
            self.utility.serve(self.world.time_ms)
            self._watch.count_losses(self.world.time_ms + RECOVER_MS)
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
        ending = self._faults.next_ms()
        if ending is not None:
            until = min(until, max(ending, now))
        if until > now and not self.stage.run_until(until, ask=True):
            self._faults.cut_within_write()
        now = self.world.time_ms
        self.utility.serve(now)
        self._watch.look(now, self.stage.told)
        self._faults.end_due()
        while self._actions and self._actions[0].ms <= now:
            self._faults.befall(self._actions.popleft())
        self._progress((now - self._start_ms) // 86_400_000)

    @property
    def cuts(self) -> int:
        """Power cuts so far."""
        return self._faults.cuts

    def evidence(self, **found: Any) -> Evidence:
        """All of this run that can be judged; `found` is what its storage holds."""
        return Evidence(
            meter=METER,
            tariff=self.scenario.tariff_sets,
            tick_ms=self.tick_ms,
            movements=self.world.relay.movements,
            commands=self.utility.commands,
            copy=self.utility.entries,
            truth=(self.world.import_mws, self.world.export_mws),
            loss_bound_mws=self._watch.loss_bound_mws,
            outages=self._faults.outages,
            marks=self._watch.marks,
            faults=self._watch.faults,
            growth=self.stage.growth,
            **found,
        )
