"""The link of a simulated meter: it asks the world only when there is something to ask."""

import unittest

from wattledger.hal.network.link_bridge import BridgeLink


class Port:
    def __init__(self):
        self.link_up = False
        self.link_session = 0
        self.message_waits = False
        self.asked = []

    def send(self, topic, data, retain):
        self.asked.append((topic, data, retain))
        return 12

    def sent(self, token):
        self.asked.append(token)
        return token == 12

    def receive(self):
        self.asked.append("receive")
        return ("cmd", b"{}", False)


class TestBridgeLink(unittest.TestCase):
    def setUp(self):
        self.port = Port()
        self.link = BridgeLink(self.port)

    def test_a_link_that_is_down_sends_nothing(self):
        self.assertEqual(self.link.send("state", b"1", True), 0)
        self.assertEqual((self.link.is_up(), self.link.session()), (False, 0))
        self.assertEqual(self.port.asked, [])

    def test_up_it_hands_messages_over(self):
        self.port.link_up = True
        self.port.link_session = 3
        self.assertEqual((self.link.is_up(), self.link.session()), (True, 3))
        self.assertEqual(self.link.send("state", b"1", True), 12)
        self.assertEqual(self.link.sent(12), True)
        self.assertEqual(self.link.sent(11), False)
        self.assertEqual(self.port.asked, [("state", b"1", True), 12, 11])

    def test_it_asks_for_a_message_only_when_one_waits(self):
        self.link.subscribe("cmd")
        self.assertIsNone(self.link.receive())
        self.assertEqual(self.port.asked, [])
        self.port.message_waits = True
        self.assertEqual(self.link.receive(), ("cmd", b"{}", False))
        self.assertEqual(self.port.asked, ["receive"])


if __name__ == "__main__":
    unittest.main()
