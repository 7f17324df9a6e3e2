"""A whole meter in one process: simulated chip, real driver, agent, storage in memory. Portable.

The load is steady: at 3600 W one Wh passes each second, so energies are counted on the fingers.
"""

import json

from wattledger.agent import config as configs
from wattledger.agent.agent import Agent
from wattledger.agent.comms.actions import Actions
from wattledger.agent.errors import RefusalError
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.ledger import commission
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.relay import LatchingRelay

METER = "demo-0001"
CONSTANTS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
CONNECTED = 2


class House:
    """`start` is the true time (unix s); `credit` the opening balance in micro-units."""

    def __init__(self, start, credit=50000000, storage=None, used_wh=0, watts=3600, **settings):
        self.chip = Chip(**CONSTANTS)
        self.relay = LatchingRelay(True)
        self.storage = MemoryStorage() if storage is None else storage
        self.clock = VirtualClock(start * 1000)
        self.settings = settings
        self.online = True
        self.load(watts)
        if credit is not None:
            commission(self.storage, METER, start, 0, credit, CONNECTED, used_wh)
        self.agent = None

    def load(self, watts):
        """Steady power from now on; negative is export."""
        self.chip.set_phase(0, 230000, abs(watts) * 1000 // 230, watts * 1000)

    def boot(self, tariff=None, clock_set=False):
        """Start the agent; `clock_set`: a battery clock gives the true time, synced."""
        document = {"v": 1, "meter": METER, "tenant": "demo", "board": "sim"}
        document.update(self.settings)
        config = configs.load(json.dumps(document).encode())
        # The wall clock of a meter without a battery starts anywhere; here at 1970.
        self.clock = VirtualClock(self.clock.true_ms(), self.clock.ticks_ms(), 0)
        self.clock.online = self.online
        if clock_set:
            self.clock.set(self.clock.true_ms() // 1000, TRUST_SYNCED)
        driver = Atm90e32(self.chip, self._wait, [CONSTANTS])
        self.agent = Agent(
            config,
            driver,
            self.relay,
            self.clock,
            self.clock,
            SeededEntropy(1),
            self.storage,
        )
        self.agent.start(tariff)
        return self.agent

    def _wait(self, ms):
        self.chip.feed(ms)
        self.clock.advance(ms)

    def run(self, ticks):
        """Let `ticks` tick periods pass."""
        for _ in range(ticks):
            self._wait(self.agent.config.tick_ms)
            self.agent.tick()
            self.agent.step()

    def cut(self, off_s=0):
        """Take the power away; `off_s` seconds later it is back. The chip forgets its set-up."""
        self.agent = None
        self.storage.power_cut()
        self.chip.brown_out()
        self.clock.advance(off_s * 1000)

    def entries(self, kind=None):
        """What storage holds: Records that pass CRC and chain, of one kind or all."""
        found = []
        for _, entry in walk(self.storage, records.first_hash(METER)):
            if kind is None or entry.kind == kind:
                found.append(entry)
        return found

    def sum(self):
        """Nano-units: the amounts of all stored entries added up."""
        total = 0
        for entry in self.entries():
            total += entry.amount
        return total

    def events(self):
        """(code, value) of each stored event."""
        return [readers.unpack_event(entry.payload) for entry in self.entries(records.EVENT)]

    def standing_keys(self):
        """yyyymmdd of each standing charge, in order."""
        return [
            readers.unpack_standing(entry.payload)[0] for entry in self.entries(records.STANDING)
        ]

    def intervals(self):
        """(Record, Interval) of each stored interval."""
        return [
            (entry, readers.unpack_interval(entry.payload))
            for entry in self.entries(records.INTERVAL)
        ]


def credit(house, n, micro=10000000):
    """What the command credit.add is answered, for 10 units unless told."""
    try:
        return Actions(house.agent).credit_add({"n": n, "amount": micro})[0]
    except RefusalError as refusal:
        return refusal.result


def running(start, document, storage=None):
    """A house that has run for 20 minutes at 1 Wh a second, with purchase 1 made."""
    house = House(start, storage=storage, tick_ms=10000, price_change_percent=100)
    house.boot(document)
    house.run(60)
    assert credit(house, 1, 1000000) == "ok"
    house.run(60)
    return house
