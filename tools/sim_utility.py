"""The utility of a simulated meter: proves its journal, acknowledges it, sells and commands.

It runs in virtual time over host_sim/network.py and keeps its copy of the journal in memory. What
it asked for is sent again at each hello until the meter answers, as the protocol demands.
"""

import hashlib
import json
from typing import Any, NamedTuple

from wattledger.agent.errors import RecordError
from wattledger.agent.journal import record as records
from wattledger.host_sim.network import Network
from wattledger.tools import jws, mqtt
from wattledger.tools.errors import JwsError
from wattledger.tools.keys import MeterKeys

AGAIN_MS = 60_000
CREDIT, RELAY, CONFIG, UP = "credit.1", "relay.1", "config.1", "up.1"


class Command:
    """A command on its way: `token` as sent, `taken_ms` when the meter took it, its `results`;
    `order` is what it was signed for, when it is signed anew until the meter answers."""

    def __init__(self, kind: str, token: bytes, retained: bool = False) -> None:
        self.kind = kind
        self.token = token
        self.retained = retained
        self.of = jws.reference(token)
        self.n = 0
        self.amount = 0
        self.taken_ms: list[int] = []
        self.results: list[str] = []
        self.order: Order | None = None


class Order(NamedTuple):
    """An operation that needs the current challenge."""

    op: str
    arguments: dict[str, Any]
    kid: str


class Utility:
    """Serves one meter; `problems` are lines about what did not fit."""

    def __init__(self, keys: MeterKeys, network: Network) -> None:
        self.meter = keys.meter
        self.commands: list[Command] = []
        self.problems: list[str] = []
        self.entries: list[bytes] = []
        self.hello_session = 0
        self.hellos = 0
        self.state_ms = 0
        self._state_data = b""
        self._keys = {kid: keys.key(kid) for kid in (CREDIT, RELAY, CONFIG, UP)}
        self._uplink = {UP: self._keys[UP]}
        self._network = network
        self._cmd = mqtt.topic(self.meter, "cmd")
        self._hashes = [records.first_hash(self.meter)]
        self._heads: dict[int, str] = {}
        self._challenge = ""
        self._counter = 0
        self._n = 0
        self._entries = 0  # of tokens
        self._waiting: list[Command] = []  # credits the meter has not answered
        self._orders: list[Order] = []  # likewise
        self._sent_ms = 0
        self._ack_due = False

    # What people ask of it.

    def credit(self, amount_micro: int, now_ms: int) -> None:
        """Sell; the vend number is the next."""
        self._n += 1
        payload = {"n": self._n, "amount": amount_micro}
        command = self._sign("credit.add", payload, CREDIT)
        command.n, command.amount = self._n, amount_micro
        self._waiting.append(command)
        self._put(command, now_ms)

    def enter(self, digits: str, now_ms: int) -> None:
        """Enter a token from afar; each visit is a command of its own."""
        self._entries += 1
        fresh = {"ctr": now_ms + self._entries}
        command = self._sign("token.enter", {"token": digits}, CREDIT, fresh)
        self._waiting.append(command)
        self._put(command, now_ms)

    def arm(self, now_ms: int) -> None:
        """Let a person at the meter close the relay."""
        self._order(Order("relay.arm", {}, RELAY), now_ms)

    def keep(self, hours: int, now_ms: int) -> None:
        """Let no want of credit cut the supply for so many hours with power; 0 ends it."""
        self._order(Order("supply.keep", {"hours": hours}, RELAY), now_ms)

    def debt(self, terms: dict[str, int], now_ms: int) -> None:
        """Set a debt; `terms` are the arguments of debt.set."""
        self._order(Order("debt.set", terms, CONFIG), now_ms)

    def misbehave(self, kind: str, now_ms: int) -> None:
        """Send what a meter must refuse, or what a broken broker may deliver."""
        if kind == "retained":
            command = self._sign("credit.add", {"n": self._n + 1000, "amount": 1_000_000}, CREDIT)
            self._put(command, now_ms, retained=True)
        elif kind == "replayed":
            old = next((c for c in self.commands if c.n), None)
            command = old or self._sign("credit.add", {"n": 0, "amount": 1}, CREDIT)
            self._put(command, now_ms)
        elif kind == "forged":
            command = self._sign("credit.add", {"n": self._n + 1, "amount": 9_000_000}, CREDIT)
            forged = command.token[:-1] + (b"A" if command.token[-1:] != b"A" else b"B")
            self._put(Command(kind, forged), now_ms)
        elif kind == "out of range":
            self._put(self._sign("credit.add", {"n": 0, "amount": now_ms}, CREDIT), now_ms)
        elif kind == "wrong key":
            payload = {"n": self._n + 1, "amount": now_ms}
            self._put(self._sign("credit.add", payload, CONFIG), now_ms)
        else:
            fresh = {"ch": "00" * 8, "ctr": now_ms}
            self._put(self._sign("relay.arm", {}, RELAY, fresh), now_ms)

    # Its work.

    def serve(self, now_ms: int) -> None:
        """Take all that the meter sent and took since the last call; answer."""
        for _, data, retained in self._network.take_taken():
            self._note_taken(data, retained, now_ms)
        log, self._network.log[:] = self._network.log[:], []
        for topic, data, _ in log:
            leaf = topic.rsplit("/", 1)[-1]
            if leaf == "journal":
                self._take_journal(data)
            elif leaf == "state":
                self._state_data, self.state_ms = data, now_ms
            elif leaf in ("hello", "ack"):
                self._take_signed(leaf, data, now_ms)
        if (self._waiting or self._orders) and now_ms - self._sent_ms >= AGAIN_MS:
            self._send_again(now_ms)
        if self._ack_due and self._network.up:
            self._ack_due = False
            count = len(self.entries)
            what = {"sequence": count, "hash": self._hashes[count].hex()}
            payload = {"m": self.meter, "op": "journal.ack", "a": what}
            token = jws.sign(payload, self._keys[CONFIG], CONFIG)
            self._network.deliver(self._cmd, token)

    def last_state(self) -> dict[str, Any]:
        """The newest state message, decoded."""
        return json.loads(self._state_data) if self._state_data else {}

    def _note_taken(self, data: bytes, retained: bool, now_ms: int) -> None:
        of = hashlib.sha256(data).hexdigest()[:16]
        for command in self.commands:
            if command.of == of and command.retained == retained:
                command.taken_ms.append(now_ms)

    def _take_journal(self, data: bytes) -> None:
        self._ack_due = True
        message = json.loads(data)
        first = message["from"]
        if first > len(self.entries) + 1:
            return  # a gap: what is missing comes again from the cursor
        previous = bytes.fromhex(message["prev"])
        if previous != self._hashes[first - 1]:
            self._complain(f"entry {first} does not follow the one before it")
            return
        for sequence, text in enumerate(message["e"], first):
            block = jws.decode(text.encode())
            try:
                entry = records.decode(block)
            except RecordError as error:
                self._complain(f"entry {sequence}: {error}")
                return
            if entry.hash != records.chain(previous, block) or entry.sequence != sequence:
                self._complain(f"chain broken at entry {sequence}")
                return
            previous = entry.hash
            if sequence <= len(self.entries):
                if self._hashes[sequence] != entry.hash:
                    self._complain(f"entry {sequence} is not the one sent before")
                    return
            else:
                self.entries.append(block)
                self._hashes.append(entry.hash)
        self._check_heads()

    def _take_signed(self, leaf: str, data: bytes, now_ms: int) -> None:
        try:
            payload = jws.verify(data, self._uplink)
        except JwsError as error:
            self._complain(f"{leaf} is not signed by the meter: {error}")
            return
        self._heads[payload["head"]["sequence"]] = payload["head"]["hash"]
        self._check_heads()
        if leaf == "hello":
            self.hellos += 1
            self.hello_session = self._network.session
            self._challenge = payload["challenge"]
            self._ack_due = True
            self._send_again(now_ms)
            return
        for command in self.commands:
            if command.of == payload["of"]:
                command.results.append(payload["result"])
                self._settle(command, payload["result"])

    def _settle(self, command: Command, result: str) -> None:
        if command in self._waiting and result in ("ok", "duplicate", "range"):
            self._waiting.remove(command)
        if command.order in self._orders and result != "stale":
            self._orders.remove(command.order)

    def _check_heads(self) -> None:
        for sequence in [s for s in self._heads if s <= len(self.entries)]:
            if self._heads.pop(sequence) != self._hashes[sequence].hex():
                self._complain(f"the signed head of entry {sequence} is not the copy's")

    def _send_again(self, now_ms: int) -> None:
        for command in self._waiting:
            self._put(command, now_ms)
        for order in self._orders:
            self._send_order(order, now_ms)

    def _order(self, order: Order, now_ms: int) -> None:
        self._orders.append(order)
        self._send_order(order, now_ms)

    def _send_order(self, order: Order, now_ms: int) -> None:
        if self._challenge:
            self._counter += 1
            fresh = {"ch": self._challenge, "ctr": self._counter}
            command = self._sign(order.op, order.arguments, order.kid, fresh)
            command.order = order
            self._put(command, now_ms)

    def _sign(
        self, op: str, arguments: dict[str, Any], kid: str, fresh: dict[str, Any] | None = None
    ) -> Command:
        payload = {"m": self.meter, "op": op, **(fresh or {}), "a": arguments}
        return Command(op, jws.sign(payload, self._keys[kid], kid))

    def _put(self, command: Command, now_ms: int, retained: bool = False) -> None:
        command.retained = retained
        if command not in self.commands:
            self.commands.append(command)
        self._sent_ms = now_ms
        self._network.deliver(self._cmd, command.token, retained)

    def _complain(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
