"""The simulated world as a meter in the same process reaches it.

The same methods as `Bridge` in hal/bus/bridge.py, without a process between; one test holds both
against each other.
"""


class LocalPort:
    """World, network (network.py), time source (times.py) and entropy around one meter.

    `offer_waits`, `message_waits`, `link_up`, `link_session` and `button` are as of the last
    start() or advance(); `stopping` is set by whoever wants the meter to end.
    """

    def __init__(self, world, network, times, entropy):
        self._world = world
        self._network = network
        self._times = times
        self.fill = entropy.fill
        # Straight to the chip: a meter-second makes a dozen transfers.
        self.transfer = world.chip.transfer
        self.stopping = False
        self._look()

    def _look(self):
        network = self._network
        self.offer_waits = self._times.waits(self._world.time_ms)
        self.message_waits = network.waits()
        self.link_up = network.up
        self.link_session = network.session
        self.button = self._world.button

    def time_ms(self):
        """The world's time, unix ms."""
        return self._world.time_ms

    def start(self):
        """A meter has booted: its session is a new one, and it asks for the time. Unix ms."""
        self.stopping = False
        self._times.ask()
        if self._network.up:
            self._network.connect()
        self._look()
        return self._world.time_ms

    def advance(self, ms, midway=False):
        """Let `ms` milliseconds pass; the time in unix ms afterwards."""
        self._world.advance(ms)
        self._look()
        return self._world.time_ms

    def truth(self):
        """(import, export) energy since the world began, mWs."""
        return self._world.import_mws, self._world.export_mws

    def move(self, closed):
        """Move the relay."""
        if closed:
            self._world.relay.close()
        else:
            self._world.relay.open()

    def contact(self):
        """True closed, False open, None unknown."""
        return self._world.relay.contact()

    def take_offer(self):
        """The time a source offers, unix s; 0 when there is none."""
        self.offer_waits = False
        return max(self._times.offer(self._world.time_ms) or 0, 0)

    def send(self, topic, data, retain):
        """Hand a message to the network; a token > 0, or 0 when it did not take it."""
        return self._network.from_meter(topic, data, retain)

    def sent(self, token):
        """True once the broker has acknowledged the message."""
        return self._network.sent(token)

    def receive(self):
        """The next message for the meter as (topic, data, retain), or None."""
        message = self._network.to_meter()
        if message is None:
            self.message_waits = False
        return message
