"""Meters for tests of the offline tools: small journals by hand, and a simulated house."""

import json
import random

from wattledger.agent import config as configs
from wattledger.agent.agent import Agent
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, walk
from wattledger.agent.ledger import commission
from wattledger.firmware.runtime import Runtime
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.sample import QUALITY_OK, TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.load import Household
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.world import World

METER = "demo-0001"
FROM = 1799704800  # 2027-01-12 06:00 in China, the `from` of the demo tariff
CONSTANTS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}


class HandJournal:
    """A journal written entry by entry into `folder`, opened at `start` with 5.00."""

    def __init__(self, folder, start=FROM, used_wh=0):
        self.storage = PosixStorage(folder, durable=False)
        commission(self.storage, METER, start, TRUST_SYNCED, 5000000, 2, used_wh)
        self.journal = Journal(self.storage, METER)
        self.journal.open(lambda entry: None)
        self.import_wh = self.export_wh = 0

    def append(self, kind, time, amount, payload, trust=TRUST_SYNCED):
        self.journal.append(kind, time, trust, amount, payload)
        self.journal.flush()

    def interval(self, start, end, import_wh, export_wh=0, trust=TRUST_SYNCED, price=500000):
        """An interval that moved the registers by these Wh, at one price both ways."""
        self.import_wh += import_wh
        self.export_wh += export_wh
        parts = [payloads.Part(0, 0, import_wh, price)] if import_wh else []
        if export_wh:
            parts.append(payloads.Part(payloads.EXPORT, 0xFF, export_wh, price))
        interval = readers.Interval(
            self.import_wh, self.export_wh, end - start, QUALITY_OK, 1, parts
        )
        self.append(records.INTERVAL, end, interval.amount(), interval.pack(), trust)

    def credit(self, time, n, micro):
        self.append(records.CREDIT, time, micro * 1000, payloads.pack_credit(n, n, 1))

    def standing(self, time, day, micro):
        self.append(records.STANDING, time, -micro * 1000, payloads.pack_standing(day, 1))


class House:
    """A house whose meter keeps its storage in `folder`; 10 s ticks. `cut()` ends the meter as a
    power cut would; the world goes on, and the next `run()` starts the meter again."""

    def __init__(self, folder, tariff, start=FROM, seed=1, used_wh=0):
        self._tariff = tariff
        self._chip = Chip(**CONSTANTS)
        self._relay = LatchingRelay(True)
        self._world = World(start * 1000, self._chip, Household(seed), Mains(seed), self._relay)
        self._clock = VirtualClock(start * 1000)
        self._storage = PosixStorage(folder, durable=False)
        document = {"v": 1, "meter": METER, "tenant": "demo", "board": "sim", "tick_ms": 10000}
        self._config = configs.load(json.dumps(document).encode())
        commission(self._storage, METER, start, TRUST_SYNCED, 10**9, 2, used_wh)
        self._runtime = None

    def _advance(self, ms):
        self._world.advance(ms)
        self._clock.advance(ms)

    def run(self, seconds):
        """Let the meter run."""
        if self._runtime is None:
            chip = Atm90e32(self._chip, self._advance, [CONSTANTS])
            agent = Agent(
                self._config, chip, self._relay, self._clock, self._clock, SeededEntropy(1),
                self._storage, None, None, b"k" * 32,
            )  # fmt: skip
            agent.start(self._tariff)
            self._tariff = None
            self._runtime = Runtime(agent, self._clock, None, print)
        for _ in range(seconds // 10):
            self._advance(10000)
            self._runtime.tick()
            self._runtime.step()
        assert self._runtime.failures == 0

    def cut(self, seconds):
        """No meter for this long."""
        self._runtime = None
        self._advance(seconds * 1000)

    def live(self, seconds, seed):
        """Run with a power cut every few hours."""
        chance = random.Random(seed)
        left = seconds
        while left > 0:
            span = min(chance.randrange(600, 30000, 10), left)
            self.run(span)
            left -= span
            if left > 0:
                self.cut(chance.choice((0, 10, 1000, 5000)))


def charged(folder):
    """Nano-units the journal in `folder` has charged: all entries that are no money paid in."""
    amounts = [
        entry.amount
        for _, entry in walk(PosixStorage(folder), records.first_hash(METER))
        if entry.kind not in records.MONEY_IN
    ]
    return -sum(amounts)
