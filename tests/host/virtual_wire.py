"""A broker and its lines in virtual time: everything arrives late, in order, and once.

`VirtualLink` is the Link of hal/contract.py. Its `one_way_ms` is the way to the broker, so a
PUBACK comes after twice that.
"""

import heapq

SEND_LIMIT = 32  # as PahoLink


class VirtualBroker:
    """`run()` after the clock was advanced delivers what is due."""

    def __init__(self, now_ms):
        self.now = now_ms  # the true time
        self._due = []
        self._order = 0
        self.links = []
        self.retained = {}

    def at(self, when_ms, function, *arguments):
        """Call at a true time of the clock."""
        self._order += 1
        heapq.heappush(self._due, (when_ms, self._order, function, arguments))

    def run(self):
        """Do all that is due by now."""
        while self._due and self._due[0][0] <= self.now():
            _, _, function, arguments = heapq.heappop(self._due)
            function(*arguments)

    def next_ms(self):
        """Milliseconds to the next thing that happens, or None."""
        return max(self._due[0][0] - self.now(), 0) if self._due else None

    def route(self, topic, data, retain):
        """A message has reached the broker."""
        if retain:
            self.retained[topic] = data
        for link in self.links:
            if topic in link.topics:
                link.deliver(topic, data, False)


class VirtualLink:
    """One client of a VirtualBroker, up from the start until `disconnect`."""

    def __init__(self, broker, one_way_ms=0):
        self._broker = broker
        self._one_way_ms = one_way_ms
        self.topics = []
        self.log = []  # (true ms of its arrival at the broker, topic, data) of what was sent
        self._inbox = []
        self._acked = set()
        self._flying = set()
        self._token = 0
        self._session = 1
        self._up = True
        broker.links.append(self)

    def subscribe(self, topic):
        if topic not in self.topics:
            self.topics.append(topic)
            if topic in self._broker.retained:
                self.deliver(topic, self._broker.retained[topic], True)

    def send(self, topic, data, retain):
        if not self._up or len(self._flying) >= SEND_LIMIT:
            return 0
        self._token += 1
        self._flying.add(self._token)
        there = self._broker.now() + self._one_way_ms
        data = b"".join(data) if isinstance(data, list) else bytes(data)
        self._broker.at(there, self._arrive, self._session, topic, data, retain)
        self._broker.at(there + self._one_way_ms, self._puback, self._session, self._token)
        return self._token

    def sent(self, token):
        return token in self._acked

    def receive(self):
        return self._inbox.pop(0) if self._up and self._inbox else None

    def is_up(self):
        return self._up

    def session(self):
        return self._session

    def disconnect(self):
        """The line is cut: what is on its way is lost, and so is what waits."""
        self._up = False
        self._session += 1
        self._inbox, self._acked, self._flying = [], set(), set()

    def connect(self):
        """A new session."""
        self._up = True
        for topic in self.topics:
            if topic in self._broker.retained:
                self.deliver(topic, self._broker.retained[topic], True)

    def deliver(self, topic, data, retained):
        """The broker sends this on."""
        when = self._broker.now() + self._one_way_ms
        self._broker.at(when, self._come, self._session, topic, data, retained)

    def _arrive(self, session, topic, data, retain):
        if session == self._session:
            self.log.append((self._broker.now(), topic, data))
            self._broker.route(topic, data, retain)

    def _puback(self, session, token):
        if session == self._session:
            self._flying.discard(token)
            self._acked.add(token)

    def _come(self, session, topic, data, retained):
        if self._up and session == self._session:
            self._inbox.append((topic, data, retained))
