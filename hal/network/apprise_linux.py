"""Sends alerts to the services of a household, by apprise, in a thread of its own.

The owner's thread never waits: a service that is slow or hangs keeps only the alerts waiting. An
address holds passwords, and so may what apprise or a service says; neither leaves this file.
"""

import heapq
import logging
import queue
import re
import threading
import time

from wattledger.hal.errors import HalError

ROOM = 32  # alerts that may wait
RETRY_S = (5, 60)  # waits before the second and the third try
UNSENT = "the meter stopped before it was sent"
HTTP_ERROR = re.compile(r"error=(\d{3})")
NO_CONNECTION = re.compile(r"connection|timed? ?out|name resolution", re.IGNORECASE)


class AppriseSender:
    """`targets` are (name, address) pairs. HalError names what cannot be used, by its name only.

    `results()` are (token, name, fault) since the last call, one for each target an alert went
    to; the fault is None when the service took it.
    """

    def __init__(self, targets, retry_s=RETRY_S):
        try:
            import apprise  # takes a fifth of a second, and only a household with alerts pays it
        except ImportError:
            raise HalError(
                "alerts need the package apprise: pip install 'wattledger[notify]'"
            ) from None
        self._listener = _Listener()
        self._services = []
        for name, address in targets:
            service = apprise.Apprise.instantiate(address)
            if service is None:
                raise HalError(
                    "the address of %r is none that apprise knows; "
                    "https://github.com/caronc/apprise/wiki has their forms" % name
                )
            self._services.append((name, service))
        self._retry_s = retry_s
        self._numbers = 0
        self._orders = queue.Queue(ROOM)
        self._results = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def send(self, token, title, text):
        """Hand an alert over; returns at once."""
        try:
            self._orders.put_nowait((token, title, text))
        except queue.Full:
            for name, _ in self._services:
                self._results.put((token, name, "too many wait"))

    def results(self):
        """What became of the alerts, a list of (token, name, fault or None)."""
        found = []
        try:
            while True:
                found.append(self._results.get_nowait())
        except queue.Empty:
            return found

    def close(self, timeout_s=3):
        """End after the try that is under way; results() then has what was not sent as a fault."""
        self._closing.set()
        try:
            self._orders.put_nowait(())  # wakes it
        except queue.Full:
            pass
        self._thread.join(timeout_s)  # a daemon: one that hangs ends with the process

    def _run(self):
        due = []  # heap of (monotonic s, number, tries before, order, service)
        while not self._closing.is_set():
            wait = max(due[0][0] - time.monotonic(), 0) if due else None
            try:
                self._share_out(self._orders.get(timeout=wait), due)
                continue
            except queue.Empty:
                pass
            _, number, tries, order, service = heapq.heappop(due)
            fault = self._try(service[1], order)
            if fault is not None and tries < len(self._retry_s):
                at = time.monotonic() + self._retry_s[tries]
                heapq.heappush(due, (at, number, tries + 1, order, service))
            else:
                self._results.put((order[0], service[0], fault))
        while not self._orders.empty():
            self._share_out(self._orders.get(), due)
        for _, _, _, order, service in due:
            self._results.put((order[0], service[0], UNSENT))

    def _share_out(self, order, due):
        """An order is one to each service."""
        for service in self._services if order else ():
            self._numbers += 1
            heapq.heappush(due, (time.monotonic(), self._numbers, 0, order, service))

    def _try(self, service, order):
        """None when the service took it, else why not in words without secrets."""
        self._listener.heard = []
        try:
            if service.notify(body=order[2], title=order[1]):
                return None
        except Exception as error:  # whatever is inside a service must not end the thread
            return "failed (%s)" % type(error).__name__
        heard = " ".join(self._listener.heard)
        code = HTTP_ERROR.search(heard)
        if code:
            return "it answered %s" % code.group(1)
        return "no connection" if NO_CONNECTION.search(heard) else "it did not take the alert"


class _Listener(logging.Handler):
    """Hears what apprise says and keeps it from the log, where an address would stand."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.heard = []
        logger = logging.getLogger("apprise")
        logger.propagate = False
        logger.handlers = [self]

    def emit(self, record):
        self.heard.append(record.getMessage())
