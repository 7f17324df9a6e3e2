"""The two things a page server holds: the latest view, and what a person asked for."""

import json

from wattledger.hal.display import privacy

# Presses and releases waiting for the agent; it takes one or more a step, a hold is two kinds.
WAITING_MAX = 8
SPANS = ("day", "week", "month", "year")
COMPACT = (",", ":")


class Page:
    """The Page of hal/contract.py without a server: what the agent sees of any browser display.

    How the latest view is kept is page_text.py's, and on a small computer page_buffer.py's. One
    thread may call request() while another calls ask(): each is a single append or pop of a list,
    which the interpreter does not interrupt.
    """

    spans = SPANS  # of history; "long" is for computers
    kept_max = 1  # answers kept for the next browser: a microcontroller has room for one

    def __init__(self, shown=privacy.EVERYTHING):
        """`shown` names what of a view may be seen without the PIN (privacy.LEVELS)."""
        self._shown = shown
        self.version = 0  # rises with each view that differs from the one before
        self._waiting = []
        self._stamp = None
        self._answers = []  # (name, stamp, text), newest last

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        self._stamp = (view.get("recorded_until"), view.get("tariff"), view.get("pending"))
        if self.keep(view):
            self.version += 1

    def keep(self, view):
        """Keep it in whatever form; True when that is another one than the latest."""
        raise NotImplementedError

    def parts(self, everything):
        """The latest as a JSON object in parts (texts); without `everything` what is seen without
        the PIN, and `withheld`, which names the rest. A blank is behind the comma and the colon
        of its own members alone."""
        raise NotImplementedError

    def member(self, name, everything):
        """The JSON of one member; None without it, or where it is not to be seen."""
        raise NotImplementedError

    def is_seen(self, name):
        """True for a member that may be seen without the PIN."""
        return privacy.is_seen(name, self._shown)

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
        digits), ("assist", True or False) or ("tell", a span or "tariff"), which answer()
        answers."""
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


def withheld(names):
    """The member that names what is not seen, a comma behind it."""
    names = json.dumps(sorted(names), separators=COMPACT) if names else ""
    return '"withheld": %s, ' % names if names else ""
