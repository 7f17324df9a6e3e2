"""The watchdog of systemd (contract Watchdog): one datagram a feed to the socket it names.

Source: sd_notify(3), systemd.service(5) WatchdogSec. Without NOTIFY_SOCKET nothing is sent, so the
same firmware runs from a terminal.
"""

import os
import socket


class SystemdWatchdog:
    """Tells systemd `READY=1` once, `WATCHDOG=1` with each feed, `STOPPING=1` at the end."""

    def __init__(self, environment=None):
        """`environment` is a mapping with NOTIFY_SOCKET; the process's own by default."""
        address = (os.environ if environment is None else environment).get("NOTIFY_SOCKET", "")
        if address[:1] == "@":
            address = "\0" + address[1:]  # a name without a file
        self._address = address
        self._socket = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)

    def ready(self):
        """The meter measures."""
        self._tell(b"READY=1")

    def feed(self):
        """The meter is well."""
        self._tell(b"WATCHDOG=1")

    def stopping(self):
        """A clean end has begun."""
        self._tell(b"STOPPING=1")

    def _tell(self, message):
        if self._socket is None:
            return
        try:
            self._socket.sendto(message, self._address)
        except OSError:
            pass  # systemd is restarting: a missed message only counts when all are missed
