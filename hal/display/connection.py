"""One browser connection, with the reader and writer that microdot expects in one object.

Anything on the network can send rubbish here, and both microdot and a small heap take it badly: it
answers rubbish with a traceback, and keeps every header. So this hands on lines that it can take
apart, and of the headers only those that the page reads.
"""

REQUEST_S = 10  # to send a request and take its answer
STALL_S = 10  # to take one event of a stream
LINGER_S = 2  # for the rest of a request that has its answer: at least 1 s by a clock in seconds
LINGER_MAX = 16384
PATIENCE_S = 1  # with who has not asked, when its place is needed
LINE_MAX = 1024
HEADERS_MAX = 64
HEAD_MAX = 16384
PIECE = 256
KEPT = (
    b"host",
    b"origin",
    b"x-wattledger",
    b"content-type",
    b"content-length",
    b"if-none-match",
    b"accept-language",
)
COOKIE = b"wattledger="
COOKIE_MAX = 64
RESET = 104  # ECONNRESET, which microdot takes for a browser that went away
PLAIN = b"-_.~/%="


class Connection:
    """`reader` and `writer` are asyncio's; `seconds()` only rises."""

    def __init__(self, reader, writer, seconds):
        self._reader = reader
        self._writer = writer
        self._seconds = seconds
        self._rest = b""  # arrived and not yet handed on
        self._lines = self._bytes = 0
        self._streams = False
        self._body = 0  # bytes of it to come
        self._unread = LINGER_MAX  # bytes the browser may still send; of a head nobody knows
        self.began = seconds()
        self.until = self.began + REQUEST_S  # the time to give up; None: never
        self.asked = False  # the whole request is here
        self.ended = None  # called at the end of a stream

    async def readline(self):
        """The request line, or a header the page reads, or b"" at the end of the headers."""
        while True:
            line, cookie = await self._line()
            self._lines += 1
            if self._lines == 1:
                return _request_line(line)
            if not line or self._lines > HEADERS_MAX or self._bytes > HEAD_MAX:
                if not line:
                    self._unread = self._body
                self.asked = not self._body
                return b""
            name, colon, value = line.partition(b":")
            name = name.strip().lower()
            if name == b"cookie":
                # Programs on other ports of this machine share their cookies with us.
                if not cookie:
                    continue
                return b"Cookie: " + COOKIE + cookie + b"\r\n"
            value = value.strip()
            if not colon or (name == b"content-length" and not _is_number(value)):
                self.asked = not self._body
                return b""
            if name == b"content-length":
                self._body = int(value)
            elif name == b"transfer-encoding":
                self._body = LINGER_MAX  # in chunks, which the page does not take
            if name in KEPT and len(line) < LINE_MAX and _is_text(value):
                return line + b"\r\n"

    async def _line(self):
        """(a line without its end, cut at LINE_MAX; the value of our cookie in it)."""
        line = b""
        cookie = None
        while True:
            end = self._rest.find(b"\n")
            piece = self._rest if end < 0 else self._rest[:end]
            self._rest = b"" if end < 0 else self._rest[end + 1 :]
            if len(line) < LINE_MAX:
                line += piece
                tail = line
            else:
                tail = tail[-COOKIE_MAX:] + piece
            cookie = cookie or _cookie_in(tail, end >= 0)
            if end >= 0:
                return line[:LINE_MAX].rstrip(), cookie
            await self._more()

    async def _more(self):
        piece = await self._reader.read(PIECE)
        if not piece:
            # Half a request is none, however much of it makes sense.
            raise OSError(RESET)
        self._bytes += len(piece)
        if self._bytes > 4 * HEAD_MAX:
            raise OSError(RESET)
        self._rest += piece

    async def readexactly(self, size):
        """`size` bytes of the body; microdot asks for no more than it allows."""
        while len(self._rest) < size:
            await self._more()
        data, self._rest = self._rest[:size], self._rest[size:]
        self.asked = True
        self._unread = 0
        return data

    async def awrite(self, data):
        """Write, and wait until the browser takes it; in a stream at most STALL_S."""
        if self._streams:
            self.until = self._seconds() + STALL_S
        self._writer.write(data)
        await self._writer.drain()
        if self._streams:
            self.until = None

    async def aclose(self):
        """Close when the answer is written; of a request that was not read whole, read the rest.

        A system resets what is closed with bytes still to be read, and a browser that is reset
        throws its answer away (RFC 9112, 9.6). Meanwhile the place is for who needs it.
        """
        if self._unread > len(self._rest) and not self._streams:
            await self.finish()
            self._unread = min(self._unread - len(self._rest), LINGER_MAX)
            self._rest = b""
            now = self._seconds()
            self.until = now + LINGER_S
            self.began = now - PATIENCE_S
            self.asked = False
            while self._unread > 0:
                piece = await self._reader.read(PIECE)
                if not piece:
                    break
                self._unread -= len(piece)
        self._writer.close()
        await self._writer.wait_closed()

    async def finish(self):
        """The answer is whole: say so where one direction of a connection can be closed."""

    def get_extra_info(self, name):
        return self._writer.get_extra_info(name)

    def gone(self):
        """True once the browser has closed its end, where that shows before the next write."""
        return hasattr(self._reader, "at_eof") and self._reader.at_eof()

    def keep_open(self):
        """This answer is not meant to end: only each write of it has its time."""
        self._streams = True
        self.until = None


def _request_line(line):
    """A line of three words that microdot can take apart, or b"" (it answers 400)."""
    words = line.split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/") or len(line) >= LINE_MAX:
        return b""
    if not _is_text(line):
        return b""
    path, mark, query = words[1].partition(b"?")
    if mark and not all(_is_letter(byte) or byte in PLAIN or byte == 38 for byte in query):
        query = b""  # nothing of ours
    if b"%" in query:
        query = b""
    return b"%s %s %s\r\n" % (words[0], path + b"?" + query if query else path, words[2])


def _cookie_in(text, whole):
    """The value of our cookie in a piece of a header; one that may go on needs its end."""
    at = text.find(COOKIE)
    if at < 0 or (at and text[at - 1] not in b" ;:"):
        return None
    value = text[at + len(COOKIE) :]
    end = value.find(b";")
    if end < 0:
        if not whole:
            return None
        value = value.strip()
    else:
        value = value[:end]
    return value if len(value) <= COOKIE_MAX and all(_is_letter(byte) for byte in value) else None


def _is_letter(byte):
    return 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122


def _is_number(text):
    return 0 < len(text) <= 9 and all(48 <= byte <= 57 for byte in text)


def _is_text(text):
    """Printable ASCII and tabs only."""
    return all(32 <= byte < 127 or byte == 9 for byte in text)
