"""A simulated meter that lives behind the page: the real agent and driver on a simulated chip and
relay, in a thread that keeps their time; a test lets hours pass in a moment.
"""

import json
import threading
import time

from wattledger.agent.agent import Agent
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.clock.host_linux import HostClock
from wattledger.hal.display.page_server_linux import PageServer
from wattledger.hal.meter.atm90e32 import Atm90e32
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32 as Chip
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.fixtures_agent import START, UNIT, ScriptedLink, config_of
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER
from wattledger.tests.both.houses_tokens import KEY, STS

CONSTANTS = {"voltage_gain": 0x8F5C, "current_gain": 0x7C29}
VOLTS = 230
PACE_S = 0.05


def tariff(**changes):
    """A tariff document (bytes) as a household knows one: valley and peak, two blocks."""
    document = {
        "v": 1,
        "id": "home",
        "n": 1,
        "currency": "CNY",
        "tz": "CST-8",
        "from": START,
        "cycle": "month",
        "cycle_start": 1,
        "blocks": [100],
        "bands": ["valley", "peak"],
        "fallback": 0,
        "price": [[340000, 620000], [400000, 720000]],
        "days": {"w": [[0, 0], [480, 1], [1320, 0]]},
        "seasons": [["0101", "w", "w"]],
        "weekend": [],
        "export": [350000],
        "standing_day": 120000,
        "kwh_credit": 520000,
        "credit": {
            "low": [6 * UNIT, 3 * UNIT],
            "emergency": 5 * UNIT,
            "reconnect_above": UNIT,
            "max": 1000 * UNIT,
            "friendly": [],
        },
    }
    document.update(changes)
    return json.dumps(document).encode()


class LivingMeter:
    """`credit` units on a new meter in `folder`; with `credit` None one with a ledger there."""

    def __init__(self, folder, credit=10, document=None, start=START, linked=True, watts=0):
        folder.mkdir(exist_ok=True)
        self.storage = PosixStorage(folder, durable=False)
        if credit is not None:
            commission(self.storage, METER, start, TRUST_SYNCED, credit * UNIT, CONNECTED)
        self.chip = Chip(**CONSTANTS)
        self.chip.set_mains(50_000)
        self.clock = VirtualClock(start * 1000)
        self.relay = LatchingRelay(True)
        self.link = ScriptedLink() if linked else None
        self.page = PageServer()
        self.watts = watts
        self.agent = Agent(
            config_of(token=STS),
            Atm90e32(self.chip, self._pass, [CONSTANTS]),
            self.relay,
            self.clock,
            HostClock(),
            SeededEntropy(1),
            self.storage,
            link=self.link,
            page=self.page,
            device_key=DEVICE_KEY,
            token_key=KEY,
        )
        self.agent.start(document)
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self.lives = True  # time passes by itself

    def __enter__(self):
        self.page.start()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join(10)
        self.page.stop()

    @property
    def url(self):
        return self.page.url

    def _pass(self, ms):
        watts = self.watts if self.relay.contact() else 0
        self.chip.set_phase(0, VOLTS * 1000, abs(watts) * 1000 // VOLTS, watts * 1000)
        self.chip.feed(ms)
        self.clock.advance(ms)

    def _second(self, seconds=1):
        self._pass(seconds * 1000)
        self.agent.tick()
        self.agent.step()

    def _live(self):
        due = time.monotonic()
        while not self._ended.wait(PACE_S):
            with self._lock:
                if self.lives and time.monotonic() >= due:
                    due = time.monotonic() + 1
                    self._second()
                else:
                    self.agent.step()

    def ahead(self, seconds, watts=None, step=10):
        """Let `seconds` pass now, at a load of `watts` (negative: export)."""
        with self._lock:
            if watts is not None:
                self.watts = watts
            for _ in range(seconds // step):
                self._second(step)
            self._second()

    def until(self, holds, watts=None, step=10, most_s=2 * 86400):
        """Let time pass until `holds(agent)`."""
        with self._lock:
            if watts is not None:
                self.watts = watts
            for _ in range(most_s // step):
                if holds(self.agent):
                    return
                self._second(step)
        raise AssertionError("it never happens")

    def do(self, action):
        """Call `action(agent)` between two steps; what it returns."""
        with self._lock:
            return action(self.agent)

    def view(self):
        return self.do(lambda agent: agent.view.page())
