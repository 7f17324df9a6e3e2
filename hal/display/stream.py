"""One viewer of /events: an answer that never ends, as microdot iterates over it.

microdot asks for the next event when the browser took the one before, so a slow browser skips to
the latest view and costs one of them in memory; one that stays stuck is cut off by its connection.
"""

import asyncio

POLL_S = 0.25  # at most four views a second
HEARTBEAT_POLLS = 40  # 10 s: the page calls itself offline after 15 s of silence
# A comment would keep the line open too, but a page cannot see comments.
HEARTBEAT = "event: heartbeat\ndata: {}\n\n"


class Stream:
    """Shows `page` (page.py); `parts_for(request)` is the view as this viewer may see it now;
    `viewers` is a list it is in."""

    def __init__(self, request, page, parts_for, viewers):
        self._request = request
        self._page = page
        self._parts_for = parts_for
        self._parts = []  # of an event that is on its way
        self._viewers = viewers
        self._sent = None
        viewers.append(self)
        # A runner may hand in connections that know more than a bare stream (connection.py).
        connection = request.sock[1]
        self._gone = getattr(connection, "gone", None)
        if hasattr(connection, "keep_open"):
            connection.keep_open()
            connection.ended = self.end

    def __aiter__(self):
        return self

    async def __anext__(self):
        quiet = 0
        if self._parts:
            return self._parts.pop(0)
        if self._sent is not None:
            await asyncio.sleep(POLL_S)
        while self._gone is None or not self._gone():
            version = self._page.version
            if version != self._sent:
                self._sent = version
                self._parts = self._parts_for(self._request)
                self._parts[-1] += "\n\n"
                return "event: view\ndata: " + self._parts.pop(0)
            quiet += 1
            if quiet >= HEARTBEAT_POLLS:
                return HEARTBEAT
            await asyncio.sleep(POLL_S)
        raise StopAsyncIteration

    def end(self):
        """The viewer's place is free again."""
        if self in self._viewers:
            self._viewers.remove(self)

    async def aclose(self):
        self.end()
