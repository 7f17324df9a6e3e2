"""What a signal sets and the main thread waits for."""

import queue


class Stop:
    """As a threading.Event, for who sets it in a signal's handler too.

    An Event has a lock that its own thread cannot take twice: a signal that comes while the main
    thread is on its way into wait() would wait for itself. SimpleQueue is made for this.
    """

    def __init__(self):
        self._asked = queue.SimpleQueue()

    def set(self):
        """From now on it is set."""
        self._asked.put(None)

    def is_set(self):
        """True once it was set."""
        return not self._asked.empty()

    def wait(self, timeout=None):
        """True as soon as it is set, False after `timeout` seconds."""
        try:
            self._asked.get(timeout=timeout)
        except queue.Empty:
            return False
        self._asked.put(None)
        return True
