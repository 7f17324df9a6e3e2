"""Answers the frames of a meter in another process from a LocalPort, in lock-step.

Requests and replies are those of world_server.py and, for a whole meter, more: what waits for it
is told with the time, and it may take a time, send, ask, receive, hear people, draw random bytes,
lose its power within a write, and tell of its supply. A message (topic length u8, topic, data)
follows the frame that names its length, filled up to whole frames.

The meter waits for the reply to the request that begins a turn, so whoever drives the world
decides between two turns how long it stands still.
"""

import os
import struct

from wattledger.host_sim.world_server import (
    ADVANCE,
    CONTACT,
    FRAME,
    HELLO,
    REFUSED,
    RELAY,
    SPI,
    SPI_MAX,
    TRUTH,
    VERSION,
)

OFFER = 6  # -> unix s u64, 0 none
SEND = 7  # flags u8, length u32; then the message -> token u32
SENT = 8  # token u32 -> u8
RECEIVE = 9  # -> flags u8, length u32; then the message
ENTROPY = 10  # n u8 -> n bytes
WRITE = 11  # length u32 -> bytes that arrive i32, -1 all
LOST = 12  # never answered: PowerLost is raised
TELL = 13  # left i64, unix s u40, state u8
VISIT = 14  # as RECEIVE; what a person at the meter wants

ENTROPY_MAX = 15
PRESENT = 1
RETAIN = 4


class PortServer:
    """`answer(request)` for one request; `serve` and `end` for a meter at two file descriptors."""

    def __init__(self, port, source=-1, sink=-1):
        self._port = port
        self._source = source
        self._sink = sink
        self._frames = {length: (bytearray(length), bytearray(length)) for length in range(15)}
        self._turn = None  # the request of a turn that has not begun
        self._operations = {
            HELLO: self._hello,
            SPI: self._spi,
            ADVANCE: self._advance,
            RELAY: self._relay,
            CONTACT: self._contact,
            TRUTH: self._truth,
            OFFER: self._offer,
            SEND: self._send,
            SENT: self._sent,
            RECEIVE: self._receive,
            ENTROPY: self._entropy,
            WRITE: self._write,
            LOST: self._lose,
            TELL: self._tell,
            VISIT: self._visit,
        }

    def serve(self, until_ms):
        """Answer until the meter would begin a turn at or after `until_ms` (unix ms of the world).

        EOFError when the meter's process ends before that, PowerLost when its power goes.
        """
        while True:
            if self._turn is None:
                self._listen()
            elif self._port.time_ms() < until_ms:
                self._reply(self._begin())
            else:
                return

    def end(self):
        """Ask the waiting meter for a clean end, and answer until its process has ended."""
        self._port.stopping = True
        self._turn[1:5] = bytes(4)  # no time passes
        try:
            self._reply(self._begin())
            while True:
                self._listen()
        except EOFError:
            return

    def answer(self, request):
        """The reply to a request: 16 bytes each, and what follows of a message."""
        reply = bytearray(FRAME)
        operation = self._operations.get(request[0])
        if operation is None or not operation(request, reply):
            reply[0] = REFUSED
        return reply

    def _begin(self):
        request, self._turn = self._turn, None
        return self.answer(request)

    def _listen(self):
        request = self._read(b"", FRAME)
        if request[0] == ADVANCE and not request[5]:
            self._turn = bytearray(request)
            return
        if request[0] == SEND:
            request = self._read(request, FRAME + _padded(_length(request)))
        self._reply(self.answer(request))

    def _read(self, data, length):
        """`data` and what the meter says next, until `length` bytes are there."""
        while len(data) < length:
            more = os.read(self._source, length - len(data))
            if not more:
                raise EOFError("the meter has ended")
            data += more
        return data

    def _reply(self, data):
        try:
            os.write(self._sink, data)
        except BrokenPipeError:
            raise EOFError("the meter has ended") from None

    def _pack_state(self, reply, at, time_ms):
        port = self._port
        flags = port.offer_waits | port.message_waits << 1 | port.link_up << 2
        flags |= port.stopping << 3 | port.button << 4
        flags |= port.watches_writes << 5 | port.asks << 6 | port.visitor_waits << 7
        struct.pack_into("<QBI", reply, at, time_ms, flags, port.link_session)

    def _hello(self, request, reply):
        reply[1] = VERSION
        self._pack_state(reply, 2, self._port.start())
        return request[1] == VERSION

    def _spi(self, request, reply):
        length = request[1]
        if length > SPI_MAX:
            return False
        out, into = self._frames[length]
        out[:] = request[2 : 2 + length]
        self._port.transfer(out, into)
        reply[1 : 1 + length] = into
        return True

    def _advance(self, request, reply):
        self._pack_state(reply, 1, self._port.advance(*struct.unpack_from("<I", request, 1)))
        return True

    def _relay(self, request, reply):
        if request[1] > 1:
            return False
        self._port.move(request[1] == 1)
        return True

    def _contact(self, request, reply):
        contact = self._port.contact()
        reply[1] = 2 if contact is None else int(contact)
        return True

    def _truth(self, request, reply):
        imported, exported = self._port.truth()
        reply[1:8] = imported.to_bytes(7, "little")
        reply[8:15] = exported.to_bytes(7, "little")
        return True

    def _offer(self, request, reply):
        struct.pack_into("<Q", reply, 1, self._port.take_offer())
        return True

    def _send(self, request, reply):
        message = request[FRAME : FRAME + _length(request)]
        if not message or len(message) <= message[0]:
            return False
        data_at = 1 + message[0]
        topic = bytes(message[1:data_at]).decode()
        token = self._port.send(topic, bytes(message[data_at:]), bool(request[1] & RETAIN))
        struct.pack_into("<I", reply, 1, token)
        return True

    def _sent(self, request, reply):
        reply[1] = self._port.sent(*struct.unpack_from("<I", request, 1))
        return True

    def _receive(self, request, reply):
        return self._hand(self._port.receive(), reply)

    def _visit(self, request, reply):
        return self._hand(self._port.visit(), reply)

    def _hand(self, found, reply):
        if found is None:
            return True
        topic, data, retain = found
        name = topic.encode()
        message = bytes([len(name)]) + name + data
        flags = PRESENT | (RETAIN if retain else 0)
        struct.pack_into("<BI", reply, 1, flags, len(message))
        reply += message.ljust(_padded(len(message)), b"\0")
        return True

    def _entropy(self, request, reply):
        length = request[1]
        if length > ENTROPY_MAX:
            return False
        drawn = bytearray(length)
        self._port.fill(drawn)
        reply[1 : 1 + length] = drawn
        return True

    def _write(self, request, reply):
        arrives = self._port.writing(*struct.unpack_from("<I", request, 1))
        struct.pack_into("<i", reply, 1, arrives)
        return True

    def _lose(self, request, reply):
        self._port.lose_power()

    def _tell(self, request, reply):
        left, low, high, state = struct.unpack_from("<qIBB", request, 1)
        self._port.tell(left, high << 32 | low, state)
        return True


def _length(request):
    """Bytes of the message that follows a SEND."""
    return struct.unpack_from("<I", request, 2)[0]


def _padded(length):
    """The same filled up to whole frames."""
    return length + -length % FRAME
