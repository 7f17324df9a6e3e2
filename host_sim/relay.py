"""A simulated latching relay with an auxiliary contact to read."""


class LatchingRelay:
    """Keeps its position without power. `operations` counts movements, not commands."""

    def __init__(self, closed=True):
        self.operations = 0
        self._closed = closed

    def open(self):
        """Cut the supply."""
        self._move(False)

    def close(self):
        """Give the supply back."""
        self._move(True)

    def contact(self):
        """True closed, False open."""
        return self._closed

    def _move(self, closed):
        if self._closed != closed:
            self._closed = closed
            self.operations += 1

    def state(self):
        """Position and wear, as a dict for JSON."""
        return {"closed": self._closed, "operations": self.operations}

    def restore(self, state):
        """Take up a `state()` again; this is no movement."""
        self._closed = state["closed"]
        self.operations = state["operations"]
