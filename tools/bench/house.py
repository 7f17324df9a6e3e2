"""A whole meter in one process for the benches. Portable: it runs on MicroPython too.

Real driver, agent and storage in memory; the chip is the caller's: the simulator's, or one that
takes next to no heap, so that only the firmware is weighed.
"""

import sys

from wattledger.agent.agent import Agent
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.firmware import documents
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.relay import LatchingRelay

METER = "bench-0001"
START = 1799704800  # Tuesday 2027-01-12, 06:00 in UTC+8
CONSTANTS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
CREDIT = 500000000  # micro-units
DEVICE = b'{"v":1,"meter":"bench-0001","tenant":"bench","board":"sim"}'
TARIFF = (
    b'{"v":1,"id":"bench","n":1,"currency":"CNY","tz":"CST-8","from":1799704800,'
    b'"cycle":"month","cycle_start":1,"blocks":[180,280],"bands":["valley","flat","peak"],'
    b'"fallback":1,"price":[[310000,530000,780000],[360000,580000,830000],'
    b'[610000,830000,1080000]],"days":{"workday":[[0,0],[420,1],[480,2],[660,1],[1080,2],'
    b'[1260,1],[1320,0]],"weekend":[[0,0],[480,1],[1320,0]]},'
    b'"seasons":[["0101","workday","weekend"]],"weekend":[0,6],"export":[350000],'
    b'"standing_day":120000,"credit":{"low":[1000000,300000],"reconnect_above":200000,'
    b'"max":1000000000,"friendly":[[0,0,1440],[6,0,1440]]}}'
)


def simulated_chip():
    """The simulator's ATM90E32 at 1125 W, a hundred counts a second."""
    from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip

    chip = Chip(**CONSTANTS)
    chip.set_phase(0, 230000, 4891, 1125000)
    return chip


class Sink:
    """The Link of hal/contract.py, always up: each message is acknowledged and forgotten."""

    def __init__(self):
        self.bytes = 0
        self.messages = 0

    def subscribe(self, topic):
        pass

    def send(self, topic, data, retain):
        self.bytes += sum(map(len, data)) if isinstance(data, list) else len(data)
        self.messages += 1
        return self.messages

    def sent(self, token):
        return True

    def receive(self):
        return None

    def is_up(self):
        return True

    def session(self):
        return 1


class House:
    """One phase on `chip`. `link` and `page` may be None; `storage` is in memory if not given;
    `tidy` as of Agent."""

    def __init__(self, chip, link=None, page=None, storage=None, tidy=None):
        if storage is None:
            # Not at the top: a device that stores elsewhere must not hold this one in its heap.
            from wattledger.hal.storage.memory import MemoryStorage

            storage = MemoryStorage()
        config, checked = documents.read(DEVICE, TARIFF)
        self._tidy = tidy
        self.chip = chip
        self.clock = VirtualClock(START * 1000)
        self.storage = storage
        self.link = link
        commission(self.storage, METER, START, TRUST_SYNCED, CREDIT, CONNECTED)
        self.agent = Agent(
            config,
            Atm90e32(self.chip, self._pass, [CONSTANTS]),
            LatchingRelay(True),
            self.clock,
            self.clock,
            SeededEntropy(1),
            self.storage,
            link,
            page,
            b"k" * 32,
            tidy=tidy,
        )
        self.agent.start(TARIFF, checked)

    def _pass(self, ms):
        self.chip.feed(ms)
        self.clock.advance(ms)

    def run(self, seconds):
        """Meter `seconds` at 1 s ticks; talking is done before the next tick. Modules that a turn
        needed leave the heap after it, as in firmware/main_bridge.py."""
        agent = self.agent
        count = len(sys.modules)
        for _ in range(seconds):
            self._pass(1000)
            agent.tick()
            rounds = 16
            while agent.step() < agent.config.tick_ms and rounds:
                rounds -= 1
            if self._tidy is not None and len(sys.modules) != count:
                self._tidy()
                count = len(sys.modules)

    def drift(self):
        """Counts between what the chip made and what the register holds or still waits."""
        register = self.agent.meter.register
        held = register.import_wh * 320 + register.import_rest
        return self.chip.total_counts(0) - self.chip.held_counts(0) - held
