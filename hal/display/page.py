"""The two things a page server holds: the latest view, and what a person asked for."""

import json

from wattledger.hal.display import privacy

# Presses and releases waiting for the agent; it takes one or more a step, a hold is two kinds.
WAITING_MAX = 8


class Page:
    """The Page of hal/contract.py without a server: what the agent sees of any browser display.

    One thread may call show() and request() while another reads and calls ask(): each is a
    single assignment, append or pop of a list, which the interpreter does not interrupt.
    """

    def __init__(self, shown=privacy.EVERYTHING):
        """`shown` names what of a view may be seen without the PIN (privacy.LEVELS)."""
        self.shown = shown
        self._texts = ("{}", "{}")
        self._waiting = []

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        if self.shown is privacy.EVERYTHING:
            text = json.dumps(view)
            self._texts = (text, text)
            return
        seen, hidden = {}, {}
        for name, value in view.items():
            (seen if name in self.shown else hidden)[name] = value
        # The whole from its two parts, so that nothing is written out twice.
        seen, kept = json.dumps(seen)[1:-1], json.dumps(hidden)[1:-1]
        withheld = json.dumps({"withheld": sorted(hidden)})[1:-1]
        self._texts = (_object(seen, withheld), _object(seen, kept))

    @property
    def text(self):
        """The whole view as JSON."""
        return self._texts[1]

    @property
    def public(self):
        """As JSON, what of the view is seen without the PIN; `withheld` names the rest."""
        return self._texts[0]

    def request(self):
        """The oldest of what waits, or None: ("press",), ("release",), ("accept",) or ("token",
        digits)."""
        if not self._waiting:
            return None
        return self._waiting.pop(0)

    def ask(self, *item):
        """Queue "press", "release", "accept", "token" with digits; False when too much waits.

        A press behind a press says nothing new, so a held button cannot fill the queue and the
        release that ends it always finds room.
        """
        if self._waiting[-1:] == [item]:
            return True
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append(item)
        return True


def _object(*members):
    """A JSON object of members that are written out already; empty ones are left out."""
    return "{%s}" % ", ".join([text for text in members if text])
