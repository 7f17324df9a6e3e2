"""Keeps the connections of the page within bounds, in the event loop it runs in. Portable.

A browser that is slow, stuck or rude costs one place for a bounded time: a request has 10 s, and
so has one event of a stream. One address has at most three quarters of the places, and a place
that is needed goes from who has had a second and still not asked, or has its answer and sends on.
Who finds none waits.
"""

import asyncio

from wattledger.hal.display.connection import PATIENCE_S, REQUEST_S, Connection

SWEEP_S = 0.25
WAIT_S = 0.05


class Server:
    """Hands connections to a microdot `app`; `seconds()` only rises."""

    def __init__(self, app, seconds, connections_max, connection=Connection):
        self._app = app
        self._seconds = seconds
        self._most = connections_max
        self._connection = connection
        self._waiting = 0
        self.open = []  # [task, connection, address], the oldest first

    async def answer(self, reader, writer):
        """The callback of asyncio.start_server."""
        address = _host(writer.get_extra_info("peername"))
        if not await self._place(address):
            await _shut(writer)
            return
        connection = self._connection(reader, writer, self._seconds)
        row = [asyncio.current_task(), connection, address]
        self.open.append(row)
        try:
            await self._app.handle_request(connection, connection)
        except (OSError, EOFError, MemoryError):
            pass  # the browser went away in mid-sentence, or there is no room for an answer
        except asyncio.CancelledError:
            pass  # the server ends; asyncio would log a callback that raised
        finally:
            self.open.remove(row)
            if connection.ended is not None:
                connection.ended()
            await _shut(writer)

    async def _place(self, address):
        """True when there is a place, at once or in time."""
        until = self._seconds() + REQUEST_S
        while not self._has_room(address):
            if self._waiting >= self._most or self._seconds() >= until:
                return False
            self._waiting += 1
            try:
                await asyncio.sleep(WAIT_S)
            finally:
                self._waiting -= 1
        return True

    def _has_room(self, address):
        """True when a place is free for that address; one may become free by asking."""
        now = self._seconds()
        mine = [row for row in self.open if row[2] == address]
        if len(mine) >= max(self._most * 3 // 4, 1):
            _take(mine, now)
            return False
        if len(self.open) >= self._most:
            _take(self.open, now)
            return False
        return True

    def sweep(self):
        """End what has had its time."""
        now = self._seconds()
        for task, connection, _ in list(self.open):
            if connection.until is not None and now >= connection.until:
                connection.until = None
                task.cancel()

    async def keep(self):
        """Sweep for ever."""
        while True:
            self.sweep()
            await asyncio.sleep(SWEEP_S)


def _take(rows, now):
    """End the oldest of `rows` that has had its second and not asked."""
    for task, connection, _ in rows:
        if not connection.asked and now >= connection.began + PATIENCE_S:
            connection.asked = True
            task.cancel()
            return


async def _shut(writer):
    """Close now, whatever is still to be written."""
    if hasattr(writer, "transport"):
        writer.transport.abort()
        return
    try:
        await writer.wait_closed()
    except OSError:
        pass


def _host(peer):
    """The address without the port, of what get_extra_info("peername") gives."""
    if isinstance(peer, tuple):
        return peer[0]
    # MicroPython on a desk: a raw sockaddr, whose port stands in front of the address.
    return bytes(peer[4:]) if peer else b""
