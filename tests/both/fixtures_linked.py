"""A house with a link, and commands to it as the utility sends them."""

import json
import unittest

from wattledger.agent.comms.commands import RESULTS
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import House


def body(op, arguments="{}", meter=jws.METER, more=""):
    return '{"m":"%s","op":"%s",%s"a":%s}' % (meter, op, more, arguments)


class Linked(unittest.TestCase):
    """A house with a link; `ask` sends a command and returns its signed answers."""

    def setUp(self):
        self.house = self.build()
        self.house.run(1)
        self.house.talk()
        self.greet()

    def build(self):
        return House(credit=10, linked=True)

    def greet(self):
        """Take the challenge of the newest hello."""
        hello = self.house.link.take("hello")[-1]
        self.challenge = json.loads(jws.unsign(hello[1]))["challenge"]

    def send(self, message, retained=False):
        self.house.link.put(message, retained)
        self.house.talk(6)

    def answers(self):
        return [json.loads(jws.unsign(data)) for _, data, _ in self.house.link.take("ack")]

    def ask(self, message, retained=False):
        self.house.link.take()
        self.send(message, retained)
        return self.answers()

    def result(self, message):
        found = self.ask(message)
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["m"], jws.METER)
        self.assertEqual(found[0]["of"], jws.reference(message))
        return found[0]["result"]

    def written(self):
        """(first 16 hex digits of the command, op, result word) of the durable command entries."""
        self.house.agent.keeper.now()
        found = []
        for entry in self.house.entries(records.COMMAND):
            of, op, result = readers.unpack_command(entry.payload)
            found.append(("".join(["%02x" % byte for byte in of]), op, RESULTS[result]))
        return found

    def balance(self):
        return self.house.agent.journal.balance
