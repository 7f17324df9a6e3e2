"""The whole firmware of an ESP32, started from its root as on a device. Portable.

What stands for the hardware is the simulated `machine` and `esp32`, which are staged beside the
image; a chip that takes next to no heap; and a folder in place of littlefs.
"""

# mypy: disable-error-code="attr-defined"
# gc and time of MicroPython have more than those of CPython.

import gc
import os
import time

import esp32  # type: ignore[import-not-found]
import machine  # type: ignore[import-not-found]

from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.firmware.main_esp32 import GC_BYTES, Esp32Meter, Modules
from wattledger.hal.bus.spi_esp32 import Esp32Spi  # noqa: F401  a board's image has its bus
from wattledger.hal.meter.atm90e32 import Atm90e32  # noqa: F401  and its driver
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim.ticks import PortTime
from wattledger.tools.bench.plain_chip import PlainChip

HOUR_S = 3600
START = 1799704800  # Tuesday 2027-01-12, 06:00 in UTC+8
DEVICE = (
    b'{"v":1,"meter":"bench-0001","tenant":"bench","board":"%s","max_amps":40,"max_volts":276,'
    b'"tick_ms":%d}'
)


def _provision(board, tariff, tick_ms):
    os.mkdir("site")
    for name, data in (
        ("device.json", DEVICE % (board.encode(), tick_ms)),
        ("device.key", b"ab" * 32),
        ("tariff.json", tariff),
    ):
        with open("site/" + name, "wb") as file:
            file.write(data)
    commission(VfsStorage("."), "bench-0001", START, TRUST_SYNCED, 500000000, CONNECTED)


class Found:
    """As of firmware/boot.py, which is not kept in a device's heap either."""

    folder = place = "."
    made = True
    slot = None


def imported():
    """Nothing but what importing this file took."""
    return {}


def _start(tariff, tick_ms=1000):
    """(meter, chip, clock) of the core on an ATM90E32 board, provisioned and commissioned."""
    gc.threshold(GC_BYTES)
    chip = PlainChip()
    machine.attach_spi(2, 4, chip, 3)

    def passes(ms):
        chip.feed(ms)
        machine.advance(ms)

    clock = PortTime(passes)
    _provision("esp32_atm90e32", tariff, tick_ms)
    board = Esp32Meter(Found(), Modules(machine, esp32, None, clock), _quiet)
    board.clock.set(START, TRUST_SYNCED)
    return board, chip, clock


def _quiet(line):
    pass


def _largest():
    """Bytes of the largest block that can be had."""
    low, high = 0, 1 << 22
    while high - low > 64:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
        gc.collect()
    return low


def meter(seconds, tariff):
    """`seconds` of metering; bytes free after an hour and at the end, and in one piece."""
    board, chip, clock = _start(tariff)
    early = None
    until = clock.time() + seconds
    hour = clock.time() + HOUR_S
    while clock.time() < until:
        clock.sleep_ms(board.turn())
        if early is None and clock.time() >= hour:
            gc.collect()
            early = gc.mem_free()
    gc.collect()
    late = gc.mem_free()
    agent = board.agent
    register = agent.meter.register
    held = register.import_wh * 320 + register.import_rest + chip.held_counts(0)
    return {
        "drift": chip.total_counts(0) - held,
        "import_wh": register.import_wh,
        "journal": agent.journal.durable,
        "missing": agent.ledger.missing,
        "failures": board.runtime.failures,
        "early": early if early is not None else late,
        "late": late,
        "used": gc.mem_alloc(),
        "largest": _largest(),
    }


class _Idle:
    def tick(self):
        pass


def _took_us(owner, count):
    began = time.ticks_us()
    while count:
        owner.tick()
        count -= 1
    return time.ticks_diff(time.ticks_us(), began)


def tick(count, rounds, tariff):
    """Microseconds of a tick through hal/bus/spi_esp32.py and of an empty call, and the bytes
    that `count` ticks allocate."""
    board, _, _ = _start(tariff)
    agent = board.agent
    spent = min([_took_us(agent, count) for _ in range(rounds)])
    idle = min([_took_us(_Idle(), count) for _ in range(rounds)])
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    left = count
    while left:
        agent.tick()
        left -= 1
    allocated = gc.mem_alloc() - before
    kept = [0]  # so that the counter is seen to count
    counter = gc.mem_alloc() - before - allocated
    gc.enable()
    return {
        "tick_us": spent / count,
        "empty_us": max(idle, 1) / count,
        "allocated": allocated,
        "counter": counter + len(kept) - 1,
        "ok": agent.meter.missed == 0 and agent.meter.answered,
    }


def first_reading(tariff):
    """The meter from nothing to its first valid reading."""
    board, _, clock = _start(tariff)
    waited = 0
    while not board.agent.meter.answered:
        waited += 1
        clock.sleep_ms(board.turn())
    return {"turns": waited, "power": board.agent.meter.power_mw()}


def stand_ins():
    """Bytes of heap of what is not the firmware: the simulated modules, chip and time."""
    gc.collect()
    before = gc.mem_alloc()
    chip = PlainChip()
    machine.attach_spi(2, 4, chip, 3)
    clock = PortTime(lambda ms: None)
    gc.collect()
    return {"bytes": gc.mem_alloc() - before, "clock": clock.time()}
