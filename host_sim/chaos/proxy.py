"""A TCP proxy on loopback that can do what networks and brokers do to a meter.

Its asyncio loop runs in a thread of its own; its methods are called from a test, and what they
set is in force when they return. Seeded: the same faults are drawn for the same packets.
"""

import asyncio
import random
import socket
import struct
import threading

from wattledger.host_sim.chaos.byte_faults import ByteFaults
from wattledger.host_sim.chaos.mqtt_faults import DOWN, UP, Rules
from wattledger.host_sim.chaos.pipe import Pipe

HOST = "127.0.0.1"
NO_LINGER = struct.pack("ii", 1, 0)  # a close then sends RST (socket(7), SO_LINGER)
TURN_S = 5


class ChaosProxy:
    """Between clients at `port` and a server at `target`; a context manager.

    `aware` takes the stream for MQTT, so that faults of messages can be asked for; `done` counts
    them by their name.
    """

    def __init__(self, target, seed=1, aware=False):
        self._target = target
        self._aware = aware
        draws = random.Random(seed)
        self._bytes = ByteFaults(draws)
        self._rules = Rules(draws)
        self.done = self._rules.done
        self._refusing = None  # None, or the bytes each connection gets before it is closed
        self._pairs = {}  # (near, far) sockets: the task that serves them
        self._listener = socket.create_server((HOST, 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks = set()
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self._thread.start()

    # The line.

    def latency(self, ms):
        """Each byte comes so much later, each way."""
        self._do(setattr, self._bytes, "latency_s", ms / 1000)

    def rate(self, bytes_per_s):
        """No more than so many bytes a second, each way; 0: no limit."""
        self._do(setattr, self._bytes, "rate", bytes_per_s)

    def stall(self, share, ms):
        """A share of the pieces of data waits so much longer, and what follows behind it."""
        self._do(setattr, self._bytes, "stall_s", ms / 1000)
        self._do(setattr, self._bytes, "stall_share", share)

    def drop(self, share):
        """A share of the pieces of data vanishes; the connection stays."""
        self._do(setattr, self._bytes, "loss", share)

    def split(self, size=1):
        """No write carries more than `size` bytes."""
        self._do(setattr, self._bytes, "split", size)

    def flip(self, share):
        """In a share of the bytes one bit is another."""
        self._do(setattr, self._bytes, "flips", share)

    def freeze(self):
        """Half open: nothing is read or written any more, nobody is told. New ones hang too."""
        self._do(self._flowing.clear)

    def thaw(self):
        """What was sent meanwhile goes on, as after TCP's retransmissions."""
        self._do(self._flowing.set)

    def reset(self):
        """Every connection ends with RST, at both ends."""
        self._do(self._close_all, True)

    def finish(self):
        """Every connection ends with FIN, at both ends."""
        self._do(self._close_all, False)

    def refuse(self, answer=b""):
        """New connections are closed after these bytes; None: they are served again."""
        self._do(setattr, self, "_refusing", answer)

    # Messages; `topic` is the end of the topics that are meant, `share` how many of them.

    def duplicate(self, direction, copies=1, topic="", share=1.0):
        """Each message comes `copies` times more, with DUP set."""
        self._do(self._rules.add, "duplicate", direction, copies, topic, share)

    def reorder(self, direction, window, topic="", share=1.0):
        """Messages wait until there are `window` (or 0.3 s), then go in a drawn order."""
        self._do(self._rules.add, "reorder", direction, window, topic, share)

    def delay(self, direction, ms, topic="", share=1.0):
        """A message comes so much later; those behind it do not wait."""
        self._do(self._rules.add, "delay", direction, ms / 1000, topic, share)

    def truncate(self, direction, keep, topic="", share=1.0):
        """Only `keep` bytes of the payload arrive, in a packet that is well-formed."""
        self._do(self._rules.add, "truncate", direction, keep, topic, share)

    def retain(self, direction, topic="", share=1.0):
        """The retain flag is set on the way."""
        self._do(self._rules.add, "retain", direction, 1, topic, share)

    def lose(self, direction, topic="", share=1.0):
        """The message vanishes."""
        self._do(self._rules.add, "lose", direction, 1, topic, share)

    def drop_pubacks(self, direction):
        """No PUBACK passes in that direction."""
        self._do(self._rules.pubacks.add, direction)

    def heal(self):
        """A good line and a good broker, for connections that are there as well."""
        self._do(self._bytes.heal)
        self._do(self._rules.heal)
        self._do(setattr, self, "_refusing", None)
        self.thaw()

    def count(self):
        """Connections that are open now."""
        return self._do(len, self._pairs)

    def close(self):
        """End everything, without a word."""
        self._do(self._close_all, True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _do(self, function, *arguments):
        """Call in the loop's thread and wait until it is done."""

        async def call():
            found = function(*arguments)
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(TURN_S)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._start(self._accept())
        self._loop.run_forever()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def _start(self, coroutine):
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self):
        while True:
            near, _ = await self._loop.sock_accept(self._listener)
            near.setblocking(False)
            self._start(self._serve(near))

    async def _serve(self, near):
        far = socket.socket()
        far.setblocking(False)
        pair = (near, far)
        self._pairs[pair] = asyncio.current_task()
        pipes = []
        try:
            await self._flowing.wait()
            if self._refusing is not None:
                await self._loop.sock_sendall(near, self._refusing)
                return
            await self._loop.sock_connect(far, (HOST, self._target))
            for sock in pair:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up, down = self._pipe(near, far, UP), self._pipe(far, near, DOWN)
            up.messages.back, down.messages.back = down.messages, up.messages
            pipes = [asyncio.ensure_future(up.run()), asyncio.ensure_future(down.run())]
            await asyncio.gather(*pipes)
        except OSError:
            pass  # an end that is gone: the other is told by the close below
        finally:
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)
            self._pairs.pop(pair, None)
            for sock in pair:
                sock.close()

    def _pipe(self, source, sink, direction):
        return Pipe(source, sink, self._flowing, self._bytes, self._rules, direction, self._aware)

    async def _close_all(self, hard):
        tasks = list(self._pairs.values())
        for pair in self._pairs:
            for sock in pair:
                if hard:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
