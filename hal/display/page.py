"""The two things a page server holds: the latest view, and what a person asked for."""

import json

# Presses and releases waiting for the agent; it takes one or more a step, a hold is two kinds.
WAITING_MAX = 8
SPANS = ("day", "week", "month", "year")


class Page:
    """The Page of hal/contract.py without a server: what the agent sees of any browser display.

    One thread may call show() and request() while another reads `text` and calls ask(): each
    is a single assignment, append or pop of a list, which the interpreter does not interrupt.
    """

    spans = SPANS  # of history; "long" is for computers
    kept_max = 1  # answers kept for the next browser: a microcontroller has room for one

    def __init__(self):
        self.text = "{}"
        self._waiting = []
        self._stamp = None
        self._answers = []  # (name, stamp, text), newest last

    def show(self, view):
        """Keep `view` (dict, agent/display/view.py) as the latest; the dict is not kept."""
        self._stamp = (view.get("recorded_until"), view.get("tariff"), view.get("pending"))
        self.text = json.dumps(view)

    def answer(self, name, text):
        """Take what ("tell", name) asked for: JSON, "" when it could not be told."""
        kept = [item for item in self._answers if item[0] != name]
        self._answers = kept[len(kept) + 1 - self.kept_max :] + [(name, self._stamp, text)]

    def history_text(self, span):
        """The history of one of `spans` as JSON, "" when it cannot be read now; None: the meter
        is asked for it, ask again soon."""
        return self._told(span)

    def tariff_text(self):
        """The tariff documents as JSON; "" and None as in history_text()."""
        return self._told("tariff")

    def _told(self, name):
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
