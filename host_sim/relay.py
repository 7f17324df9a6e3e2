"""A simulated latching relay with an auxiliary contact to read; it can bounce and weld."""

BOUNCE_MS = 8  # a power contact of this size rests after 5 to 10 ms
BOUNCE_HALF_MS = 2  # the auxiliary contact opens and closes in this rhythm


class LatchingRelay:
    """Keeps its position without power. `operations` counts movements, not commands.

    `movements` is their list in this process, True for a closing. After a closing the auxiliary
    contact bounces for `bounce_ms`; the load is fed all the while (an arc carries it).
    """

    def __init__(self, closed=True, bounce_ms=0):
        self.operations = 0
        self.movements = []
        self.welded = False
        self._closed = closed
        self._bounce_ms = bounce_ms
        self._bouncing_ms = 0  # left of a bounce

    def open(self):
        """Cut the supply; a welded contact does not follow."""
        if not self.welded:
            self._move(False)

    def close(self):
        """Give the supply back."""
        self._move(True)

    def conducts(self):
        """True while the load is fed."""
        return self._closed

    def contact(self):
        """The auxiliary contact: True closed, False open."""
        if self._bouncing_ms and self._bouncing_ms // BOUNCE_HALF_MS % 2 == 0:
            return False
        return self._closed

    def pass_ms(self, ms):
        """Let time pass: a bounce comes to rest."""
        self._bouncing_ms = max(self._bouncing_ms - ms, 0)

    def weld(self):
        """The contacts stick: once closed, nothing opens them until `free`."""
        self.welded = True

    def free(self):
        """The contacts come apart again at the next opening."""
        self.welded = False

    def _move(self, closed):
        if self._closed != closed:
            self._closed = closed
            self.operations += 1
            self.movements.append(closed)
            self._bouncing_ms = self._bounce_ms if closed else 0

    def state(self):
        """Position and wear, as a dict for JSON."""
        return {"closed": self._closed, "operations": self.operations, "welded": self.welded}

    def restore(self, state):
        """Take up a `state()` again; this is no movement."""
        self._closed = state["closed"]
        self.operations = state["operations"]
        self.welded = state.get("welded", False)
