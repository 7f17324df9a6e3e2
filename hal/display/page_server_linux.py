"""Serves the page on CPython: the app of app.py in an event loop of its own, in a daemon thread.

The agent's thread only ever swaps a tuple and pops a list (page_text.py, page.py); sockets, slow
browsers and their buffers stay on this side. On a microcontroller page_server.py runs the app in
the firmware's own event loop instead.
"""

import asyncio
import errno
import socket
import threading
import time

from wattledger.hal.display import privacy
from wattledger.hal.display.access import Access
from wattledger.hal.display.app import build_app
from wattledger.hal.display.connection import Connection
from wattledger.hal.display.page import SPANS
from wattledger.hal.display.page_server import pause
from wattledger.hal.display.page_text import TextPage
from wattledger.hal.display.pin import Pin
from wattledger.hal.display.server import Server
from wattledger.hal.display.sessions import Sessions
from wattledger.hal.errors import HalError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")

CONNECTIONS_MAX = 32
SEND_BUFFER = 16384  # small, so that a browser that stops reading shows within seconds
STOP_S = 5


class PageServer(TextPage):
    """The page on http://`host`:`port`/ for browsers that use one of `allowed_hosts`.

    `port` 0 picks a free one. `allowed_hosts` are names without port; the name bound to is always
    allowed, and this machine's own names are the default. With a `storage` and an `entropy` (both
    of hal/contract.py) the page has a PIN, at first `label_pin`; `shown` (hal/display/privacy.py)
    is what may be seen without it. A page without a PIN is free on this machine alone: on any
    other address it only shows.
    """

    spans = SPANS + ("long",)
    kept_max = 8

    def __init__(
        self,
        host="127.0.0.1",
        port=0,
        allowed_hosts=LOCAL_HOSTS,
        label_pin="",
        storage=None,
        entropy=None,
        shown=privacy.EVERYTHING,
    ):
        super().__init__(shown)
        self.host = host
        self.port = port
        hosts = list(allowed_hosts)
        if host not in EVERYWHERE:
            hosts.append(bracketed(host))
        pin = sessions = None
        if storage is not None:
            pin = Pin(label_pin, storage, entropy, whole_seconds, pause)
            sessions = Sessions(entropy, whole_seconds)
        self.access = Access(pin, sessions, free=is_loopback(host))
        app = build_app(self, hosts, access=self.access, seconds=whole_seconds)
        self._server = Server(app, time.monotonic, CONNECTIONS_MAX, SocketConnection)
        self._thread = None
        self._loop = None
        self._stopping = None

    @property
    def url(self):
        """Where the page is, for a person on this machine."""
        host = "127.0.0.1" if self.host in EVERYWHERE else bracketed(self.host)
        return "http://%s:%d/" % (host, self.port)

    def start(self):
        """Listen and serve; returns the URL. Raises HalError when the address cannot be had."""
        listener = listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name="page", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self.url

    def stop(self):
        """Close every connection and end the thread; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(STOP_S)

    async def _serve(self, listener, ready):
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        listening = await asyncio.start_server(self._server.answer, sock=listener)
        keeping = asyncio.create_task(self._server.keep())
        ready.set()
        await self._stopping.wait()
        keeping.cancel()
        listening.close()
        tasks = [row[0] for row in self._server.open]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)


class SocketConnection(Connection):
    """A Connection whose browser shows within seconds that it has stopped reading."""

    def __init__(self, reader, writer, seconds):
        super().__init__(reader, writer, seconds)
        writer.transport.set_write_buffer_limits(SEND_BUFFER)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER
        )

    async def finish(self):
        """Write all, and close this direction: a browser that waits for the end has it."""
        self._writer.transport.set_write_buffer_limits(0)
        await self._writer.drain()
        self._writer.write_eof()

    def gone(self):
        """True once the browser has closed its end, or this end was closed."""
        return super().gone() or self._writer.transport.is_closing()


def whole_seconds():
    """Whole seconds that only rise."""
    return int(time.monotonic())


def is_loopback(host):
    """True for an address that no other machine reaches."""
    return host in ("localhost", "::1") or host.startswith("127.")


def bracketed(host):
    """`host` as it stands in a URL: an IPv6 address gets brackets."""
    return "[%s]" % host if ":" in host else host


def listen(host, port):
    """A listening socket. Raises HalError saying why the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that is none, as a..b
        number = getattr(error, "errno", -1) or 0
        if number == errno.EADDRINUSE:
            why = "another program uses it: end that, or set another port (0 picks a free one)"
        elif number in (errno.EACCES, errno.EPERM):
            why = "not permitted: ports below 1024 need root, choose a higher one"
        elif number < 0 or number == errno.EADDRNOTAVAIL:  # getaddrinfo's are below 0
            why = "this machine has no such address: use 127.0.0.1, or 0.0.0.0 for all networks"
        else:
            why = error.strerror or str(error)
        raise HalError("the display cannot listen on %s port %d: %s" % (host, port, why)) from None
