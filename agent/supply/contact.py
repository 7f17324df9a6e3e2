"""The contact check: half a second after each movement, does the relay stand where it was told?

Twice it is told again. A contact that stays closed is welded: that is reported, energy goes on
being billed, and it is told once a minute from then on. The relay's own contact says it, or
current that flows through an open one.
"""

from wattledger.agent import events
from wattledger.agent.units import ticks_between
from wattledger.hal.sample import CURRENT_MA, MAX_PHASES, PHASE_FIELDS

SETTLE_MS = 500
RETRIES = 2
LOOK_AGAIN_MS = 60000
LEAK_MA = 200  # more than this through an open relay is a closed contact


class ContactCheck:
    """`welded` while the contact is closed although the relay was told to open."""

    def __init__(self, relay, clock, meter, report):
        self._relay = relay
        self._clock = clock
        self._meter = meter
        self._report = report
        self._since = None  # ticks of the movement or of the last look
        self._closed = False  # what the relay was told
        self._tries = 0
        self._ticks = 0
        self.welded = False

    def moved(self, closed):
        """The relay was told to move: look in half a second."""
        self._since = self._clock.ticks_ms()
        self._closed = closed
        self._tries = 0
        self._ticks = self._meter.ticks

    def work(self):
        """Look when it is time. False once, when a closing was given up; True otherwise."""
        if self._since is None:
            return True
        age = ticks_between(self._since, self._clock.ticks_ms())
        if age < (LOOK_AGAIN_MS if self.welded else SETTLE_MS):
            return True
        stands = self._stands_closed()
        if stands is None and not self._closed:
            return True  # no reading since the movement: the next one tells
        if stands is None or stands == self._closed:
            self._since = None
            if self.welded:
                self.welded = False
                self._report(events.CONTACT_FREED, 0)
            return True
        self._since = self._clock.ticks_ms()
        if self.welded:
            self._tell()  # one that has come free follows now
            return True
        if self._tries < RETRIES:
            self._tries += 1
            self._tell()
            return True
        return self._give_up()

    def _stands_closed(self):
        """True closed, False open, None when nothing can tell."""
        contact = self._relay.contact()
        if contact is not None:
            return contact
        # Without a contact to read, only current tells, and only of a relay that should be open.
        if self._closed or self._meter.missed or self._meter.ticks == self._ticks:
            return None
        for phase in range(MAX_PHASES):
            if self._meter.sample[phase * PHASE_FIELDS + CURRENT_MA] > LEAK_MA:
                return True
        return False

    def _tell(self):
        self._ticks = self._meter.ticks
        try:
            if self._closed:
                self._relay.close()
            else:
                self._relay.open()
        except Exception:  # whatever a driver raises: the next look tells
            return

    def _give_up(self):
        if self._closed:
            self._since = None
            self._report(events.CONTACT_STUCK, self._tries)
            return False
        self.welded = True
        self._report(events.WELDED_CONTACT, self._tries)
        return True
