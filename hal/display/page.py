"""The two things a page server holds: the latest view, and what a person asked for."""

import io
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
        self._shown = shown
        self.latest = ("", "", "")  # members of the JSON object: public, private, withheld
        self._waiting = []

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        # Written out member by member into two texts: no second dict, and no text twice.
        public, private = io.StringIO(), io.StringIO()
        hidden = []
        for name, value in view.items():
            seen = self._shown is privacy.EVERYTHING or name in self._shown
            out = public if seen else private
            if not seen:
                hidden.append(name)
            out.write('"%s": ' % name)
            json.dump(value, out)
            out.write(", ")
        withheld = '"withheld": %s, ' % json.dumps(sorted(hidden)) if hidden else ""
        latest = (public.getvalue(), private.getvalue(), withheld)
        if latest != self.latest:
            self.latest = latest

    @property
    def text(self):
        """The whole view as JSON."""
        public, private, _ = self.latest
        return _object(public, private)

    @property
    def public(self):
        """As JSON, what of the view is seen without the PIN; `withheld` names the rest."""
        public, _, withheld = self.latest
        return _object(public, withheld)

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


def _object(first, second):
    """A JSON object of members, each with a comma behind it."""
    return "{%s%s}" % (first, second[:-2]) if second else "{%s}" % first[:-2]
