"""A house for the agent: chip, link and page as scripts, everything else as in the simulator.

The tariff is made for the head: 1 Wh costs 1.000000 of the currency, so 1 Wh = 10**9 nano. A
count is 1/320 Wh; 3600 W is one Wh a second.
"""

import json

from wattledger.agent import config as configs
from wattledger.agent import events
from wattledger.agent.agent import Agent
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.errors import ChipError
from wattledger.hal.sample import (
    CURRENT_MA,
    ENERGY_COUNTS,
    FREQUENCY_MHZ,
    NO_ANSWER,
    OK,
    PHASE_FIELDS,
    POWER_FACTOR,
    POWER_MW,
    TEMPERATURE_DC,
    TRUST_SYNCED,
    VOLTAGE_MV,
)
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy
from wattledger.host_sim.relay import LatchingRelay
from wattledger.tests.both.fixtures_jws import DEVICE_KEY, METER

START = 1_799_704_800  # Tuesday 2027-01-12, 06:00 in UTC+8; a quarter of an hour
WH = 320  # counts
UNIT = 1_000_000  # micro-units
PRICE = 1_000_000_000  # micro-units a kWh: 1.000000 a Wh
WATTS_OF_A_WH_A_SECOND = 3600


def config_of(**changes):
    """The Config of a meter; 60 A at 276 V is 16 560 W."""
    document = {
        "v": 1,
        "meter": METER,
        "tenant": "demo",
        "board": "sim",
        "max_amps": 60,
        "max_volts": 276,
    }
    document.update(changes)
    return configs.load(json.dumps(document).encode())


def tariff_of(friendly=(), reconnect_above=UNIT, low=(5 * UNIT, 2 * UNIT), **changes):
    """A tariff document (bytes)."""
    document = {
        "v": 1,
        "id": "plain",
        "n": 1,
        "currency": "CNY",
        "tz": "CST-8",
        "from": START,
        "cycle": "none",
        "blocks": [],
        "bands": ["flat"],
        "fallback": 0,
        "price": [[PRICE]],
        "days": {"w": [[0, 0]]},
        "seasons": [["0101", "w", "w"]],
        "weekend": [],
        "export": [PRICE],
        "credit": {
            "low": list(low),
            "reconnect_above": reconnect_above,
            "max": 1000 * UNIT,
            "friendly": [list(period) for period in friendly],
        },
    }
    document.update(changes)
    return json.dumps(document).encode()


class ScriptedChip:
    """A metering chip that hands on what was put in: `feed`, `status`, `dead`."""

    energy_numerator = 1
    energy_denominator = 320
    fields = 0b111111111  # every phase's, frequency and temperature

    def __init__(self, phases=1):
        self.phases = phases
        self.counts = [0] * phases
        self.power_mw = [0] * phases
        self.voltage_mv = 230_000
        self.temperature_dc = 0  # a chip that has no thermometer
        self.status = OK
        self.dead = False
        self.begun = 0
        self.error = None

    def feed(self, counts, phase=0):
        self.counts[phase] += counts

    def begin(self):
        self.begun += 1
        if self.dead:
            raise ChipError("nobody there", "bus")

    def overflow_ms(self, max_watts):
        return 65535 * 11250 // max_watts

    def health(self):
        return {}

    def read_into(self, sample):
        if self.error is not None:
            raise self.error
        if self.dead:
            return NO_ANSWER
        status, self.status = self.status, OK
        if status:
            return status
        for phase in range(self.phases):
            at = phase * PHASE_FIELDS
            sample[at + VOLTAGE_MV] = self.voltage_mv
            sample[at + POWER_MW] = self.power_mw[phase]
            sample[at + CURRENT_MA] = abs(self.power_mw[phase]) // 230
            sample[at + POWER_FACTOR] = 1000
            sample[at + ENERGY_COUNTS] = self.counts[phase]
            self.counts[phase] = 0
        sample[FREQUENCY_MHZ] = 50_000
        sample[TEMPERATURE_DC] = self.temperature_dc
        return OK


class ScriptedLink:
    """The Link of hal/contract.py, in a list. `room` is how many it takes before it is full."""

    def __init__(self):
        self.up = True
        self.number = 1
        self.room = 1000
        self.topics = []
        self.inbox = []
        self.out = []  # (topic, data, retain)
        self.acked = True  # True: the broker acknowledges at once; else a list of tokens

    def subscribe(self, topic):
        self.topics.append(topic)

    def send(self, topic, data, retain):
        if not self.up or len(self.out) >= self.room:
            return 0
        data = b"".join(data) if isinstance(data, list) else bytes(data)
        self.out.append((topic, data, retain))
        return len(self.out)

    def sent(self, token):
        return True if self.acked is True else token in self.acked

    def receive(self):
        return self.inbox.pop(0) if self.up and self.inbox else None

    def is_up(self):
        return self.up

    def session(self):
        return self.number

    def put(self, data, retained=False):
        """A message arrives on the command topic."""
        self.inbox.append((self.topics[0], data, retained))

    def take(self, leaf=None):
        """(leaf, data, retain) sent since the last take, of one leaf or all."""
        out, self.out = self.out, []
        found = [(topic.split("/")[-1], data, retain) for topic, data, retain in out]
        return [item for item in found if leaf is None or item[0] == leaf]


class ScriptedPage:
    """The Page of hal/contract.py."""

    def __init__(self):
        self.view = None
        self.shown = 0
        self.requests = []

    def show(self, view):
        self.view = view
        self.shown += 1

    def request(self):
        return self.requests.pop(0) if self.requests else None


class House:
    """A meter and its surroundings. `run` lets seconds pass, a tick and a step in each.

    `warned`: the five minutes after the last warning are over at each boot; credit cuts at once.
    """

    gate_key = b""
    token_key = b""
    public_keys = None
    calibration = None

    def __init__(
        self,
        credit=10,
        tariff=None,
        closed=True,
        linked=False,
        storage=None,
        warned=True,
        **config,
    ):
        self.warned = warned
        self.config = config_of(**config)
        self.storage = storage or MemoryStorage()
        self.relay = LatchingRelay(closed)
        self.chip = ScriptedChip()
        self.now_ms = START * 1000
        self.online = True
        self.page = ScriptedPage()
        self.link = ScriptedLink() if linked else None
        self.entropy = SeededEntropy(1)
        self.link_clock = VirtualClock(0)
        if credit is not None:
            commission(self.storage, METER, START, TRUST_SYNCED, credit * UNIT, CONNECTED)
        self.boot(tariff_of() if tariff is None else tariff)

    def boot(self, tariff=None, cold=True):
        """A new agent on the same storage, relay and chip; a wall clock nobody has set."""
        if cold:
            self.storage.power_cut()
        self.clock = VirtualClock(self.now_ms, wall_s=0)
        self.clock.online = self.online
        self.agent = Agent(
            self.config,
            self.chip,
            self.relay,
            self.clock,
            self.link_clock,
            self.entropy,
            self.storage,
            link=self.link,
            page=self.page,
            device_key=DEVICE_KEY,
            gate_key=self.gate_key,
            token_key=self.token_key,
            public_keys=self.public_keys,
            calibration=self.calibration,
            firmware="test",
        )
        self.agent.start(tariff)
        if self.warned:
            if self.agent.time.powered_s < 300:
                self.agent.time.powered_s += 300
                self.agent.control.credit.aged_at = self.agent.time.powered_s
            self.warn()

    def warn(self):
        """The last warning was given five minutes ago."""
        self.agent.control.credit.warned_s = self.agent.time.powered_s - 300

    def go_offline(self):
        """No time source from now on, through reboots too."""
        self.online = self.clock.online = False

    def pass_ms(self, ms):
        """Time passes; nothing runs."""
        self.now_ms += ms
        self.clock.advance(ms)
        self.link_clock.advance(ms)

    def once(self, ms=1000):
        """Time passes, then one tick and one step."""
        self.pass_ms(ms)
        self.agent.tick()
        self.agent.step()

    def run(self, seconds, watts=0):
        """`seconds` of a constant power, negative for export."""
        self.chip.power_mw[0] = watts * 1000
        for _ in range(seconds):
            if self.relay.contact():
                self.chip.feed(watts * WH // WATTS_OF_A_WH_A_SECOND)
            self.once()

    def coast(self, seconds):
        """`seconds` without energy, in ticks that are just not late."""
        while seconds:
            step = min(seconds, 20)
            self.once(step * 1000)
            seconds -= step

    def use(self, wh):
        """`wh` in one late tick of 10 s (at most 46 Wh are possible in it), then a step."""
        self.chip.feed(wh * WH)
        self.once(10_000)

    def talk(self, rounds=20):
        """Steps without time, until nothing more is said."""
        for _ in range(rounds):
            self.agent.step()

    def hold(self, ms, every=500):
        """A person holds the button for `ms`: renewed, then let go."""
        passed = 0
        self.page.requests.append(("press",))
        self.agent.step()
        while passed < ms:
            step = min(every, ms - passed)
            self.pass_ms(step)
            passed += step
            self.page.requests.append(("press",))
            self.agent.step()
        self.page.requests.append(("release",))
        self.agent.step()

    def pay(self, units, n):
        """A purchase, taken by the account as a signed command would."""
        account = self.agent.account
        result = account.credit(n, units * UNIT, self.agent.time.unix(), self.agent.time.trust())
        register = self.agent.meter.register
        account.watch.arm(
            account.tariff, account.available(register.import_wh, register.export_wh)
        )
        self.agent.control.look_again()
        self.agent.keeper.now()
        return result[0]

    def entries(self, kind=None):
        """Durable records, of one kind or all."""
        found = []
        for _, entry in walk(self.storage, records.first_hash(METER)):
            if kind is None or entry.kind == kind:
                found.append(entry)
        return found

    def told(self, code):
        """Values of the durable events of one code."""
        unpacked = [readers.unpack_event(entry.payload) for entry in self.entries(records.EVENT)]
        return [value for found, value in unpacked if found == code]

    def moves(self):
        """(operation, reasons, cause, powered s) of the durable relay entries."""
        return [readers.unpack_relay(entry.payload) for entry in self.entries(records.RELAY)]

    def told_names(self):
        """Names of all durable events, in order."""
        unpacked = [readers.unpack_event(entry.payload) for entry in self.entries(records.EVENT)]
        return [events.NAMES[code] for code, _ in unpacked]
