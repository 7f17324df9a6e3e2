"""A bridge to a simulated world in another process: fixed 16-byte frames over two byte streams.

Request: op and 15 argument bytes; reply: status and 15 bytes, little-endian. A message (topic
length u8, topic, data) follows the frame that names its length, filled up to whole frames. The
world stands still between requests, so both sides run in lock-step.

It is a port: everything of the world that a simulated meter needs. host_sim/port.py is the one
without a process between.
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
OFFER = 6
SEND = 7
SENT = 8
RECEIVE = 9
ENTROPY = 10
WRITE = 11
LOST = 12
TELL = 13
VISIT = 14
MAX_TRANSFER = 14
MAX_ENTROPY = 15

OPEN = 0
CLOSE = 1
CONTACT_UNKNOWN = 2

# What waits for the meter, told with the time.
OFFER_WAITS = 1
MESSAGE_WAITS = 2
LINK_UP = 4
STOPPING = 8
BUTTON = 16
WATCHES_WRITES = 32
ASKS = 64
VISITOR_WAITS = 128

# Of a message.
PRESENT = 1
RETAIN = 4

# What a meter tells of its supply besides its credit.
HAS_TARIFF = 1
SYNCED = 2
CLOCK_BUDGET = 4
KEEP_POWER = 8
WARNED = 16  # of a cut, five minutes ago or more


class Bridge:
    """One request at a time over `sink.write(bytes)` and `source.readinto(buffer)`.

    `offer_waits`, `message_waits`, `link_up`, `link_session`, `button` (a person holds it),
    `visitor_waits` (one wants something else), `watches_writes` (each wants a writing()), `asks`
    (it wants a tell()) and `stopping` are as of the last start() or advance(). Raises BusError
    when the world refuses, and EOFError when it is gone.
    """

    def __init__(self, source, sink):
        self._source = source
        self._sink = sink
        self._request = bytearray(FRAME)
        self._reply = bytearray(FRAME)
        self._view = memoryview(self._reply)
        self._hear(0, 0)

    def _hear(self, flags, session):
        self.offer_waits = bool(flags & OFFER_WAITS)
        self.message_waits = bool(flags & MESSAGE_WAITS)
        self.link_up = bool(flags & LINK_UP)
        self.stopping = bool(flags & STOPPING)
        self.button = bool(flags & BUTTON)
        self.watches_writes = bool(flags & WATCHES_WRITES)
        self.asks = bool(flags & ASKS)
        self.visitor_waits = bool(flags & VISITOR_WAITS)
        self.link_session = session

    def start(self):
        """Greet the world; its time in unix ms. BusError when it speaks another version."""
        self._request[1] = VERSION
        reply = self._ask(HELLO)
        if reply[1] != VERSION:
            raise BusError("the world speaks version %d, not %d" % (reply[1], VERSION))
        time_ms, flags, session = struct.unpack_from("<QBI", reply, 2)
        self._hear(flags, session)
        return time_ms

    def advance(self, ms, midway=False):
        """Let `ms` milliseconds pass there; its time in unix ms afterwards.

        The world may make the meter wait here for as long as it likes, but not `midway`, in the
        middle of a turn.
        """
        struct.pack_into("<IB", self._request, 1, ms, 1 if midway else 0)
        time_ms, flags, session = struct.unpack_from("<QBI", self._ask(ADVANCE), 1)
        self._hear(flags, session)
        return time_ms

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

    def take_offer(self):
        """The time a source offers, unix s; 0 when there is none."""
        self.offer_waits = False
        return struct.unpack_from("<Q", self._ask(OFFER), 1)[0]

    def send(self, topic, data, retain):
        """Hand a message to the network; a token > 0, or 0 when it did not take it."""
        if isinstance(data, list):
            data = b"".join(data)
        name = topic.encode()
        data_at = FRAME + 1 + len(name)
        length = data_at + len(data)
        request = bytearray(length + -length % FRAME)
        struct.pack_into("<BBI", request, 0, SEND, RETAIN if retain else 0, length - FRAME)
        request[FRAME] = len(name)
        request[FRAME + 1 : data_at] = name
        request[data_at:length] = data
        self._sink.write(request)
        return struct.unpack_from("<I", self._answer(SEND), 1)[0]

    def sent(self, token):
        """True once the broker has acknowledged the message."""
        struct.pack_into("<I", self._request, 1, token)
        return self._ask(SENT)[1] == 1

    def receive(self):
        """The next message for the meter as (topic, data, retain), or None."""
        message = self._take(RECEIVE)
        if message is None:
            self.message_waits = False
        return message

    def visit(self):
        """What the next person at the meter wants, as (word, data, False), or None."""
        wish = self._take(VISIT)
        if wish is None:
            self.visitor_waits = False
        return wish

    def _take(self, op):
        flags, length = struct.unpack_from("<BI", self._ask(op), 1)
        if not flags & PRESENT:
            return None
        message = bytearray(length + -length % FRAME)
        self._read(message, memoryview(message))
        data_at = 1 + message[0]
        topic = bytes(message[1:data_at]).decode()
        return topic, bytes(message[data_at:length]), bool(flags & RETAIN)

    def fill(self, buffer):
        """Fill a bytearray with random bytes of the world (contract Entropy)."""
        for at in range(0, len(buffer), MAX_ENTROPY):
            count = min(MAX_ENTROPY, len(buffer) - at)
            self._request[1] = count
            buffer[at : at + count] = self._ask(ENTROPY)[1 : 1 + count]

    def writing(self, length):
        """A write of `length` bytes to storage begins; how many of them arrive before the power
        goes, or -1 when it stays."""
        struct.pack_into("<I", self._request, 1, length)
        return struct.unpack_from("<i", self._ask(WRITE), 1)[0]

    def lose_power(self):
        """The power goes here: the world never answers."""
        self._ask(LOST)

    def tell(self, left, unix, state):
        """What the meter knows of its supply: credit above the floor (nano), its time (unix s)
        and bits from HAS_TARIFF to WARNED."""
        self.asks = False
        request = self._request
        struct.pack_into("<q", request, 1, left)
        request[9:14] = unix.to_bytes(5, "little")
        request[14] = state
        self._ask(TELL)

    def _ask(self, op):
        self._request[0] = op
        self._sink.write(self._request)
        return self._answer(op)

    def _answer(self, op):
        reply = self._reply
        self._read(reply, self._view)
        if reply[0]:
            raise BusError("the world refused request %d" % op)
        return reply

    def _read(self, buffer, view):
        # What comes whole needs no slice, so a tick over the bridge allocates nothing.
        got = self._source.readinto(buffer)
        while got and got < len(buffer):
            count = self._source.readinto(view[got:])
            got = got + count if count else 0
        if not got:
            raise EOFError("the simulated world has ended")


class BridgeRelay:
    """The relay at the other end of a port (contract Relay)."""

    def __init__(self, port):
        self._port = port

    def open(self):
        self._port.move(False)

    def close(self):
        self._port.move(True)

    def contact(self):
        return self._port.contact()
