"""Asks for the addresses of a name beside the tick: getaddrinfo blocks on every platform.

It runs in a thread where the port has threads (an ESP32 and a Raspberry Pi do), else in place.
"""

try:
    import _thread
except ImportError:
    _thread = None

DIGITS = "0123456789."


class Resolver:
    """One question at a time: `ask`, then `answer` until it is not None.

    `socket` is the port's module; `thread` its _thread, or None to ask in place.
    """

    def __init__(self, socket, thread=_thread):
        self._socket = socket
        self._thread = thread
        # A slot, not an attribute: two threads never change one dict. [is over, answers, error]
        self._slot = [True, None, None]

    def ask(self, host, port):
        """Begin to ask. OSError when the question before is still open, or nobody can ask now."""
        if not self._slot[0]:
            raise OSError("the name server has not answered yet")
        self._slot = slot = [False, None, None]
        if self._thread is None or not host.strip(DIGITS):
            self._run(slot, host, port)
            return
        try:
            self._thread.start_new_thread(self._run, (slot, host, port))
        except (OSError, RuntimeError, MemoryError):
            slot[0] = True
            # Never in place: a silent name server would hold the tick until the watchdog bites.
            raise OSError("no room for the thread that asks")

    def answer(self):
        """The (family, address) found, a list; None while it is asked. Raises what asking did."""
        over, found, error = self._slot
        if not over:
            return None
        if error is not None:
            raise error
        return found

    def _run(self, slot, host, port):
        try:
            stream = self._socket.SOCK_STREAM
            found = self._socket.getaddrinfo(host, port, 0, stream)
            # MicroPython gives every kind, whatever was asked for.
            slot[1] = [(one[0], one[4]) for one in found if one[1] == stream]
            if not slot[1]:
                raise OSError("the name has no address")
        except Exception as error:  # UnicodeError too, of a name that cannot be one
            slot[2] = error
        slot[0] = True
