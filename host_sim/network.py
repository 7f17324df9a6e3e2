"""The network between one meter and its utility: what waits in it, and what a broker loses."""

QUEUE = 64  # messages for the meter; a clean session keeps no more than its window


class Network:
    """A broker link for one meter. Down, with session 0, until `connect` is called.

    `log` has every message the meter sent, oldest first, as (topic str, data bytes, retain bool);
    whoever reads it may empty it. `sent_count` and `lost_count` count messages of the meter that
    arrived and messages for the meter that were lost.
    """

    def __init__(self):
        self.up = False
        self.session = 0
        self.log = []
        self.sent_count = 0
        self.lost_count = 0
        self._waiting = []
        self._taken = []
        self._token = 0
        self._oldest_token = 1  # of this session; older ones are forgotten

    def connect(self):
        """Bring the link up in a new session; nothing of an old one is left."""
        self._forget()
        self.up = True
        self.session += 1

    def disconnect(self):
        """Take the link down. What waited for the meter is lost, as with a clean session."""
        self._forget()
        self.up = False

    def deliver(self, topic, data, retain=False):
        """A message for the meter; lost while the link is down or the queue is full."""
        if not self.up or len(self._waiting) >= QUEUE:
            self.lost_count += 1
            return
        self._waiting.append((topic, bytes(data), bool(retain)))

    def waits(self):
        """True while a message for the meter waits."""
        return bool(self._waiting)

    def to_meter(self):
        """The next message for the meter as (topic, data, retain), or None."""
        if not self._waiting:
            return None
        self._taken.append(self._waiting[0])
        return self._waiting.pop(0)

    def take_taken(self):
        """What the meter took since the last call, oldest first."""
        taken, self._taken = self._taken, []
        return taken

    def from_meter(self, topic, data, retain):
        """Take a message of the meter; a token > 0, or 0 while the link is down."""
        if not self.up:
            return 0
        self._token += 1
        self.sent_count += 1
        self.log.append((topic, bytes(data), bool(retain)))
        return self._token

    def sent(self, token):
        """True once the broker has acknowledged this message of the present session."""
        return self.up and self._oldest_token <= token <= self._token

    def _forget(self):
        self.lost_count += len(self._waiting)
        self._waiting.clear()
        self._oldest_token = self._token + 1
