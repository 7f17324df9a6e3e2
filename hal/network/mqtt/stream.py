"""A socket that never waits, by the same two calls on CPython and MicroPython, plain or TLS."""

from errno import EAGAIN, ECONNRESET

HUNG_UP = "the broker hung up"
# What TCP and TLS say of it; which one is chance, and a log gets a line for each text. EPIPE,
# CPython's SSL_ERROR_EOF, and mbedTLS's CONN_EOF and FATAL_ALERT, which does not tell the alert.
HANG_UPS = (ECONNRESET, 32, 8, -0x7280, -0x7780)


class Stream:
    """`read_into` and `write` of a socket that was set not to block.

    `busy` are the exceptions of the port by which TLS says that it would wait.
    """

    def __init__(self, socket, busy=()):
        self._socket = socket
        self._busy = busy
        if hasattr(socket, "recv_into"):
            self._read, self._write = socket.recv_into, socket.send
        else:  # of MicroPython's streams TLS has no other two; they give None for EAGAIN
            self._read, self._write = socket.readinto, socket.write

    def read_into(self, buffer):
        """Bytes that have come, 0 for none. OSError(HUNG_UP) when the peer did."""
        count = self._call(self._read, buffer)
        if count == 0:
            raise OSError(HUNG_UP)
        return count or 0

    def write(self, view):
        """Bytes that were taken, from the front of a memoryview; 0 when none can be now."""
        return self._call(self._write, view) or 0

    def _call(self, function, buffer):
        """What a call of the socket returns; None when it would wait."""
        try:
            return function(buffer)
        except self._busy:
            return None
        except OSError as error:
            if error.errno == EAGAIN:
                return None
            if error.errno in HANG_UPS:
                raise OSError(HUNG_UP) from None
            raise

    def close(self):
        """Close it; one that is broken already is not an error."""
        try:
            self._socket.close()
        except OSError:
            pass
