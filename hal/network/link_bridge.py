"""A link whose broker is in a simulated world (contract Link).

What is known with the time costs the world no question: whether the link is up, its session and
whether a message waits.
"""


class BridgeLink:
    """`port` is a Bridge, or another port of the same methods."""

    def __init__(self, port):
        self._port = port

    def subscribe(self, topic):
        """Nothing to do: the network of one meter brings what is meant for it."""

    def send(self, topic, data, retain):
        return self._port.send(topic, data, retain) if self._port.link_up else 0

    def sent(self, token):
        return self._port.sent(token)

    def receive(self):
        return self._port.receive() if self._port.message_waits else None

    def is_up(self):
        return self._port.link_up

    def session(self):
        return self._port.link_session
