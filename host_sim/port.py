"""The simulated world as a meter in the same process reaches it.

The same methods as `Bridge` in hal/bus/bridge.py, without a process between; one test holds both
against each other.
"""

from collections import deque

from wattledger.host_sim.errors import PowerLost


class LocalPort:
    """World, network (network.py), time source (times.py) and entropy around one meter.

    `offer_waits`, `message_waits`, `link_up`, `link_session`, `button`, `visitor_waits`,
    `watches_writes` and `asks` are as of the last start() or advance(); `stopping` is set by
    whoever wants the meter to end. `told` is what the meter told last, as (left, unix, state), or
    None.
    """

    def __init__(self, world, network, times, entropy):
        self._world = world
        self._network = network
        self._times = times
        self.fill = entropy.fill
        # Straight to the chip: a meter-second makes a dozen transfers.
        self.transfer = world.chip.transfer
        self.stopping = False
        self.told = None
        self._ask_ms = 0
        self._writes_left = 0
        self._arriving = 0
        self._visitors = deque()
        self._look()

    def ask_at(self, unix_ms):
        """Have the meter tell at the end of the first turn that reaches `unix_ms`."""
        self.told = None
        self._ask_ms = unix_ms

    def cut_at_write(self, number, permille=0):
        """Let the power go within the meter's `number`th write from now on (0: within none), when
        that much of its bytes has arrived."""
        self._writes_left = number
        self._arriving = permille
        self.watches_writes = number > 0

    def send_visitor(self, wish, data=b""):
        """Somebody at the meter wants something of it: a word of firmware/main_bridge.py."""
        self._visitors.append((wish, data, False))

    def _look(self):
        network = self._network
        self.offer_waits = self._times.waits(self._world.time_ms)
        self.message_waits = network.waits()
        self.link_up = network.up
        self.link_session = network.session
        self.button = self._world.button
        self.visitor_waits = bool(self._visitors)
        self.watches_writes = self._writes_left > 0
        self.asks = 0 < self._ask_ms <= self._world.time_ms

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
        if isinstance(data, list):
            data = b"".join(data)
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

    def visit(self):
        """What the next person at the meter wants, as (word, data, False), or None."""
        if self._visitors:
            return self._visitors.popleft()
        self.visitor_waits = False
        return None

    def writing(self, length):
        """A write begins; how many of its bytes arrive before the power goes, -1 when it stays."""
        self._writes_left -= 1
        if self._writes_left:
            return -1
        return min(max(length * self._arriving // 1000, 0), length)

    def lose_power(self):
        """The power goes here."""
        self.watches_writes = False
        raise PowerLost

    def tell(self, left, unix, state):
        """The meter tells: credit above the floor (nano), its time (unix s), supply bits."""
        self.asks = False
        self._ask_ms = 0
        self.told = left, unix, state
