"""What a bad broker does to messages: duplicate, reorder, delay, truncate, retain, lose PUBACKs.

`Rules` are what the test asked for, of both directions; a `Messages` is one direction of one
connection. Repeated messages keep their packet id, as a broker's do, and the acknowledgements
that answer the repetitions are swallowed on their way back.
"""

from wattledger.host_sim.chaos import mqtt_packets as mqtt

UP = "up"  # towards the broker
DOWN = "down"  # towards the client


class Rule:
    """One fault of PUBLISH packets: for a share of those whose topic ends so."""

    def __init__(self, what, direction, amount, topic, share):
        self.what = what
        self.direction = direction
        self.amount = amount
        self.topic = topic.encode()
        self.share = share


class Rules:
    """The rules in force; `pubacks` holds the directions in which PUBACKs are lost."""

    def __init__(self, random):
        self.random = random
        self.rules = []
        self.pubacks = set()
        self.done = {}  # what: how often

    def add(self, *arguments):
        """A Rule of these arguments, from the next packet on."""
        self.rules.append(Rule(*arguments))

    def heal(self):
        """Forget all rules. What is held back goes out by its own time."""
        self.rules = []
        self.pubacks = set()

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    def of(self, direction, packet):
        """{what: amount} of the faults that this PUBLISH has drawn."""
        found = {}
        for rule in self.rules:
            meant = rule.direction == direction and mqtt.topic_of(packet).endswith(rule.topic)
            if meant and (rule.share >= 1 or self.random.random() < rule.share):
                found[rule.what] = rule.amount
        return found


class Messages:
    """`pass_on(packet)` calls `send(packet, delay_s)` as often as the rules say."""

    def __init__(self, rules, direction, send):
        self._rules = rules
        self._direction = direction
        self._send = send
        self._held = []  # PUBLISHes of a reordering window that is not full
        self._repeated = {}  # packet id: how many PUBACKs of the other end are too many
        self.back = None  # the Messages of the other direction

    def pass_on(self, packet):
        """One packet, in the order of its arrival."""
        kind = mqtt.kind_of(packet)
        if kind == mqtt.PUBLISH:
            self._publish(packet)
        elif kind == mqtt.PUBACK:
            self._puback(packet)
        else:
            self._send(packet, 0)

    def holds(self):
        """True while a reordering window waits for more."""
        return bool(self._held)

    def release(self):
        """Send what a reordering window holds, in another order than it came."""
        held, self._held = self._held, []
        self._rules.random.shuffle(held)
        for packet in held:
            self._send(packet, 0)

    def _publish(self, packet):
        rules = self._rules
        drawn = rules.of(self._direction, packet)
        for what in drawn:
            rules.count(what)
        if "lose" in drawn:
            return
        if "truncate" in drawn:
            packet = mqtt.truncated(packet, drawn["truncate"])
        if "retain" in drawn:
            packet = mqtt.flagged(packet, mqtt.RETAIN)
        if "reorder" in drawn:
            self._held.append(packet)
            if len(self._held) >= drawn["reorder"]:
                self.release()
            return
        self._send(packet, drawn.get("delay", 0))
        for _ in range(drawn.get("duplicate", 0)):
            number = mqtt.packet_id(packet)
            if number is not None:
                self._repeated[number] = self._repeated.get(number, 0) + 1
            self._send(mqtt.flagged(packet, mqtt.DUPLICATE), drawn.get("delay", 0))

    def _puback(self, packet):
        if self._direction in self._rules.pubacks:
            self._rules.count("puback")
            return
        surplus = self.back._repeated
        number = mqtt.packet_id(packet)
        if surplus.get(number):
            surplus[number] -= 1
        else:
            self._send(packet, 0)
