"""The page in an event loop that runs already: on a microcontroller, where the meter's turns and
the page share one. (page_server_linux.py gives it a thread of its own.)

An ESP32 has ten sockets by default, one of them the link's and one the listener's.
"""

import asyncio

from wattledger.hal.display.access import Access
from wattledger.hal.display.app import build_app
from wattledger.hal.display.pin import Pin
from wattledger.hal.display.server import Server
from wattledger.hal.display.sessions import Sessions

STREAMS_MAX = 4
CONNECTIONS_MAX = 8


class Uptime:
    """Whole seconds that only rise, from ticks that wrap: asked for at least once in six days."""

    def __init__(self, clock):
        """`clock`: ticks_ms() and elapsed_ms() of hal/contract.py."""
        self._clock = clock
        self._at = clock.ticks_ms()
        self._seconds = 0
        self._rest_ms = 0

    def seconds(self):
        """Seconds since this was made."""
        self._rest_ms += self._clock.elapsed_ms(self._at)
        self._at = self._clock.ticks_ms()
        self._seconds += self._rest_ms // 1000
        self._rest_ms %= 1000
        return self._seconds


async def pause():
    """Let everybody else run."""
    await asyncio.sleep(0)


def make_server(page, allowed_hosts, label_pin, storage, entropy, clock, address=None):
    """A Server for `page`, whose PIN is kept in `storage` (contract); hosts as of build_app()."""
    seconds = Uptime(clock).seconds
    pin = Pin(label_pin, storage, entropy, seconds, pause)
    access = Access(pin, Sessions(entropy, seconds))
    app = build_app(page, allowed_hosts, STREAMS_MAX, access, seconds, address)
    return Server(app, seconds, CONNECTIONS_MAX)


async def serve(server, host, port):
    """Listen and keep the connections within bounds, for ever. OSError when it cannot listen."""
    listening = await asyncio.start_server(server.answer, host, port)
    try:
        await server.keep()
    finally:
        listening.close()
