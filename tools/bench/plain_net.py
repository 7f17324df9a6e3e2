"""A network with a broker in it, in next to no heap: it takes and acknowledges everything.

It stands for the modules `network`, `socket` and `ssl` of an ESP32's port, whose buffers are in no
heap of MicroPython's there. Portable; a stream for select.poll on MicroPython alone.
"""

import io

AF_INET = 2
SOCK_STREAM = 1
SOCK_DGRAM = 2
PROTOCOL_TLS_CLIENT = 16
CERT_REQUIRED = 2
_EAGAIN = 11
_POLL = 3  # the request of a stream's ioctl
_POLLOUT = 4
_CONNECT = 1
_PUBLISH = 3
_SUBSCRIBE = 8
_PINGREQ = 12


def hostname(name):
    pass


class WLAN:
    IF_STA = 0

    def __init__(self, interface):
        pass

    def active(self, on):
        pass

    def config(self, **settings):
        pass

    def connect(self, name, password):
        pass

    def isconnected(self):
        return True

    def ifconfig(self):
        return ("192.0.2.7",)


def getaddrinfo(host, port, family=0, kind=0):
    return [(AF_INET, SOCK_STREAM, 0, "", (host, port))]


class socket(io.IOBase):  # noqa: N801  as the port calls it
    """The broker's end too: answers wait in a buffer of 64 bytes. A packet's head is never cut."""

    messages = 0

    def __init__(self, family, kind=SOCK_STREAM):
        self._answers = bytearray(64)
        self._waiting = 0
        self._skip = 0  # bytes of a packet that are still to come

    def ioctl(self, request, argument):
        return _POLLOUT if request == _POLL else 0

    def setblocking(self, on):
        pass

    def setsockopt(self, level, option, value):
        pass

    def connect(self, address):
        pass

    def send(self, data):
        return len(data)

    def recv(self, size):
        raise OSError(_EAGAIN)  # no time server answers

    def write(self, data):
        at = min(self._skip, len(data))
        self._skip -= at
        while at < len(data):
            start = at
            kind = data[at] >> 4
            at += 1
            size = shift = 0
            while data[at] & 0x80:
                size |= (data[at] & 0x7F) << shift
                shift += 7
                at += 1
            size |= data[at] << shift
            at += 1
            if kind == _CONNECT:
                self._answer(0x20, 2, 0, 0)
            elif kind == _SUBSCRIBE:
                self._answer(0x90, 3, data[at], data[at + 1])
                self._put(1)
            elif kind == _PUBLISH and data[start] & 2:
                socket.messages += 1
                after = at + 2 + (data[at] << 8 | data[at + 1])
                self._answer(0x40, 2, data[after], data[after + 1])
            elif kind == _PINGREQ:
                self._put(0xD0)
                self._put(0)
            at += size
        self._skip += at - len(data)
        return len(data)

    def _answer(self, kind, size, high, low):
        self._put(kind)
        self._put(size)
        self._put(high)
        self._put(low)

    def _put(self, byte):
        self._answers[self._waiting] = byte
        self._waiting += 1

    def readinto(self, into):
        count = self._waiting
        for index in range(count):
            into[index] = self._answers[index]
        self._waiting = 0
        return count or None

    def close(self):
        pass


class SSLContext:
    verify_mode = CERT_REQUIRED

    def __init__(self, protocol):
        pass

    def load_verify_locations(self, cadata):
        pass

    def load_cert_chain(self, certificate, key):
        pass

    def wrap_socket(self, stream, server_hostname, do_handshake_on_connect):
        return stream
