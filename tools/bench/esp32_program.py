"""The whole firmware of an ESP32, started from its root as on a device. Portable.

What stands for the hardware is the simulated `machine` and `esp32`, which are staged beside the
image; a chip that takes next to no heap; and a folder in place of littlefs.
"""

# mypy: disable-error-code="attr-defined"
# gc of MicroPython have more than those of CPython.

import gc
import os

import esp32  # type: ignore[import-not-found]
import machine  # type: ignore[import-not-found]

from wattledger.agent.ledger import commission
from wattledger.agent.supply.states import CONNECTED
from wattledger.firmware.main_esp32 import GC_BYTES, Esp32Meter, Modules
from wattledger.hal.meter.atm90e32 import Atm90e32  # noqa: F401  a board's image has its driver
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.vfs import VfsStorage
from wattledger.host_sim.ticks import PortTime
from wattledger.tools.bench.plain_chip import PlainChip

HOUR_S = 3600
START = 1799704800  # Tuesday 2027-01-12, 06:00 in UTC+8
DEVICE = (
    b'{"v":1,"meter":"bench-0001","tenant":"bench","board":"%s","max_amps":40,"max_volts":276}'
)


def _provision(board, tariff):
    os.mkdir("site")
    for name, data in (
        ("device.json", DEVICE % board.encode()),
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


def meter(seconds, tariff):
    """`seconds` of the core on an ATM90E32 board; bytes free after an hour and at the end."""
    gc.threshold(GC_BYTES)
    chip = PlainChip()
    machine.attach_spi(2, 4, chip, 3)

    def passes(ms):
        chip.feed(ms)
        machine.advance(ms)

    clock = PortTime(passes)
    _provision("esp32_atm90e32", tariff)
    board = Esp32Meter(Found(), Modules(machine, esp32, None, clock))
    board.clock.set(START, TRUST_SYNCED)
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
        "import_wh": agent.meter.register.import_wh,
        "journal": agent.journal.durable,
        "missing": agent.ledger.missing,
        "failures": board.runtime.failures,
        "early": early if early is not None else late,
        "late": late,
        "used": gc.mem_alloc(),
    }


def stand_ins():
    """Bytes of heap of what is not the firmware: the simulated modules, chip and time."""
    gc.collect()
    before = gc.mem_alloc()
    chip = PlainChip()
    machine.attach_spi(2, 4, chip, 3)
    clock = PortTime(lambda ms: None)
    gc.collect()
    return {"bytes": gc.mem_alloc() - before, "clock": clock.time()}
