"""What an ESP32 starts with: its time, its site's files, a ledger or none; for MicroPython alone.

Each function returns what JSON can hold.
"""

import json
import os

import esp32
import machine
import vfs

from wattledger.firmware import boot as boots
from wattledger.firmware.main_esp32 import Modules, main
from wattledger.hal.errors import ChipError
from wattledger.hal.meter import calibration
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim import machine as sim_machine
from wattledger.host_sim.flash import NorFlash
from wattledger.host_sim.ticks import PortTime
from wattledger.tests.both.houses_esp32 import FOLDER, START, House
from wattledger.tests.both.houses_root import HOST


def late_time():
    """A new meter whose battery clock lost its time: the ledger is opened when somebody tells."""
    house = House()
    house.rtc.lose_battery()
    house.rtc.cut_supply(True)
    house.rtc.cut_supply(False)
    house.boot()
    house.run(15_000)
    before = house.meter.agent.ledger.missing, boots.is_made(esp32)
    house.meter.clock.set(START, 2)
    took = house.until_reset(5_000)
    house.boot(machine.reset_cause())
    house.run(15_000)
    agent = house.meter.agent
    return {
        "before": before,
        "took_ms": took,
        "missing": agent.ledger.missing,
        "made": boots.is_made(esp32),
        "nano": agent.journal.balance,
        "operations": house.relay.operations,
    }


def ends():
    """What `main` does with a meter that cannot be built, in safe mode, and unprovisioned."""
    found = {}
    house = House(board="esp32_unknown")
    for name in ("fault", "safe", "bare"):
        house.off()
        sim_machine.power_up()
        house.time = PortTime(house.pass_ms)
        if name == "safe":
            sim_machine.attach_input(33, lambda: 0)
        elif name == "bare":
            house.mount()
            os.remove("/site/device.json")
            house.umount()
        seen = boots.start(machine, esp32, vfs, FOLDER, boots.Found())
        began = house.now_ms
        lines = []
        try:
            main(seen, Modules(machine, esp32, vfs, house.time), lines.append)
            how = "returned"
        except sim_machine.Reset:
            how = "reset"
        found[name] = (how, house.now_ms - began, lines, house.relay.operations)
    return found


def retired(made):
    """A decommissioned store, with a first credit beside it: what `main` says, how it ends, and
    whether a byte of the store is another. `made` False: the NVS was erased."""
    from wattledger.agent.decommission import decommission

    house = House().boot()
    house.run(15_000)
    config = house.meter.config
    house.off()
    house.mount()
    decommission(VfsStorage(FOLDER), config)
    house.write("commission", b"5000000")
    before = _contents()
    house.umount()
    nvs = esp32.NVS(boots.SPACE)
    nvs.set_i32(boots.MADE, int(made))
    nvs.commit()
    sim_machine.power_up()
    house.time = PortTime(house.pass_ms)
    seen = boots.start(machine, esp32, vfs, FOLDER, boots.Found())
    lines = []
    try:
        main(seen, house.modules(), lines.append)
        how = "returned"
    except sim_machine.Reset:
        how = "reset"
    return {
        "how": how,
        "lines": lines,
        "same": before == _contents(),
        "names": sorted(before),
        "pulses": house.coils.pulses,
    }


def _contents():
    """What lies in the root: bytes of files, names in folders. Not what is mounted beside it."""
    names = [name for name in os.listdir(FOLDER) if "/" + name != HOST]
    return {name: _content(name) for name in names}


def _content(name):
    try:
        with open(FOLDER + name, "rb") as file:
            return file.read()
    except OSError:
        return sorted(os.listdir(FOLDER + name))


def without_nvs(kind):
    """A new meter whose NVS is "full" or "closed", then one that works again: (power, missing,
    made, operations, lines) of each start."""
    house = House()
    opened = esp32.NVS

    class Full(opened):
        def _set(self, key, value):
            raise OSError(-0x1105)  # ESP_ERR_NVS_NOT_ENOUGH_SPACE

    def closed(space):
        raise OSError(-0x1101)  # ESP_ERR_NVS_NOT_INITIALIZED

    found = []
    for nvs in (Full if kind == "full" else closed, opened):
        esp32.NVS = nvs
        try:
            house.boot()
            house.run(15_000)
        finally:
            esp32.NVS = opened
        agent = house.meter.agent
        power = agent.meter.power_mw()
        made = boots.is_made(esp32)
        found.append([power, agent.ledger.missing, made, house.relay.operations, house.lines])
        house.lines = []
    return found


def late_time_without_nvs():
    """A new meter without battery clock whose NVS takes nothing: how long after each time that
    somebody tells it resets, and whether it has a ledger then."""
    house = House()
    kept = esp32.NVS._set

    def full(nvs, key, value):
        raise OSError(-0x1105)

    found = []
    esp32.NVS._set = full
    try:
        for _ in range(3):
            house.rtc.lose_battery()
            house.rtc.cut_supply(True)
            house.rtc.cut_supply(False)
            house.boot()
            house.run(15_000)
            house.meter.clock.set(START, 2)
            took = house.until_reset(30_000)
            found.append([took is not None, house.meter.agent.ledger.missing])
    finally:
        esp32.NVS._set = kept
    return found


def slow_pin():
    """The safe-mode pin's line that takes 4000 reads to rise; then one that is held, while the
    flash lets nothing be removed: (safe, power, lines)."""
    house = House()
    reads = [0]

    def rises():
        reads[0] += 1
        return int(reads[0] > 4000)

    def stuck(storage, name):
        raise OSError(5)

    found = []
    remove = VfsStorage.remove
    for level in (rises, lambda: 0):
        house.off()
        sim_machine.attach_input(33, level)
        VfsStorage.remove = stuck
        try:
            house.boot()
        finally:
            VfsStorage.remove = remove
        house.run(15_000)
        found.append([house.found.safe, house.meter.agent.meter.power_mw(), house.lines])
        house.lines = []
    return found


def beside_volumes():
    """A store in the root, beside this machine's files and a second volume: its names, then its
    names and bytes free once it holds a file of 5000 bytes."""
    house = House()
    house.mount()
    second = NorFlash(8)
    vfs.VfsLfs2.mkfs(second)
    vfs.mount(vfs.VfsLfs2(second), boots.MOUNTED)
    storage = VfsStorage(FOLDER)
    before = storage.names(), storage.free()
    storage.commit("j0000000001", bytes(5000))
    found = [before, (storage.names(), storage.free())]
    house.umount()
    return found


def opened_by_order():
    """A meter without a first credit, whose ledger an order opens: (commissioned before, after,
    ledger missing before, after)."""
    from wattledger.agent.comms.root import begin_anew

    house = House(credit=None).boot()
    house.run(15_000)
    before = boots.is_made(esp32), house.meter.agent.ledger.missing
    begin_anew(house.meter.agent, (7, 3, 4_000_000))
    house.run(15_000)
    house.boot()
    house.run(2_000)
    return [before, (boots.is_made(esp32), house.meter.agent.ledger.missing)]


def no_number():
    """A first credit that rotted: the meter measures, and bills nothing."""
    house = House(credit=None)
    house.mount()
    house.write("commission", b"\xff\x00")
    house.umount()
    house.boot()
    house.run(15_000)
    agent = house.meter.agent
    return [agent.meter.power_mw(), agent.ledger.missing, house.lines]


def calibrated():
    """A calibration that reads a tenth more, then its file rots, then its copy does too: (power,
    whether the file is whole, lines) at each start; the last start ends by a ChipError."""
    document = {
        "v": 1,
        "chip": "atm90e32",
        "constants": [{"voltage_gain": 8035}, {}, {}],  # the board's is 7305
        "when": START,
        "against": "nothing",
        "by": "a test",
    }
    document["crc"] = calibration.crc_of(document)
    good, rotten = json.dumps(document).encode(), b'{"v": 1, "chi'
    name = "calibration.json"
    house = House()
    found = []
    for data in (good, rotten, None):
        house.off()
        if data is not None:
            house.mount()
            house.write(name, data)
        house.boot()
        house.run(12_000)
        whole = _content("site/" + name) == good
        found.append([house.meter.agent.meter.power_mw(), whole, list(house.lines)])
        house.lines.clear()
        house.umount()
    house.mount()
    house.write(name, rotten)
    nvs = esp32.NVS(boots.SPACE)
    nvs.set_blob(name[:15], rotten)
    nvs.commit()
    try:
        house.boot()
        found.append("started")
    except ChipError as error:
        found.append(str(error))
    return found
