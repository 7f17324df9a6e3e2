"""The two things a page server holds: the latest view, and what a person asked for."""

import json

# Presses and releases waiting for the agent; it takes one or more a step, a hold is two kinds.
WAITING_MAX = 8


class Page:
    """The Page of hal/contract.py without a server: what the agent sees of any browser display.

    One thread may call show() and request() while another reads `text` and calls ask(): each
    is a single assignment, append or pop of a list, which the interpreter does not interrupt.
    """

    def __init__(self):
        self.text = "{}"
        self._waiting = []

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        self.text = json.dumps(view)

    def request(self):
        """The oldest of what waits, or None: ("press",), ("release",), ("accept",), ("token",
        digits) or ("assist", True or False)."""
        if not self._waiting:
            return None
        return self._waiting.pop(0)

    def ask(self, *item):
        """Queue "press", "release", "accept", "token" with digits or "assist" with a bool; False
        when too much waits.

        A press behind a press says nothing new, so a held button cannot fill the queue and the
        release that ends it always finds room.
        """
        if self._waiting[-1:] == [item]:
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append(item)
        return True
