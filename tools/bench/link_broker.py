"""A broker that writes down what it acknowledges, and can be killed or swallowed by a black hole.

It speaks just enough MQTT 3.1.1 for one publisher: every message it has read is on its list
before its PUBACK leaves, so nothing is lost between it and a subscriber.
"""

import contextlib
import select
import socket
import struct
import threading

HOST = "127.0.0.1"
LINGER_0 = struct.pack("ii", 1, 0)  # close with RST, as a kernel does for a killed process
ANSWERS = {1: b"\x20\x02\x00\x00", 12: b"\xd0\x00"}  # CONNECT, PINGREQ


class RecordingBroker:
    """Serves 127.0.0.1:`port` from a thread of its own; `received` are the payloads, in order."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self.connects = 0
        self._clients: dict[socket.socket, bytearray] = {}
        self._lock = threading.Lock()
        self._swallows = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """Gone with all connections; nobody listens."""
        with self._lock:
            for sock in list(self._clients):
                self._drop(sock)
            if self._listener is not None:
                self._listener.close()
                self._listener = None

    def restart(self) -> None:
        """Listen again at the same port."""
        with self._lock:
            self._listener = socket.create_server((HOST, self.port))

    def swallow(self, on: bool) -> None:
        """A black hole: connections stay, no byte moves, nothing new is accepted."""
        self._swallows = on

    def stop(self) -> None:
        """End it."""
        self._ended = True
        self._thread.join()
        self.kill()

    def _run(self) -> None:
        while not self._ended:
            with self._lock:
                watched: list[socket.socket] = [] if self._swallows else list(self._clients)
                if self._listener is not None and not self._swallows:
                    watched.append(self._listener)
                ready = select.select(watched, [], [], 0.002)[0]
                for sock in ready:
                    if sock is self._listener:
                        self._clients[sock.accept()[0]] = bytearray()
                    else:
                        self._read(sock)
            threading.Event().wait(0.001)

    def _read(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._drop(sock)
            return
        held = self._clients[sock]
        held += data
        with contextlib.suppress(OSError):
            while packet := _packet(held):
                sock.sendall(self._answer(*packet))

    def _answer(self, kind: int, body: bytes) -> bytes:
        if kind == 3:
            name = int.from_bytes(body[:2], "big")
            self.received.append(bytes(body[name + 4 :]))
            return b"\x40\x02" + body[name + 2 : name + 4]
        if kind == 8:
            return b"\x90\x03" + body[:2] + b"\x01"
        self.connects += kind == 1
        return ANSWERS.get(kind, b"")

    def _drop(self, sock: socket.socket) -> None:
        self._clients.pop(sock, None)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        sock.close()


def _packet(held: bytearray) -> tuple[int, bytes] | None:
    """The packet at the front, (type, body), taken off; None when it is not whole."""
    size = 0
    for at in range(1, min(len(held), 5)):
        size |= (held[at] & 0x7F) << 7 * (at - 1)
        if not held[at] & 0x80:
            if len(held) < at + 1 + size:
                return None
            kind, body = held[0] >> 4, bytes(held[at + 1 : at + 1 + size])
            del held[: at + 1 + size]
            return kind, body
    return None
