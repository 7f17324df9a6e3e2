"""The two things a page server holds: the latest view, and what a person asked for."""

import io
import json

from wattledger.hal.display import privacy

# Presses and releases waiting for the agent; it takes one or more a step, a hold is two kinds.
WAITING_MAX = 8
SPANS = ("day", "week", "month", "year")


class Page:
    """The Page of hal/contract.py without a server: what the agent sees of any browser display.

    One thread may call show() and request() while another reads and calls ask(): each is a
    single assignment, append or pop of a list, which the interpreter does not interrupt.
    """

    spans = SPANS  # of history; "long" is for computers
    kept_max = 1  # answers kept for the next browser: a microcontroller has room for one

    def __init__(self, shown=privacy.EVERYTHING):
        """`shown` names what of a view may be seen without the PIN (privacy.LEVELS)."""
        self._shown = shown
        self.latest = ("", "", "")  # members of the JSON object: public, private, withheld
        self._waiting = []
        self._stamp = None
        self._answers = []  # (name, stamp, text), newest last

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        self._stamp = (view.get("recorded_until"), view.get("tariff"), view.get("pending"))
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

    def answer(self, name, text):
        """Take what ("tell", name) asked for: JSON, "" when it could not be told."""
        kept = [item for item in self._answers if item[0] != name]
        self._answers = kept[len(kept) + 1 - self.kept_max :] + [(name, self._stamp, text)]

    def told(self, name):
        """A history of one of `spans`, or the "tariff" documents, as JSON; "" when it cannot be
        read now. None: the meter is asked for it, ask again soon."""
        for item in self._answers:
            if item[0] == name and item[1] == self._stamp:
                if not item[2]:
                    self._answers = [other for other in self._answers if other is not item]
                return item[2]
        if ("tell", name) not in self._waiting:
            self.ask("tell", name)
        return None

    def request(self):
        """The oldest of what waits, or None: ("press",), ("release",), ("accept",), ("token",
        digits) or ("tell", a span or "tariff"), which answer() answers."""
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


def _object(first, second):
    """A JSON object of members, each with a comma behind it."""
    return "{%s%s}" % (first, second[:-2]) if second else "{%s}" % first[:-2]
