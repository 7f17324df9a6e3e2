"""A bridge to a simulated world in another process: fixed 16-byte frames over two byte streams.

Request: op and 15 argument bytes; reply: status and 15 bytes, little-endian. The world stands
still between requests, so both sides run in lock-step.
"""

import struct

from wattledger.hal.errors import BusError

FRAME = 16
VERSION = 1
HELLO = 0
SPI = 1
ADVANCE = 2
RELAY = 3
CONTACT = 4
TRUTH = 5
MAX_TRANSFER = 14

OPEN = 0
CLOSE = 1
CONTACT_UNKNOWN = 2


class Bridge:
    """One request at a time over `sink.write(bytes)` and `source.readinto(buffer)`.

    Raises BusError when the world refuses, and EOFError when it is gone.
    """

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink
        self._request = bytearray(FRAME)
        self._reply = bytearray(FRAME)
        self._view = memoryview(self._reply)

    def start(self):
        """Greet the world; its time in unix ms. BusError when it speaks another version."""
        self._request[1] = VERSION
        reply = self._ask(HELLO)
        if reply[1] != VERSION:
            raise BusError("the world speaks version %d, not %d" % (reply[1], VERSION))
        return struct.unpack_from("<Q", reply, 2)[0]

    def advance(self, ms):
        """Let `ms` milliseconds pass there; its time in unix ms afterwards."""
        struct.pack_into("<I", self._request, 1, ms)
        return struct.unpack_from("<Q", self._ask(ADVANCE), 1)[0]

    def truth(self):
        """(import, export) energy of the world since it began, mWs."""
        reply = self._ask(TRUTH)
        return int.from_bytes(reply[1:8], "little"), int.from_bytes(reply[8:15], "little")

    def transfer(self, out, into):
        """Clock `out` into the simulated SPI device (contract SpiDevice)."""
        count = len(out)
        if count > MAX_TRANSFER:
            raise BusError("a transfer of %d bytes; at most %d fit" % (count, MAX_TRANSFER))
        request = self._request
        request[1] = count
        for index in range(count):
            request[2 + index] = out[index]
        reply = self._ask(SPI)
        for index in range(count):
            into[index] = reply[1 + index]

    def move(self, closed):
        """Move the relay."""
        self._request[1] = CLOSE if closed else OPEN
        self._ask(RELAY)

    def contact(self):
        """True closed, False open, None unknown."""
        found = self._ask(CONTACT)[1]
        return None if found == CONTACT_UNKNOWN else found == CLOSE

    def _ask(self, op):
        self._request[0] = op
        self._sink.write(self._request)
        got = 0
        while got < FRAME:
            count = self._source.readinto(self._view[got:])
            if not count:
                raise EOFError("the simulated world has ended")
            got += count
        if self._reply[0]:
            raise BusError("the world refused request %d" % op)
        return self._reply


class BridgeRelay:
    """The relay at the other end of a bridge (contract Relay)."""

    def __init__(self, bridge):
        self._bridge = bridge

    def open(self):
        self._bridge.move(False)

    def close(self):
        self._bridge.move(True)

    def contact(self):
        return self._bridge.contact()
