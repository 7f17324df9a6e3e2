"""One direction of one connection: reads at one socket, sends at another, late if need be."""

import asyncio
import heapq
import socket

from wattledger.host_sim.chaos.mqtt_faults import Messages
from wattledger.host_sim.chaos.mqtt_packets import Splitter

CHUNK = 16384
MOST_WAITING = 1 << 20  # bytes on their way; more is not read, as on a line that is full
LITTLE_S = 0.02
REORDER_S = 0.3  # a reordering window that does not fill is let go after this


class Pipe:
    """`run()` until the source ends; `flowing` is an asyncio.Event that freezes it when clear.

    A frozen pipe neither reads nor writes: its sockets stay open and their buffers fill, which is
    what a peer behind a dead line looks like.
    """

    def __init__(self, source, sink, flowing, faults, rules, direction, aware):
        self._source = source
        self._sink = sink
        self._flowing = flowing
        self._faults = faults
        self.messages = Messages(rules, direction, self._put)
        self._splitter = Splitter() if aware else None
        self._waiting = []  # heap of (due, order, bytes)
        self._size = 0
        self._order = 0
        self._ended = False
        self._news = asyncio.Event()
        self._release = None

    async def run(self):
        """Carry bytes until both are done: the source has ended and all it said is sent."""
        reader = asyncio.ensure_future(self._read())
        writer = asyncio.ensure_future(self._write())
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
            await writer
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            if self._release is not None:
                self._release.cancel()

    async def _read(self):
        loop = asyncio.get_running_loop()
        while True:
            await self._flowing.wait()
            if self._size > MOST_WAITING:
                await asyncio.sleep(LITTLE_S)
                continue
            data = await loop.sock_recv(self._source, CHUNK)
            if not data:
                self._finish()
                return
            if self._splitter is None:
                self._put(data, 0)
                continue
            for packet in self._splitter.take(data):
                self.messages.pass_on(packet)
            if self.messages.holds() and self._release is None:
                self._release = loop.call_later(REORDER_S, self._let_go)

    def _let_go(self):
        self._release = None
        self.messages.release()

    def _finish(self):
        if self._splitter is not None:
            self.messages.release()
            self._put(self._splitter.rest(), 0)
        self._ended = True
        self._news.set()

    def _put(self, data, delay_s):
        due = asyncio.get_running_loop().time() + delay_s + self._faults.latency_s
        for piece in self._faults.pieces(data) if data else ():
            self._order += 1
            self._size += len(piece)
            heapq.heappush(self._waiting, (due, self._order, piece))
        self._news.set()

    async def _write(self):
        loop = asyncio.get_running_loop()
        while True:
            if not self._waiting:
                if self._ended:
                    break
                self._news.clear()
                await self._news.wait()
                continue
            wait = self._waiting[0][0] - loop.time()
            if wait > 0:
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), wait)
                except asyncio.TimeoutError:
                    pass
                continue
            piece = heapq.heappop(self._waiting)[2]
            self._size -= len(piece)
            busy = self._faults.delay_s(len(piece))
            if busy:
                await asyncio.sleep(busy)
            await self._flowing.wait()
            await loop.sock_sendall(self._sink, piece)
        self._sink.shutdown(socket.SHUT_WR)
