"""Serves the page on CPython: the app of app.py in an event loop of its own, in a daemon thread.

The agent's thread only ever swaps a string and pops a list (hal/display/page.py); sockets, slow
browsers and their buffers stay on this side. On a microcontroller the firmware starts the app in
its own event loop instead and needs nothing of this file.
"""

import asyncio
import errno
import socket
import threading

from wattledger.hal.display.app import build_app
from wattledger.hal.display.page import SPANS, Page
from wattledger.hal.errors import HalError

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "")

CONNECTIONS_MAX = 32
REQUEST_S = 10  # to send a request and take its answer; /events is exempt
HEADERS_MAX = 64
LINE_MAX = 2048  # microdot's own limit
SEND_BUFFER = 16384  # small, so that a browser that stops reading shows within seconds
STOP_S = 5


class PageServer(Page):
    """The page on http://`host`:`port`/ for browsers that use one of `allowed_hosts`.

    `port` 0 picks a free one. `allowed_hosts` are names without port; the name bound to is always
    allowed, and this machine's own names are the default.
    """

    spans = SPANS + ("long",)
    kept_max = 8

    def __init__(self, host="127.0.0.1", port=0, allowed_hosts=LOCAL_HOSTS):
        super().__init__()
        self.host = host
        self.port = port
        hosts = list(allowed_hosts)
        if host not in EVERYWHERE:
            hosts.append(bracketed(host))
        self._app = build_app(self, hosts)
        self._open = {}
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
        server = await asyncio.start_server(self._answer, sock=listener)
        ready.set()
        await self._stopping.wait()
        server.close()
        for connection in self._open.values():
            connection.abort()
        if self._open:
            await asyncio.wait(list(self._open), timeout=1)

    async def _answer(self, reader, writer):
        connection = Connection(reader, writer)
        if len(self._open) >= CONNECTIONS_MAX:
            connection.abort()
            return
        task = asyncio.current_task()
        self._open[task] = connection
        connection.deadline = self._loop.call_later(REQUEST_S, connection.abort)
        try:
            await self._app.handle_request(connection, connection)
        except (OSError, EOFError):
            pass  # the browser went away in mid-sentence
        finally:
            connection.keep_open()
            connection.abort()
            del self._open[task]


class Connection:
    """One browser connection, with the reader and writer that microdot expects in one object."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._lines = 0
        self.deadline = None
        writer.transport.set_write_buffer_limits(SEND_BUFFER)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER
        )

    async def readline(self):
        """A line microdot can take apart.

        Anything on the network can send rubbish here, and microdot answers rubbish with a
        traceback on stderr. So a bad request line reads as no request (it answers 400), and a
        bad header line ends the headers.
        """
        self._lines += 1
        line = await self._line()
        words = line.split()
        if self._lines == 1:
            plain = len(words) == 3 and words[2].startswith(b"HTTP/") and len(line) <= LINE_MAX
            return line if plain else b""
        if not words or self._lines > HEADERS_MAX:
            return b""
        name, colon, value = line.partition(b":")
        name = name.strip().lower()
        if name == b"cookie":
            # Programs on other ports of this machine share their cookies with us, and together
            # they can be longer than microdot takes. The page has none.
            return await self.readline()
        bad_length = name == b"content-length" and not value.strip().isdigit()
        if not colon or bad_length or len(line) > LINE_MAX:
            return b""
        return line

    async def _line(self):
        try:
            line = await self._reader.readline()
            line.decode()
        except ValueError:  # not UTF-8, or longer than the reader's buffer
            return b""
        return line

    async def readexactly(self, size):
        return await self._reader.readexactly(size)

    async def awrite(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def aclose(self):
        self._writer.close()
        await self._writer.wait_closed()

    def get_extra_info(self, name):
        return self._writer.get_extra_info(name)

    def gone(self):
        """True once the browser has closed its end, or this end was closed."""
        return self._reader.at_eof() or self._writer.transport.is_closing()

    def keep_open(self):
        """Lift the deadline."""
        if self.deadline:
            self.deadline.cancel()

    def abort(self):
        """Close now, whatever is still to be written."""
        self._writer.transport.abort()


def bracketed(host):
    """`host` as it stands in a URL: an IPv6 address gets brackets."""
    return "[%s]" % host if ":" in host else host


def listen(host, port):
    """A listening socket. Raises HalError saying why the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = "another program uses it: end that, or set another port (0 picks a free one)"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = "not permitted: ports below 1024 need root, choose a higher one"
        elif isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            why = "this machine has no such address: use 127.0.0.1, or 0.0.0.0 for all networks"
        else:
            why = error.strerror or str(error)
        raise HalError("the display cannot listen on %s port %d: %s" % (host, port, why)) from None
