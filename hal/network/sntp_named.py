"""SNTP from a server by name: the name is resolved beside the tick, again when it goes silent."""

from wattledger.hal.network.resolver import Resolver
from wattledger.hal.network.sntp import FIRST_RETRY_MS, PORT, SntpClient

LASTS_MS = 6 * 3_600_000  # without a fix the name may have moved


class NamedSntp:
    """`poll` as of SntpClient; `socket` is the port's module, `host` a name or an address. While
    `ready()` is false nothing is asked, so that no pause grows by it; None: there is a network."""

    def __init__(self, socket, entropy, host, resolver=None):
        self._socket = socket
        self._entropy = entropy
        self._host = host
        self._resolver = resolver or Resolver(socket)
        self._client = None
        self._asking = False
        self._due_ms = 0
        self._fixed_ms = 0
        self.last_error = ""
        self.ready = None

    def poll(self, now_ms):
        """Unix milliseconds of a new fix, or None; `now_ms` rises and does not wrap."""
        if self.ready is not None and not self.ready():
            return None
        if self._client is None:
            self._find(now_ms)
            return None
        unix_ms = self._client.poll(now_ms)
        if unix_ms is not None:
            self._fixed_ms = now_ms
        elif now_ms - self._fixed_ms >= LASTS_MS:
            self._client = None
        return unix_ms

    def _find(self, now_ms):
        try:
            if not self._asking:
                if now_ms < self._due_ms:
                    return
                self._due_ms = now_ms + FIRST_RETRY_MS
                self._resolver.ask(self._host, PORT)
                self._asking = True
            found = self._resolver.answer()
        except OSError as error:
            self._asking = False
            self.last_error = "%s: %s" % (self._host, error)
            return
        if found:
            self._asking = False
            self._fixed_ms = now_ms
            self._client = SntpClient(self._socket, self._entropy, found[0][1])
