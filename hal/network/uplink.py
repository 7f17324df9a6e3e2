"""A device's way out as one piece of work: its Wi-Fi, and what is wrong with it and with its link.

A meter that nobody reaches can still be read at its serial line.
"""


class Uplink:
    """`work()` once a turn. `log` takes a line when Wi-Fi or link comes up, and one for each
    fault, not again until it was another or over. `link` (hal/contract.py) may stay None."""

    def __init__(self, wifi, log):
        self._wifi = wifi
        self._log = log
        self._said = ["", ""]
        self.link = None

    def is_up(self):
        """True while there is an address; a link's fault is its own."""
        return self._wifi.is_up()

    def address(self):
        """The address that the network gave, "" without one."""
        return self._wifi.address()

    def work(self):
        """Wi-Fi does what is due; then what is new is said."""
        self._wifi.work()
        self._say(0, "Wi-Fi", self._wifi)
        if self.link is not None:
            self._say(1, "link", self.link)

    def _say(self, which, what, part):
        now = "up" if part.is_up() else part.fault
        if now != self._said[which]:
            self._said[which] = now
            if now:
                self._log("%s: %s" % (what, now))
