"""A day on the stage: a house, its meter, and a utility that speaks when it is asked to.

Nothing of the device's own code makes a command here: they are signed by the plain code of
tests/both/fixtures_jws.py.
"""

import json

from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.board import sim as board
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.host_sim.chip.atm90e32 import Atm90e32
from wattledger.host_sim.load import Household
from wattledger.host_sim.mains import Mains
from wattledger.host_sim.network import Network
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.times import TimeSource
from wattledger.host_sim.world import World
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import START, tariff_of
from wattledger.tools.stage import Stage

CMD = "wl/1/demo/m/%s/cmd" % jws.METER
UNIT = 1_000_000  # micro-units
PRICE = 500_000  # micro-units a kWh: 1 Wh is 500 000 nano-units


class House:
    """Everything on one stage. `at(seconds)` runs to so many seconds after the start."""

    def __init__(
        self, folder, interpreter="cpython", credit=2 * UNIT, seed=1, heap=False, **config
    ):
        chip = Atm90e32(**board.CALIBRATION[0])
        self.relay = LatchingRelay()
        self.world = World(START * 1000, chip, Household(seed), Mains(seed), self.relay)
        self.network = Network()
        self.network.connect()
        self.times = TimeSource()
        document = {
            "v": 1,
            "meter": jws.METER,
            "tenant": "demo",
            "board": "sim",
            "max_amps": 60,
            "max_volts": 276,
        }
        document.update(config)
        self.stage = Stage(
            self.world,
            self.network,
            self.times,
            document,
            tariff_of(price=[[PRICE]], export=[PRICE]),
            folder,
            interpreter,
            seed,
            device_key=jws.DEVICE_KEY,
            heap=heap,
        )
        self.stage.commission(credit)

    def at(self, seconds):
        self.stage.run_until((START + seconds) * 1000)

    def sent(self, leaf):
        """Payloads (bytes) of all messages on a topic, oldest first."""
        return [data for topic, data, _ in self.network.log if topic.endswith("/" + leaf)]

    def challenge(self):
        """The challenge of the last hello, whose signature holds."""
        return json.loads(jws.unsign(self.sent("hello")[-1]))["challenge"]

    def results(self):
        """Results of all acks, in order."""
        return [json.loads(jws.unsign(data))["result"] for data in self.sent("ack")]

    def command(self, message):
        self.network.deliver(CMD, message)

    def acknowledge(self):
        """The utility holds everything up to the head of the last signed message."""
        head = json.loads(jws.unsign(self.sent("hello")[-1]))["head"]
        self.command(jws.journal_ack(head["sequence"], head["hash"]))

    def blackout(self, seconds):
        """The mains are gone for so long, and the meter with them; then both come back."""
        self.stage.cut()
        self.world.lose_mains()
        self.stage.run_until(self.world.time_ms + seconds * 1000)
        self.world.return_mains()
        self.stage.boot()

    def entries(self):
        """Every record on storage."""
        storage = PosixStorage(self.stage.storage_folder)
        return [entry for _, entry in walk(storage, records.first_hash(jws.METER))]

    def files(self):
        """Content of the meter's storage by name."""
        return {path.name: path.read_bytes() for path in self.stage.storage_folder.iterdir()}
