"""A meter that takes every kind of message, its whole state, and quick signatures.

The signatures are of CPython's hmac, for tests that need thousands; what a command must look
like is in tests/both/fixtures_jws.py.
"""

import base64
import hmac
import json

from wattledger.agent.comms import commands, orders
from wattledger.tests.both import fixtures_es256 as es256
from wattledger.tests.both import fixtures_jws as jws
from wattledger.tests.both.houses_tokens import KEY, STS, TokenHouse

ROOT_KEY = 3  # test key
# Each op: the purpose of its key.
OWNERS = {op: row[1] for op, row in (*commands.OPS.items(), *orders.RARE.items())}
KEYS = {kid: jws.key_of(kid) for kid in ("relay.1", "credit.1", "config.1", "up.1")}
GATE = jws.key_of("gate.1", jws.GATE_SECRET)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(payload, kid, key=None):
    """A compact JWS (bytes) over a dict, text or bytes."""
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    if isinstance(payload, str):
        payload = payload.encode()
    signed = base64url(jws.header(kid).encode()) + b"." + base64url(payload)
    mac = hmac.digest(key or KEYS[kid], signed, "sha256")
    return signed + b"." + base64url(mac)


def unsign(message):
    """The object that the meter signed."""
    head, body, _ = message.split(b".")
    payload = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
    assert sign(payload, "up.1") == message
    return json.loads(payload)


class Everything(TokenHouse):
    """Gate, documents, root key and tokens; nobody but the utility sets its clock."""

    gate_key = jws.GATE_SECRET
    token_key = KEY
    public_keys = {
        "tariff.1": es256.public(es256.TARIFF_KEY),
        "root.1": es256.public(ROOT_KEY),
    }

    def __init__(self, credit=10, **more):
        super().__init__(credit=credit, linked=True, token=dict(STS), **more)
        self.counter = 0
        self.run(1)
        self.talk()
        self.link.take()
        self.go_offline()

    def challenge(self):
        return self.agent.desk._challenge.now

    def command(self, op, arguments, purpose=None, fresh=True):
        """A command as its owner signs it, with the next counter."""
        payload = {"m": jws.METER, "op": op, "a": arguments}
        if fresh:
            self.counter += 1
            payload.update(ch=self.challenge(), ctr=self.counter)
        message = sign(payload, (purpose or OWNERS[op]) + ".1")
        return sign(message, "gate.1", GATE) if op == "relay.open" else message

    def put(self, message, retained=False, leaf="cmd", group=None):
        """A message arrives."""
        place = "m/" + jws.METER if group is None else "g/" + group
        self.link.inbox.append(("wl/1/demo/%s/%s" % (place, leaf), message, retained))

    def answers(self, of=None):
        """The signed answers since the last look, of one command (bytes) or all."""
        found = [unsign(data) for _, data, _ in self.link.take("ack")]
        return [a for a in found if of is None or a["of"] == jws.reference(of)]

    def ask(self, message, retained=False):
        """The answers to one command."""
        if self.agent.desk.is_silent():
            self.pass_ms(60_000)
        self.agent.desk._taken = 0  # how many are too many in a minute is others' to test
        self.put(message, retained)
        self.talk(3)
        return self.answers(message)

    def document(self, leaf, message, group=None):
        """A document arrives and is judged to its end; a minute passes before."""
        self.coast(60)
        self.put(message, True, leaf, group)
        while self.link.inbox or self.agent.documents.work():
            self.agent.step()
        self.talk(3)

    def state(self):
        """All that a message could have changed, and time by itself does not."""
        agent = self.agent
        config = agent.config
        remote = agent.control.remote
        shelf = agent.ledger.shelf
        want = agent.documents.want
        return (
            agent.journal.balance,
            agent.account.purchases.highest,
            agent.account.purchases.seen,
            agent.account.debt.pack(),
            agent.supply.state,
            agent.supply.reasons,
            self.relay.contact(),
            agent.control.remote_opens,
            remote.opens_at if remote else None,
            sorted((key, str(value)) for key, value in vars(config).items()),
            agent.message,
            self.clock.unix_s() - self.clock.true_ms() // 1000,
            agent.time.signed,
            agent.sender.acknowledged,
            want and want.data,
            sorted(shelf.digests()),
            agent.tokens.memory.pack(),
            agent.account.tariff.id,
        )
