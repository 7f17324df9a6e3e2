"""A meter in a simulated house, in one process: what the benches of CPython run."""

from typing import Any

from wattledger.agent import config as configs
from wattledger.agent.agent import Agent
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.board import sim as board
from wattledger.firmware import simulated
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.load import Household
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.world import World
from wattledger.tools.bench.house import CREDIT, DEVICE, METER, START, TARIFF

TICK_MS = 1000
COUNTS_A_WH = 320


class MeteredHouse:
    """A household of `seed` on the simulated board, its agent on `storage`; tick by tick."""

    def __init__(self, storage: Any, seed: int = 1) -> None:
        self.storage = storage
        self.chip = Atm90e32(**board.CALIBRATION[0])
        relay = LatchingRelay(True)
        self.world = World(START * 1000, self.chip, Household(seed), Mains(seed), relay)
        self.clock = VirtualClock(START * 1000)
        commission(storage, METER, START, TRUST_SYNCED, CREDIT, CONNECTED)
        self.agent: Agent = simulated.build(
            configs.load(DEVICE),
            self.chip,
            relay,
            self.clock,
            self._advance,
            storage,
            SeededEntropy(seed),
            link_clock=self.clock,
        )
        self.agent.start(TARIFF)

    def _advance(self, ms: int) -> None:
        self.world.advance(ms)
        self.clock.advance(ms)

    def run(self, seconds: int) -> None:
        """Let seconds pass, a tick and a step in each."""
        world, clock, agent = self.world, self.clock, self.agent
        for _ in range(seconds):
            world.advance(TICK_MS)
            clock.advance(TICK_MS)
            agent.tick()
            agent.step()

    def drift(self) -> int:
        """Counts the chip made that the register does not hold."""
        register = self.agent.meter.register
        held = register.import_wh * COUNTS_A_WH + register.import_rest
        return self.chip.total_counts(0) - self.chip.held_counts(0) - held
