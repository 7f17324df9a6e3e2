"""Runs in MicroPython: `wattledger` is the built image, `world` the simulator (flash_bench.py)."""

import gc
import os
import sys

import esp32
import machine
import vfs
from world.host_sim import esp32 as sim_esp32
from world.host_sim import machine as sim_machine
from world.host_sim.flash import NorFlash
from world.host_sim.ticks import PortTime
from world.tests.both import houses_esp32 as houses
from world.tests.both.houses_root import host

VFS_BLOCKS = 240  # 960 KiB
PIECE = 4096
SPACE = "wattledger"  # of the NVS


class Board(houses.House):
    """The simulated board with the image on it."""

    networks = ()  # modules network, socket, ssl

    def __init__(self, slot, **others):
        houses.BLOCKS = VFS_BLOCKS
        super().__init__(**others)
        self.mount()
        install(slot)
        self.umount()

    def boot(self, cause=sim_machine.PWRON_RESET):
        self.off()
        sim_machine.power_up(cause)
        sim_esp32.power_up()
        gc.collect()
        self.time = PortTime(self.pass_ms, self.ticks_start)
        from wattledger.firmware import boot, main_esp32

        self.found = boot.start(machine, esp32, vfs, houses.FOLDER, boot.Found())
        boot.enter(self.found, sys.modules, __import__, vfs.mount)
        port = main_esp32.Modules(machine, esp32, vfs, self.time, *self.networks)
        self.meter = main_esp32.Esp32Meter(self.found, port, self.lines.append)
        self.meter.look_ms = 1000
        return self


def install(slot, folder=""):
    """Copy files of this machine to their places below `folder`, the folders made."""
    for source, place in slot:
        parts = place.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            try:
                os.mkdir(folder + "/" + "/".join(parts[:depth]))
            except OSError:
                pass
        copy(host(source), folder + "/" + place)


def copy(source, target):
    piece = bytearray(PIECE)
    with open(source, "rb") as old, open(target, "wb") as new:
        count = old.readinto(piece)
        while count:
            new.write(memoryview(piece)[:count])
            count = old.readinto(piece)


def meters(slot):
    """A minute at 2300 W: what the image metered, and where its parts came from."""
    board = Board(slot)
    board.boot()
    board.run(61_000)
    agent = board.meter.agent
    return {
        "slot": board.found.slot,
        "root": sys.modules["wattledger.firmware.main_esp32"].__file__,
        "import_wh": agent.meter.register.import_wh,
        "power": agent.meter.power_mw(),
        "missing": agent.ledger.missing,
        "failures": board.meter.runtime.failures,
        "lines": board.lines,
    }


def alone(slot, how):
    """A meter with a small screen and tokens whose application is gone, or is not what it was: a
    minute at 2300 W."""
    token = {"scheme": "sts", "ea": "07", "base": 2014, "made": houses.START}
    display = {"chip": "ssd1306", "keypad": "pcf8574"}
    board = Board([] if how == "empty" else slot, display=display, token=token)
    board.mount()
    rom = "/app/a/app.rom"
    if how == "torn":
        _cut(rom, os.stat(rom)[6] // 2)
    elif how == "rotten":
        _rot(rom, 0, 64)
    elif how == "one bit":
        _rot(rom, os.stat(rom)[6] // 2, 1)
    elif how == "no file":
        os.remove(rom)
    board.umount()
    board.boot()
    board.run(61_000)
    agent = board.meter.agent
    return {
        "slot": board.found.slot,
        "import_wh": agent.meter.register.import_wh,
        "missing": agent.ledger.missing,
        "failures": board.meter.runtime.failures,
        "operations": board.relay.operations,
        "tokens": agent.tokens is not None,
        "lines": board.lines,
    }


def _cut(path, size):
    with open(path, "rb") as file:
        data = file.read(size)
    with open(path, "wb") as file:
        file.write(data)


def _rot(path, at, count):
    """Other bytes in the middle of a file."""
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for place in range(at, at + count):
        data[place] ^= 0x10
    with open(path, "wb") as file:
        file.write(data)


def application(slot, names):
    """Import modules of the slot; what each that failed said, and what the page's files hold."""
    Board(slot).boot()
    failed = []
    for name in names:
        try:
            __import__(name)
        except Exception as error:
            failed.append("%s: %r" % (name, error))
    from wattledger.hal.display.folder import FOLDER

    with open(FOLDER + "i18n/en.json", "rb") as file:
        lines = list(file)
    with open(FOLDER + "paint.js.gz", "rb") as file:
        magic = list(file.read(2))
    return {
        "failed": failed,
        "file": sys.modules["wattledger.hal.network.net"].__file__,
        "lines": len(lines),
        "bytes": sum([len(line) for line in lines]),
        "magic": magic,
    }


def starts_blank():
    """The frozen start on a board from the factory: it says so, and returns to the prompt."""
    sim_machine.detach_all()
    sim_esp32.detach_all()
    sim_esp32.attach_partition("vfs", NorFlash(VFS_BLOCKS))
    sim_machine.power_up(sim_machine.PWRON_RESET)
    sim_esp32.power_up()
    from wattledger.firmware import start_esp32

    return {"slot": start_esp32.found.slot, "new": start_esp32.found.new}


def fills(slot, segments, segment_bytes, others):
    """Free blocks of a real littlefs of the board's size with both slots, so many segments of
    journal, and `others`: (name, bytes)."""
    flash = NorFlash(VFS_BLOCKS)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/full")
    install(slot, "/full")
    second = [(source, place.replace("app/a/", "app/b/")) for source, place in slot]
    install([pair for pair in second if pair[1].startswith("app/b/")], "/full")
    os.mkdir("/full/site")
    zeros = bytes(segment_bytes)
    for number in range(segments):
        with open("/full/j%010d" % number, "wb") as file:
            file.write(zeros)
    for name, size in others:
        with open("/full/" + name, "wb") as file:
            file.write(memoryview(zeros)[:size])
    return os.statvfs("/full")[3]


def tried(slot, silent):
    """The first starts of an application that was just installed, its chip silent or not: what
    became of it, and in how long."""
    from world.firmware import slots
    from world.firmware.mirror_esp32 import NvsMirror

    board = Board(slot)
    board.boot()  # opens the ledger, and marks the meter as commissioned
    board.run(2_000)
    board.off()
    board.mount()
    storage = houses.VfsStorage(houses.FOLDER)
    proven = slots.load(storage)
    slots.install(storage, proven.slot, 7, proven.digest)
    board.umount()
    board.chip.silent = silent
    began = board.now_ms
    try:
        board.boot()
        board.run(700_000)
    except sim_machine.Reset:
        pass
    took = board.now_ms - began
    board.off()
    board.mount()
    selection = slots.load(storage)
    events = board.events()
    board.umount()
    return {
        "took_s": took // 1000,
        "sequence": selection.sequence,
        "proven": selection.tries == slots.PROVEN,
        "failed": selection.failed,
        "floor": NvsMirror(esp32.NVS(SPACE)).read(),
        "events": [pair for pair in events if pair[0] in APP_EVENTS],
        "operations": board.relay.operations,
    }


APP_EVENTS = (87, 88, 98)  # proven, reverted, started


def served(slot, port):
    """The meter and its page in one event loop, on real sockets and the wall's time, for ever."""
    import socket
    import ssl
    import time

    import network

    board = Board(slot)
    board.mount()
    board.write("display.pin", b"48151623")
    settings = '{"ssid": "x", "broker": "127.0.0.1", "page_port": %d}' % port
    board.write("network.json", settings.encode())
    board.umount()
    network.air.name = "x"
    board.networks = (network, socket, ssl)
    board.boot()
    board.run(3_000)
    meter = board.meter
    from wattledger.firmware import page_esp32

    at = [time.ticks_ms()]
    turn = meter.turn

    def live():
        now = time.ticks_ms()
        board.time.sleep_ms(max(time.ticks_diff(now, at[0]), 1))
        at[0] = now
        return min(turn(), 50)

    meter.turn = live
    print("serves")
    page_esp32.run(meter)
