"""The supply relay as a state machine: disconnected, ready (armed), connected.

It decides; control.py writes the journal and moves the relay. Times are powered seconds, which
rise only while the meter runs and are kept over reboots.
"""

from wattledger.agent.supply.rules import LOAD_LIMIT, needs_person

DISCONNECTED = 0
READY = 1
CONNECTED = 2
NAMES = ("disconnected", "ready", "connected")

MIN_OFF_S = 60
SHORT_WINDOW_S = 600
SHORT_CLOSINGS = 4
LONG_WINDOW_S = 86400
LONG_CLOSINGS = 10


class Supply:
    """`state` and the set of open `reasons`. Limits delay closing only, never opening."""

    def __init__(self):
        self.state = READY
        self.reasons = 0
        self.since = 0  # every reason there was since the opening
        self.load_tries = 0  # openings for the load limit without a person between
        self.last_move_s = None  # powered seconds; None when it never moved
        self.moved_at = None  # unix time of the last movement
        self.closings = []  # powered seconds of the last closings, oldest first

    def restore(self, state, reasons, last_move_s, since=0, load_tries=0):
        """Go on from the last durable state. Nothing moves."""
        self.state = state
        self.reasons = reasons
        self.last_move_s = last_move_s
        self.since = since | reasons
        self.load_tries = load_tries

    def hold_open(self, reason, holds):
        """Add or clear one open reason; True when the set changed."""
        before = self.reasons
        self.reasons = before | reason if holds else before & ~reason
        self.since |= self.reasons
        return self.reasons != before

    def must_open(self):
        """True when the relay has to be opened now."""
        return self.state == CONNECTED and self.reasons != 0

    def settle(self):
        """Arm or disarm without moving anything; True when the state changed."""
        before = self.state
        if before == READY and self.reasons:
            self.state = DISCONNECTED
        elif before == DISCONNECTED and not self.reasons:
            self.state = READY
        return self.state != before

    def may_close_itself(self, auto_close, tries):
        """True when no person is needed: an armed supply that only the meter's own limits had
        opened, or any with `auto_close`; after more than `tries` overloads never."""
        if self.state != READY or not self.since or self.load_tries > tries:
            return False
        return auto_close or not needs_person(self.since)

    def opened(self, powered_s):
        """The relay was told to open."""
        self.state = DISCONNECTED if self.reasons else READY
        self.since = self.reasons
        if self.reasons & LOAD_LIMIT:
            self.load_tries = min(self.load_tries + 1, 255)
        self.last_move_s = powered_s

    def closed(self, powered_s, by_person=True):
        """The relay was told to close. A person's closing begins the overloads anew."""
        self.state = CONNECTED
        self.since = 0
        if by_person:
            self.load_tries = 0
        self.remember_closing(powered_s)
        self.last_move_s = powered_s

    def forget_closing(self):
        """The last closing was not done after all."""
        self.closings = self.closings[:-1]

    def remember_closing(self, powered_s):
        """Count a closing."""
        self.closings = self.closings[1 - LONG_CLOSINGS :] + [powered_s]

    def wait_s(self, powered_s):
        """Seconds until a closing is allowed: minimum off time, 4 in 10 minutes, 10 in a day."""
        wait = 0
        if self.last_move_s is not None:
            wait = self.last_move_s + MIN_OFF_S - powered_s
        for window, most in ((SHORT_WINDOW_S, SHORT_CLOSINGS), (LONG_WINDOW_S, LONG_CLOSINGS)):
            if len(self.closings) >= most:
                wait = max(wait, self.closings[-most] + window - powered_s)
        return max(wait, 0)
