"""What goes wrong on an ESP32, and what must hold all the same; for MicroPython alone.

Each function returns a dict for JSON. A task that hangs is one that only sleeps: in virtual time
nothing else passes.
"""

import gc

import esp32
import machine
import vfs

from wattledger.firmware import boot as boots
from wattledger.firmware.task import Task
from wattledger.host_sim import esp32 as sim_esp32
from wattledger.host_sim import machine as sim_machine
from wattledger.host_sim.flash import BLOCK_BYTES, NorFlash
from wattledger.tests.both.houses_esp32 import BLOCKS, FOLDER, House

WDT = sim_machine.WDT_RESET
# What step() calls, one after the other: (owner of the method, method).
STEPS = (
    ("time", "age"),
    ("intervals", "close_due"),
    ("watch", "work"),
    ("control", "decide"),
    ("keeper", "work"),
    ("prospect", "work"),
    ("_people", "hear"),
    ("_people", "show"),
)


def _replace(owner, name, function):
    """A bound method on MicroPython is replaced by an attribute of the object."""
    setattr(owner, name, function)


def _hanging(time):
    def hang(*words):
        while True:
            time.sleep_ms(10)

    return hang


def _failing():
    errors = [ValueError("a"), MemoryError(), OSError(5), RuntimeError("deep")]

    def fail(*words):
        errors.append(errors.pop(0))
        raise errors[0]

    return fail


def resets(count, in_ms):
    """`count` resets within `in_ms`, at uneven distances; then a minute of peace."""
    house = House(watts=2300).boot()
    house.run(20_000)
    counts = []
    began = house.now_ms
    for number in range(count):
        house.boot(WDT if number % 2 else sim_machine.HARD_RESET)
        counts.append(house.meter.agent.meter.register.import_wh)
        # 0, 37, 74 ... below a fifth of a second: in the middle of whatever is being done
        house.run(max(in_ms // count - 200 + number * 37 % 400 - (house.now_ms - began) // 999, 1))
    lasted = house.now_ms - began
    operations, pulses = house.relay.operations, house.coils.pulses
    house.run(60_000)
    agent = house.meter.agent
    made = house.chip.total_counts(0)
    held = house.chip.held_counts(0)
    return {
        "lasted_ms": lasted,
        "boots": agent.ledger.state.boots,
        "operations": operations,
        "pulses": pulses,
        "later": house.relay.operations,
        "falls": sum(1 for at in range(1, count) if counts[at] < counts[at - 1]),
        "lost_counts": made
        - held
        - agent.meter.register.import_wh * 320
        - agent.meter.register.import_rest,
        "missing": agent.ledger.missing,
        "cause": house.meter.cause,
    }


def hangs():
    """Each slow piece of work hangs once: how long until the reset, and what moved."""
    found = {}
    for owner, name in STEPS + (("task", "work"), ("chip", "read_into")):
        house = House().boot()
        house.run(12_000)
        agent = house.meter.agent
        hang = _hanging(house.time)
        if owner == "task":
            task = Task("hanging", hang, house.meter.clock, 60_000)
            house.meter.runtime._tasks = (task,)
        else:
            thing = agent.meter._chip if owner == "chip" else getattr(agent, owner)
            _replace(thing, name, hang)
        took = house.until_reset(120_000)
        del agent
        house.boot(machine.reset_cause())
        house.run(12_000)
        house.umount()
        house.mount()
        told = [value for code, value in house.events() if code == 28]
        found[owner + "." + name] = (
            took,
            house.relay.operations,
            house.coils.pulses,
            house.meter.cause,
            told,
        )
    return found


def raises():
    """Each slow piece of work raises for 20 s, of several kinds, then works again."""
    found = {}
    for owner, name in STEPS + (("task", "work"), ("chip", "read_into")):
        house = House().boot()
        house.run(12_000)
        agent = house.meter.agent
        fail = _failing()
        before = agent.meter.ticks
        if owner == "task":
            task = Task("raising", fail, house.meter.clock, 60_000)
            house.meter.runtime._tasks = (task,)
            took = house.until_reset(20_000)
            house.meter.runtime._tasks = ()
        else:
            thing = agent.meter._chip if owner == "chip" else getattr(agent, owner)
            kept = getattr(thing, name)
            _replace(thing, name, fail)
            took = house.until_reset(20_000)
            _replace(thing, name, kept)
        ticks = agent.meter.ticks - before
        failures = house.meter.runtime.failures
        house.run(15_000)
        register = agent.meter.register
        counts = house.chip.total_counts(0) - house.chip.held_counts(0)
        house.umount()
        house.mount()
        told = [value for code, value in house.events() if code in (21, 22)]
        found[owner + "." + name] = (
            took,
            ticks,
            failures > 0 and agent.view.state()["failures"] == failures,
            counts - register.import_wh * 320 - register.import_rest,
            house.relay.operations,
            told[:2],
        )
    return found


def starves():
    """A task and a step that raise for ever: milliseconds until the watchdog bites."""
    found = {}
    for kind in ("task", "step"):
        house = House().boot()
        house.run(12_000)

        def fail(*words):
            raise ValueError("always")

        if kind == "task":
            house.meter.runtime._tasks = (Task("bad", fail, house.meter.clock, 30_000),)
        else:
            house.meter.agent.watch.work = fail
        found[kind] = (house.until_reset(200_000), house.relay.operations)
    return found


def _spoil(image, kind):
    for at in range(2 * BLOCK_BYTES):
        if kind == "zero":
            image[at] = 0
        elif kind == "noise":
            image[at] = at * 7919 >> 3 & 0xFF
        else:
            image[at] = 0xFF
    if kind == "erased":
        for at in range(2 * BLOCK_BYTES, len(image)):
            image[at] = 0xFF


def unmountable(kind):
    """A commissioned meter whose file system is spoilt: what it does, and what it leaves alone."""
    house = House().boot()
    house.run(15_000)
    house.off()
    _spoil(house.flash.image, kind)
    before = bytes(house.flash.image)
    house.boot()
    house.run(60_000)
    agent = house.meter.agent
    return {
        "same": bytes(house.flash.image) == before,
        "folder": house.found.folder,
        "fault": house.found.fault,
        "cause": house.meter.cause,
        "power": agent.meter.power_mw(),
        "missing": agent.ledger.missing,
        "meter": agent.config.meter,
        "alarms": agent.view.common()["alarms"],
        "operations": house.relay.operations,
        "failures": house.meter.runtime.failures,
    }


def fresh(kind, made):
    """What the boot does with a partition that cannot be mounted, before and after
    commissioning: (made new, mounted, bytes changed)."""
    sim_machine.detach_all()
    sim_esp32.detach_all()
    flash = NorFlash(BLOCKS)
    _spoil(flash.image, kind)
    sim_esp32.attach_partition("vfs", flash)
    if made:
        boots.set_made(esp32)
    before = bytes(flash.image)
    found = boots.start(machine, esp32, vfs, FOLDER, boots.Found())
    if found.folder is not None:
        vfs.umount(FOLDER)
    return [found.new, found.folder is not None, bytes(flash.image) != before]


def renewed():
    """A lost store, a ledger opened by order, and the meter on a file system made anew."""
    from wattledger.agent.comms.root import begin_anew

    house = House().boot()
    house.run(15_000)
    house.off()
    _spoil(house.flash.image, "noise")
    house.boot()
    house.run(15_000)
    agent = house.meter.agent
    begin_anew(agent, (7, 3, 4_000_000))
    del agent
    took = house.until_reset(30_000)
    house.boot(machine.reset_cause())
    house.run(15_000)
    agent = house.meter.agent
    register = agent.meter.register
    found = {
        "took_ms": took,
        "folder": house.found.folder,
        "missing": agent.ledger.missing,
        "balance": agent.journal.balance,
        "highest": agent.account.purchases.highest,
        "import_wh": register.import_wh,
        "operations": house.relay.operations,
        "meter": agent.config.meter,
    }
    house.umount()
    house.mount()
    found["events"] = [code for code, _ in house.events()]
    return found


def ticks(start):
    """Five minutes around a wrap of the ticks; (counts not in the register, late ticks, Wh)."""
    house = House()
    house.ticks_start = start
    house.boot()
    house.run(300_000)
    register = house.meter.agent.meter.register
    counts = house.chip.total_counts(0) - house.chip.held_counts(0)
    lost = counts - register.import_wh * 320 - register.import_rest
    house.umount()
    house.mount()
    late = sum(1 for code, _ in house.events() if code == 20)
    return [lost, late, register.import_wh, house.relay.operations, house.meter.runtime.failures]


def stalls():
    """The ticks stand still while the world goes on: the watchdog has a clock of its own."""
    house = House().boot()
    house.run(15_000)
    house.time.stalled = True
    took = house.until_reset(60_000)
    house.boot(machine.reset_cause())
    house.run(30_000)
    register = house.meter.agent.meter.register
    counts = house.chip.total_counts(0) - house.chip.held_counts(0)
    return {
        "took_ms": took,
        "lost": counts - register.import_wh * 320 - register.import_rest,
        "operations": house.relay.operations,
    }


def _fill(left):
    """What takes all of the heap but `left` bytes, in pieces of half the size each time; a chain,
    for a list would need room to grow in one piece."""
    gc.collect()
    reserve = bytearray(left)
    chain = None
    size = 1 << 20
    while size >= 16:
        try:
            chain = (chain, bytearray(size))
        except MemoryError:
            size >>= 1
    reserve = None  # noqa: F841  gives these bytes back
    return chain


def free_after_filling(left):
    """Bytes free with the heap filled: to see that filling fills."""
    chain = _fill(left)
    gc.collect()
    free = gc.mem_free()
    return free if chain else None


def starved(count):
    """Turns with next to no heap left, a bit more each time, and one with all of it after each."""
    house = House().boot()
    house.run(20_000)
    meter = house.meter
    gc.collect()
    before = gc.mem_alloc()
    for number in range(count):
        house.time.sleep_ms(1000)
        pieces = _fill(32 + number * 16)
        try:
            meter.turn()
        finally:
            pieces = None  # noqa: F841  gives the heap back
        gc.collect()
        house.time.sleep_ms(1000)
        meter.turn()
    failures = meter.runtime.failures
    house.run(60_000)
    gc.collect()
    agent = meter.agent
    register = agent.meter.register
    counts = house.chip.total_counts(0) - house.chip.held_counts(0)
    after = gc.mem_alloc()
    balance = agent.journal.balance
    import_wh = register.import_wh
    lost = counts - import_wh * 320 - register.import_rest
    house.run(12_000)
    del agent, meter
    house.boot()
    return {
        "failures": failures,
        "grown": after - before,
        "lost": lost,
        "balance_same": house.meter.agent.journal.balance <= balance,
        "falls": house.meter.agent.meter.register.import_wh < import_wh,
        "missing": house.meter.agent.ledger.missing,
        "operations": house.relay.operations,
    }


def heapless():
    """Next to no heap for good: how long until the reset, and what is left of the meter."""
    house = House().boot()
    house.run(20_000)
    meter = house.meter
    turns = 0
    took = None
    began = house.now_ms
    while took is None and turns < 200:
        try:
            house.time.sleep_ms(1000)
        except sim_machine.Reset:
            took = house.now_ms - began
            break
        chain = _fill(32)
        try:
            meter.turn()
        finally:
            chain = None  # noqa: F841
        turns += 1
    del meter
    house.boot(machine.reset_cause())
    house.run(30_000)
    register = house.meter.agent.meter.register
    counts = house.chip.total_counts(0) - house.chip.held_counts(0)
    return {
        "took_ms": took,
        "lost": counts - register.import_wh * 320 - register.import_rest,
        "operations": house.relay.operations,
        "pulses": house.coils.pulses,
        "missing": house.meter.agent.ledger.missing,
    }
