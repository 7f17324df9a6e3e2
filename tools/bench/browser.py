"""A browser without a socket: one request to the page's app. Portable."""

import asyncio


class Stream:
    """One request on a stream without a socket; keeps the head of the answer."""

    def __init__(self, lines):
        self._lines = lines
        self.head = b""

    def get_extra_info(self, name):
        return ("127.0.0.1", 1)

    async def readline(self):
        return self._lines.pop(0) if self._lines else b""

    async def awrite(self, data):
        if len(self.head) < 12:
            self.head += data if isinstance(data, bytes) else data.encode()

    def write(self, data):
        if len(self.head) < 12:
            self.head += bytes(data)

    async def drain(self):
        pass

    async def aclose(self):
        pass

    def close(self):
        pass

    async def wait_closed(self):
        pass


def ask(app, path):
    """The status of a GET, as the text of a number."""
    request = "GET %s HTTP/1.0\r\n" % path
    stream = Stream([request.encode(), b"Host: 127.0.0.1\r\n", b"\r\n"])
    asyncio.run(app.handle_request(stream, stream))
    return stream.head.decode().split(" ")[1]
