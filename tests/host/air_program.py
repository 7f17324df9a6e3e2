"""Runs in MicroPython: one start of a built image that has a link (air_bench.py).

What a power cut leaves is in files, written as it changes. What else outlives a reset is in each
line told, and comes back with the next start. Time flies, but for a connection that is being made:
its other end lives by the wall's.
"""

import gc
import json
import os
import select
import ssl
import sys

import esp32
import flash_program
import machine
import network
import vfs
from world.firmware.mirror_esp32 import NvsMirror
from world.host_sim import esp32 as sim_esp32
from world.host_sim import machine as sim_machine
from world.host_sim.flash import BLOCK_BYTES
from world.host_sim.ticks import TICKS_PERIOD, PortTime
from world.tests.both import houses_esp32 as houses
from world.tests.both.houses_esp32_linked import Radio

FLASH, STORE = "flash.bin", "nvs.json"
SPEED, SLOW = 250, 20  # virtual milliseconds for one of the wall's
RESTART_MS = 2_000  # until the firmware is at work again
OUTAGE_MS = 90_000  # of a power cut; longer than TELL_MS, so that no clock goes back
TELL_MS = 20_000
TIME_SERVER = 9  # nobody listens there
PHASES = 3
APP = "/app/"


class FlashFile:
    """Takes the log of a NorFlash, and does in a file what it says."""

    def __init__(self, path):
        self._file = open(path, "r+b")

    def append(self, operation):
        start, data = operation
        self._file.seek(start)
        self._file.write(b"\xff" * BLOCK_BYTES if data is None else data)


class SwiftTime(PortTime):
    """Slow while `waits()` is true, for somebody's answer; `after()` is called at each sleep."""

    def __init__(self, passes, poll, waits, after):
        super().__init__(passes)
        self._poll = poll
        self._waits = waits
        self._after = after

    def sleep_ms(self, ms):
        ms = max(ms, 1)
        self._poll.poll(max(ms // (SLOW if self._waits() else SPEED), 1))
        self._ticks = (self._ticks + ms) % TICKS_PERIOD
        self._ms += ms
        self._passes(ms)
        self._after()


class Board(houses.House):
    """The simulated board as the start before has left it: `words` of air_bench.py."""

    def __init__(self, words):
        houses.BLOCKS = flash_program.VFS_BLOCKS
        self._words = words
        self._told_ms = self._lines_told = 0
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)
        self._radio = Radio(TIME_SERVER)
        super().__init__()
        for phase in range(1, PHASES):
            self.chip.set_phase(phase, 230_000, 0, 0)
        world = words["world"]
        if world is None:
            return
        self.now_ms = world["ms"]
        self.rtc.restore(world["rtc"])
        self.relay.restore(world["relay"])
        if words["cause"] == sim_machine.PWRON_RESET:
            self.now_ms += OUTAGE_MS
            self.rtc.feed(OUTAGE_MS)
        else:
            self.chip.restore(world["chip"])
            self.pass_ms(RESTART_MS)

    def _provision(self, *others):
        if FLASH in os.listdir():
            with open(FLASH, "rb") as file:
                file.readinto(self.flash.image)
            restore_nvs()
        else:
            vfs.VfsLfs2.mkfs(self.flash)
            self.mount()
            flash_program.install(self._words["files"])
            self.umount()
            with open(FLASH, "wb") as file:
                file.write(self.flash.image)
        self.flash.log = FlashFile(FLASH)
        keep_nvs()

    def live(self):
        """As firmware/start_esp32.py."""
        sim_machine.power_up(self._words["cause"])
        sim_esp32.power_up()
        self.time = SwiftTime(self.pass_ms, self._poll, self._waits, self._after)
        from wattledger.firmware import main_esp32

        kept = set(sys.modules)
        from wattledger.firmware import boot

        self.found = boot.start(machine, esp32, vfs, houses.FOLDER, boot.Found())
        boot.enter(self.found, sys.modules, __import__, vfs.mount)
        port = main_esp32.Modules(machine, esp32, vfs, self.time, network, self._radio, ssl)
        del boot
        made = main_esp32.Esp32Meter

        def seen(*given):
            self.meter = made(*given)
            self.meter.look_ms = 1000  # a tick: nobody stands at it
            gc.threshold(-1)  # the world lies in this heap too, and is not swept each 4 kB
            return self.meter

        main_esp32.Esp32Meter = seen
        try:
            main_esp32.main(self.found, port, self.lines.append, kept)
        except SystemExit:
            if self._poll.poll(0):
                raise
        while True:
            self.time.sleep_ms(1000)  # until the watchdog bites

    def _waits(self):
        return self._radio.is_open() and not (self.meter and self.meter.agent.is_linked())

    def _after(self):
        if self._poll.poll(0):  # nobody is there any more
            print(json.dumps(self.told()))
            sys.exit()
        if self.meter and self.now_ms - self._told_ms >= TELL_MS:
            self._told_ms = self.now_ms
            print(json.dumps(self.told()))

    def told(self, **more):
        """How it is; what is of the meter only while there is one."""
        lines = self.lines[self._lines_told :]
        self._lines_told = len(self.lines)
        more["lines"] = lines
        more["ms"] = self.now_ms
        more["slot"] = self.found.slot
        more["files"] = {slot: files_of(slot) for slot in ("a", "b")}
        more["floor"] = NvsMirror(esp32.NVS(flash_program.SPACE)).read()
        more["operations"] = self.relay.operations
        more["raised"] = self.flash.raised
        more["world"] = {
            "ms": self.now_ms,
            "chip": self.chip.state(),
            "relay": self.relay.state(),
            "rtc": self.rtc.state(),
        }
        if self.meter:
            agent, updates = self.meter.agent, self.meter.updates
            more["import_wh"] = agent.meter.register.import_wh
            more["balance"] = agent.journal.balance
            more["sequence"] = agent.journal.durable
            more["linked"] = agent.is_linked()
            more["application"] = agent.application
            more["failures"] = self.meter.runtime.failures
            more["missing"] = agent.ledger.missing
            more["waits"] = updates and updates.why_not
            more["lacks"] = updates and updates.trial and updates.trial.lacking
        return more


def files_of(slot):
    """{name: bytes} of what lies in a slot."""
    try:
        names = os.listdir(APP + slot)
    except OSError:
        return {}
    return {name: os.stat(APP + slot + "/" + name)[6] for name in names}


def restore_nvs():
    with open(STORE) as file:
        for space, key, value in json.load(file):
            value = bytes(value) if isinstance(value, list) else value
            sim_esp32._chip.kept[space, key] = value


def keep_nvs():
    """From now on each commit goes into a file."""
    commit = sim_esp32.NVS.commit

    def committed(nvs):
        commit(nvs)
        rows = []
        for (space, key), value in sim_esp32._chip.kept.items():
            rows.append((space, key, list(value) if isinstance(value, bytes) else value))
        with open(STORE + ".new", "w") as file:
            json.dump(rows, file)
        os.rename(STORE + ".new", STORE)

    sim_esp32.NVS.commit = committed


def lives(words):
    """A start, until the machine resets: `cause` tells why."""
    network.air.clear()
    network.air.name, network.air.password = words["air"]
    board = Board(words)
    try:
        board.live()
    except sim_machine.Reset:
        return board.told(cause=machine.reset_cause())
