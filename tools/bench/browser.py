"""A browser without a socket: one request to the page's server. Portable."""

import asyncio


class Stream:
    """Reader and writer of one request; keeps the head of the answer and counts its bytes."""

    def __init__(self, request):
        self._request = request
        self.head = b""
        self.bytes = 0

    def get_extra_info(self, name):
        return ("127.0.0.1", 1)

    async def read(self, size):
        data, self._request = self._request[:size], self._request[size:]
        return data

    def write(self, data):
        self.bytes += len(data)
        if len(self.head) < 12:
            self.head += bytes(data)

    async def drain(self):
        pass

    def close(self):
        pass

    async def wait_closed(self):
        pass


async def _answered(server, stream, between):
    answer = asyncio.create_task(server.answer(stream, stream))
    while not answer.done():
        between()
        await asyncio.sleep(0)


def ask(server, path, host="127.0.0.1", between=None):
    """The status of a GET, as the text of a number; `server` is of hal/display/server.py. Whenever
    it lets others run `between()` is called."""
    stream = Stream(b"GET %s HTTP/1.0\r\nHost: %s\r\n\r\n" % (path.encode(), host.encode()))
    if between is None:
        asyncio.run(server.answer(stream, stream))
    else:
        asyncio.run(_answered(server, stream, between))
    return stream.head.decode().split(" ")[1]
