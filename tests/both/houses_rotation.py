"""A meter whose keys can be rotated, and the utility that does it. Portable."""

import json

from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.fixtures_agent import UNIT, House
from wattledger.tests.both.fixtures_linked import Linked, body
from wattledger.tests.both.houses_storage import BreakingStorage

MINUTE = 60
ROOT_KEY = 3  # test key


class RotatingHouse(House):
    public_keys = {
        "tariff.1": es256.public(es256.TARIFF_KEY),
        "root.1": es256.public(ROOT_KEY),
    }
    gate_key = jws.GATE_SECRET


class Rotating(Linked):
    """`rotate` orders a generation; `works` says whether one is taken."""

    credit = 10

    def build(self):
        self.counter = 0
        self.up = 1
        self.n = 0
        return RotatingHouse(credit=self.credit, linked=True, storage=BreakingStorage())

    def signed(self, op, arguments, kid, key=None):
        self.counter += 1
        more = '"ch":"%s","ctr":%d,' % (self.house.agent.desk._challenge.now, self.counter)
        payload = body(op, arguments, jws.METER, more)
        if key is not None:
            return es256.sign(payload, key, kid)
        return jws.sign(payload, kid)

    def answer(self, message, rounds=6):
        """(result, detail) of the one answer, signed by the generation `up`."""
        self.house.link.take()
        self.house.link.put(message)
        self.house.talk(rounds)
        found = self.house.link.take("ack")
        self.assertEqual(len(found), 1)
        said = json.loads(jws.unsign(found[0][1], "up.%d" % self.up))
        return said["result"], said["detail"]

    def order(self, generation, hours=0, more=""):
        """A key.rotate of the root key."""
        text = '{"generation":%d,"hours":%d%s}' % (generation, hours, more)
        return self.signed("key.rotate", text, "root.1", ROOT_KEY)

    def rotate(self, generation, hours=0, more=""):
        """Rotate; the answer is to be signed by the new generation."""
        self.house.coast(MINUTE)
        message = self.order(generation, hours, more)
        self.up = generation
        return self.answer(message, 90)

    def works(self, generation):
        """Which of the five keys of a generation are taken, as a word of letters."""
        relay, config = "relay.%d" % generation, "config.%d" % generation
        self.n += 1
        text = '{"m":"%s","op":"credit.add","a":{"n":%d,"amount":%d}}'
        opening = self.signed("relay.open", '{"reason":"request"}', relay)
        gate = "gate.%d" % generation
        found = ""
        for letter, message in (
            ("c", jws.sign(text % (jws.METER, self.n, UNIT), "credit.%d" % generation)),
            ("r", self.signed("relay.arm", "{}", relay)),
            ("k", self.signed("read.config", "{}", config)),
            ("g", jws.wrap(opening, jws.key_of(gate, jws.GATE_SECRET), gate)),
        ):
            if self.answer(message)[0] != "bad signature":
                found += letter
        self.house.agent.desk._bad_at = []
        return found
