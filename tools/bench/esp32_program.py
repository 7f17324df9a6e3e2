"""The image of an ESP32, started as on a device. Portable; it lies beside the image it starts.

What stands for the hardware is plain_port.py, a chip that takes next to no heap, and a folder in
place of littlefs, which the bench fills (esp32.py).
"""

# mypy: disable-error-code="attr-defined"
# gc and time of MicroPython have more than those of CPython.

import gc
import sys
import time

import esp32  # type: ignore[import-not-found]
import machine  # type: ignore[import-not-found]

from wattledger.host_sim.ticks import PortTime
from wattledger.tools.bench.plain_chip import PlainChip

HOUR_S = 3600
START = 1799704800
_GC_BYTES = 4096


class Found:
    """As of firmware/boot.py, which is not kept in a device's heap either."""

    made = True
    safe = False
    damaged = spoilt = ()

    def __init__(self, folder, slot):
        self.folder = self.place = folder
        self.slot = slot


def imported():
    """Nothing but what importing this file and the root took."""
    from wattledger.firmware import main_esp32  # noqa: F401

    return {}


def _clock():
    chip = machine.SPI.chip = PlainChip()
    clock = PortTime(chip.feed)
    clock.ticks_us = time.ticks_us
    return clock


def _start(with_app=False, is_mapped=True):
    """(meter, clock) as firmware/start_esp32.py makes it: of the core alone, or with its
    application, which is mapped as the core is or lies in the slot."""
    gc.threshold(_GC_BYTES)
    clock = _clock()
    from wattledger.firmware import main_esp32

    kept = main_esp32.loaded()
    port = main_esp32.Modules(machine, esp32, None, clock)
    found = Found(".", "a" if with_app else None)
    if with_app:
        import asyncio

        asyncio.start_server  # noqa: B018  what the page is served by is loaded, and counts
        net = __import__("plain_net")  # a module that stands for three
        kept |= main_esp32.loaded()
        port.network = port.socket = port.ssl = net
        from wattledger.firmware import boot

        if is_mapped:
            boot.enter(Found("/", "a"), sys.modules, __import__)
        else:
            import vfs  # type: ignore[import-not-found]

            boot.enter(found, sys.modules, __import__, vfs.mount)
        del boot
    made = main_esp32.Esp32Meter(found, port, _quiet, kept)
    made.look_ms = 1000  # nobody stands at it: a day is quicker so
    return made, clock


def _quiet(line):
    pass


def _asked(board, clock):
    """What the page answers to who asks for the view, and for the page itself; meanwhile the meter
    has its turns, as on a device."""
    from wattledger.tools.bench.browser import ask

    def turn():
        clock.sleep_ms(board.turn())

    host = "192.0.2.7"  # of plain_net.py
    server = board.page.server
    return ask(server, "/view", host, turn) + " " + ask(server, "/", host, turn)


def _messages(board):
    """Messages that the broker took."""
    return board.port.socket.socket.messages if board.port.socket else 0


def _counts(register):
    return register.import_wh * 320 + register.import_rest


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


def meter(seconds, with_app=False, is_mapped=True):
    """`seconds` of metering; bytes free after an hour and at the end, and in one piece. With the
    application its page is asked for once in an hour."""
    board, clock = _start(with_app, is_mapped)
    first = _counts(board.agent.meter.register)
    early = None
    status = ""
    asked = 1
    until = clock.time() + seconds
    hour = clock.time() + HOUR_S
    while clock.time() < until:
        clock.sleep_ms(board.turn())
        if with_app and clock.time() >= asked * HOUR_S // 2:
            asked += 2
            status = _asked(board, clock)
        if early is None and clock.time() >= hour:
            gc.collect()
            early = gc.mem_free()
    if board.runtime.failures or with_app and status != "200 200":
        raise MemoryError("%d failures, the page answers %s" % (board.runtime.failures, status))
    gc.collect()
    late = gc.mem_free()
    agent = board.agent
    register = agent.meter.register
    chip = machine.SPI.chip
    held = _counts(register) - first + chip.held_counts(0)
    return {
        "drift": chip.total_counts(0) - held,
        "import_wh": register.import_wh,
        "journal": agent.journal.durable,
        "missing": agent.ledger.missing,
        "failures": board.runtime.failures,
        "status": status,
        "messages": _messages(board),
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


def tick(count, rounds):
    """Microseconds of a tick through hal/bus/spi_esp32.py and of an empty call, and the bytes
    that `count` ticks allocate."""
    board, _ = _start()
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


def first_reading():
    """The meter from nothing to its first valid reading."""
    board, clock = _start()
    waited = 0
    while not board.agent.meter.answered:
        waited += 1
        clock.sleep_ms(board.turn())
    return {"turns": waited, "power": board.agent.meter.power_mw()}


def stand_ins(with_app=False):
    """Bytes of heap of what is not the firmware: this program, the port's modules, chip, time."""
    clock = _clock()
    served = 0
    if with_app:
        gc.collect()
        before = gc.mem_alloc()
        import asyncio  # noqa: F401  the page needs it on a device too

        gc.collect()
        served = gc.mem_alloc() - before
        from wattledger.tools.bench.browser import ask  # noqa: F401

        __import__("plain_net")
    gc.collect()
    bytes_ = gc.mem_alloc() - served
    return {"bytes": bytes_, "modules": len(sys.modules), "clock": clock.time()}
