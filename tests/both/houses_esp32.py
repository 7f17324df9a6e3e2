"""An ESP32 with chip, relay, clock and flash, for MicroPython alone: real littlefs, virtual time.

The firmware is main_esp32 as a device runs it, on the `machine`, `esp32` and `network` of
host_sim. A reset is an exception that ends one boot; flash, NVS, chip and relay live on.
"""

import gc
import json

import esp32
import machine
import vfs

from wattledger.firmware import boot as boots
from wattledger.firmware.main_esp32 import Esp32Meter, Modules
from wattledger.hal.clock.ds3231 import Ds3231 as Driver
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim import esp32 as sim_esp32
from wattledger.host_sim import machine as sim_machine
from wattledger.host_sim.chip.ds3231 import Ds3231
from wattledger.host_sim.flash import NorFlash
from wattledger.host_sim.relay import LatchingRelay
from wattledger.host_sim.ticks import PortTime
from wattledger.tests.both import houses_root

FOLDER = "/"  # as on a device
BLOCKS = 240  # the partition of a 4 MB chip with two application partitions, 960 KiB
METER = "esp-0001"
UNIT = 1_000_000  # micro-units
START = 1_799_704_800
LEAST_PULSE_MS = 50
DEVICE = {
    "v": 1,
    "meter": METER,
    "tenant": "demo",
    "board": "esp32_atm90e32",
    "max_amps": 60,
    "max_volts": 276,
}
TARIFF = {
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
    "price": [[1_000_000]],
    "days": {"w": [[0, 0]]},
    "seasons": [["0101", "w", "w"]],
    "weekend": [],
    "export": [0],
    "credit": {
        "low": [2 * UNIT, UNIT],
        "reconnect_above": UNIT,
        "max": 1000 * UNIT,
        "friendly": [],
    },
}

houses_root.give_way()


def chip_of(board):
    """The board's chip, wired to its pins. What the board's constants stand for is the chip's own
    scale."""
    if board == "esp32_ade7953":
        from wattledger.host_sim.chip.ade7953 import Ade7953

        chip = Ade7953(26_000, 100_000)
        sim_machine.attach_i2c(0, 0x38, chip)
        return chip
    if board == "esp32_bl0942":
        from wattledger.host_sim.chip.bl0942 import Bl0942

        chip = Bl0942(9600)
        sim_machine.attach_uart(2, chip)
        return chip
    from wattledger.host_sim.chip.atm90e32 import Atm90e32

    chip = Atm90e32(7305, 27518)  # CircuitSetup's gains
    sim_machine.attach_spi(2, 4, chip, 3)
    return chip


class Coils:
    """The two coils of a latching relay: a pulse that is long enough moves it."""

    def __init__(self, relay):
        self._relay = relay
        self._on_ms = [None, None]  # of opening and closing
        self.pulses = 0

    def hear(self, which, level):
        if level:
            self._on_ms[which] = 0
            self.pulses += 1
        elif self._on_ms[which] is not None:
            if self._on_ms[which] >= LEAST_PULSE_MS:
                (self._relay.close if which else self._relay.open)()
            self._on_ms[which] = None

    def pass_ms(self, ms):
        for which in (0, 1):
            if self._on_ms[which] is not None:
                self._on_ms[which] += ms

    def released(self):
        """After a reset no pin is driven: what was on is off, as after a pulse."""
        for which in (0, 1):
            self.hear(which, 0)


class House:
    """`boot()` starts the meter, `run(ms)` lets it work; machine.Reset ends either."""

    def __init__(self, credit=10, tariff=TARIFF, watts=2300, closed=True, **device):
        self.umount()  # what a house before this one left
        gc.collect()
        sim_machine.detach_all()
        sim_esp32.detach_all()
        self.flash = NorFlash(BLOCKS)
        sim_esp32.attach_partition("vfs", self.flash)
        self.chip = chip_of(device.get("board"))
        self.relay = LatchingRelay(closed)
        self.coils = Coils(self.relay)
        self.rtc = Ds3231()
        clock = Driver(self.rtc)
        clock.begin()
        clock.set(START)
        self.watts = watts
        self.lines = []
        self.ticks_start = 0
        self.now_ms = 0
        self.meter = None
        self.time = None
        self._wire()
        self._provision(credit, tariff, device)

    def _wire(self):
        sim_machine.attach_i2c(0, 0x68, self.rtc)
        sim_machine.attach_output(25, lambda level: self.coils.hear(0, level))
        sim_machine.attach_output(26, lambda level: self.coils.hear(1, level))
        sim_machine.attach_input(32, lambda: 0 if self.relay.contact() else 1)

    def _provision(self, credit, tariff, device):
        import os

        vfs.VfsLfs2.mkfs(self.flash)
        self.mount()
        os.mkdir("/site")
        device = dict(DEVICE, **device)
        self.write("device.json", json.dumps(device).encode())
        self.write("device.key", b"ab" * 32)
        if credit is not None:
            self.write("commission", str(credit * UNIT).encode())
        if tariff is not None:
            self.write("tariff.json", json.dumps(tariff).encode())
        self.umount()

    def mount(self):
        vfs.mount(vfs.VfsLfs2(self.flash), FOLDER)

    def umount(self):
        for place in (boots.MOUNTED, FOLDER):  # the application lies in a file of the other
            try:
                vfs.umount(place)
            except OSError:
                pass

    def write(self, name, data):
        with open("/site/" + name, "wb") as file:
            file.write(data)

    def set_watts(self, watts):
        self.watts = watts

    def pass_ms(self, ms):
        """The world goes on; what ends the boot is raised at the end."""
        self.now_ms += ms
        on = self.relay.conducts()
        watts = self.watts if on else 0
        self.chip.set_phase(0, 230_000, watts * 1000 // 230, watts * 1000)
        self.chip.feed(ms)
        self.rtc.feed(ms)
        self.relay.pass_ms(ms)
        self.coils.pass_ms(ms)
        sim_machine.advance(ms)

    def boot(self, cause=sim_machine.PWRON_RESET):
        """Power or reset: everything in RAM is gone, the meter starts."""
        self.wake(cause)
        return self.start()

    def wake(self, cause=sim_machine.PWRON_RESET):
        """The first half of boot(): up to what builds the meter."""
        self.off()
        sim_machine.power_up(cause)
        sim_esp32.power_up()
        gc.collect()
        self.time = self.new_time()
        self.found = boots.start(machine, esp32, vfs, FOLDER, boots.Found())

    def start(self):
        """The second half of boot()."""
        self.meter = Esp32Meter(self.found, self.modules(), self.lines.append)
        self.meter.look_ms = 1000  # a tick: nobody stands at it
        return self

    def new_time(self):
        return PortTime(self.pass_ms, self.ticks_start)

    def modules(self):
        """Those of the port, without a network."""
        return Modules(machine, esp32, vfs, self.time)

    def off(self):
        self.meter = None
        self.coils.released()
        self.umount()

    def run(self, ms):
        """Turns for `ms`."""
        until = self.now_ms + ms
        while self.now_ms < until:
            self.time.sleep_ms(min(self.meter.turn(), until - self.now_ms))

    def until_reset(self, most_ms):
        """Run until the machine resets; milliseconds it took, None when it did not."""
        began = self.now_ms
        try:
            self.run(most_ms)
        except sim_machine.Reset:
            return self.now_ms - began
        return None

    def events(self):
        """Numbers and values of the durable events, in order."""
        from wattledger.agent.journal import payload_read as readers
        from wattledger.agent.journal import record as records
        from wattledger.agent.journal.segments import walk

        found = []
        for _, entry in walk(VfsStorage(FOLDER), records.first_hash(METER)):
            if entry.kind == records.EVENT:
                found.append(readers.unpack_event(entry.payload))
        return found


def meters(board="esp32_atm90e32"):
    """A minute of metering at 2300 W, from the first boot on."""
    house = House(board=board).boot()
    house.run(60_000)
    agent = house.meter.agent
    register = agent.meter.register
    house.umount()
    house.mount()
    return {
        "events": house.events(),
        "made": boots.is_made(esp32),
        "import_wh": register.import_wh,
        "power": agent.meter.power_mw(),
        "missing": agent.ledger.missing,
        "operations": house.relay.operations,
        "trust": agent.time.trust(),
        "unix": agent.time.unix() - START,
        "failures": house.meter.runtime.failures,
        "lines": house.lines,
    }
