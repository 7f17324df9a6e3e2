"""The page as a device serves it, beside a loop that must tick on time. Portable.

A press of its button makes it say how late the worst tick was, and its heap.
"""

# mypy: disable-error-code="attr-defined, assignment"
# gc, time and asyncio of MicroPython have more than those of CPython.

import asyncio
import gc
import json
import time

from wattledger.hal.display.page_buffer import BufferedPage
from wattledger.hal.display.page_server import STREAMS_MAX, make_server, serve
from wattledger.hal.display.privacy import HOME
from wattledger.hal.storage.memory import MemoryStorage
from wattledger.host_sim.clock import VirtualClock
from wattledger.host_sim.entropy import SeededEntropy

LABEL = "48151623"
TICK_MS = 20
SHOW_TICKS = 12  # the agent shows a view four times a second


class Ticks:
    """The clock of a device, from time.ticks_ms()."""

    def ticks_ms(self):
        return time.ticks_ms()

    def elapsed_ms(self, since):
        return time.ticks_diff(time.ticks_ms(), since)


def _make(page, clock):
    return make_server(page, ["127.0.0.1"], LABEL, MemoryStorage(), SeededEntropy(1), clock)


async def _tick(page, server, view):
    due = time.ticks_ms()
    worst = count = 0
    while True:
        due = time.ticks_add(due, TICK_MS)
        await asyncio.sleep_ms(max(time.ticks_diff(due, time.ticks_ms()), 0))
        late = time.ticks_diff(time.ticks_ms(), due)
        worst = max(worst, late)
        if late > TICK_MS:
            due = time.ticks_ms()
        count += 1
        if count % SHOW_TICKS == 0:
            view["time"] += 1
            page.show(view)
        request = page.request()
        if request is not None and request[0] == "press":
            gc.collect()
            said = {"late_ms": worst, "heap": gc.mem_alloc(), "open": len(server.open)}
            print(json.dumps(said))
            due = time.ticks_ms()
            worst = 0


async def _main(port, view):
    page = BufferedPage(HOME)
    page.show(view)
    server = _make(page, Ticks())
    asyncio.create_task(serve(server, "127.0.0.1", port))
    await _tick(page, server, view)


def run(port, view):
    """Serve `view` (a dict with a time) for ever."""
    asyncio.run(_main(port, view))


class _Viewer:
    """A browser that takes whatever its stream brings."""

    def __init__(self):
        self._request = b"GET /events HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
        self.bytes = 0

    def get_extra_info(self, name):
        return ("127.0.0.1", 1)

    async def read(self, size):
        data, self._request = self._request[:size], self._request[size:]
        return data

    def write(self, data):
        self.bytes += len(data)

    async def drain(self):
        await asyncio.sleep_ms(0)

    def close(self):
        pass

    async def wait_closed(self):
        pass


async def _turn(seconds):
    await asyncio.sleep_ms(0)


async def _hours(seconds, early, view):
    asyncio.sleep = _turn  # each poll is a turn of the loop: time passes as fast as it can
    page = BufferedPage(HOME)
    page.show(view)
    clock = VirtualClock(0)
    server = _make(page, clock)
    viewers = [_Viewer() for _ in range(STREAMS_MAX)]
    for viewer in viewers:
        asyncio.create_task(server.answer(viewer, viewer))
    heap = []
    for second in range(seconds):
        clock.advance(1000)
        server.sweep()
        view["time"] += 1
        page.show(view)
        for _ in range(16):  # a view comes in a few parts
            await asyncio.sleep_ms(0)
        if second in (early, seconds - 1):
            gc.collect()
            heap.append(gc.mem_alloc())
    return {
        "heap": heap,
        "open": len(server.open),
        "bytes": [viewer.bytes for viewer in viewers],
    }


def hours(seconds, early, view):
    """`seconds` of virtual time with as many streams as there may be, a new view each second; the
    heap after second `early` and at the end."""
    return asyncio.run(_hours(seconds, early, view))
