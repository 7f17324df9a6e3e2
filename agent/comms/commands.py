"""The command desk: verify, check freshness, do, answer. One message a call.

Results are words of the protocol. A command that asked for something is answered once; the
identical last one gets its stored answer.
"""

import binascii
import hashlib

from wattledger.agent import events
from wattledger.agent.errors import EnvelopeError, RefusalError
from wattledger.agent.values import is_integer

OK = "ok"
DUPLICATE = "duplicate"
SCHEDULED = "scheduled"
STALE = "stale"
BAD_SIGNATURE = "bad signature"
RANGE = "range"
RATE = "rate"
DENIED = "denied locally"
NO_SPACE = "no space"
RESULTS = (OK, SCHEDULED, DUPLICATE, STALE, BAD_SIGNATURE, RANGE, RATE, DENIED, NO_SPACE)

SEARCHING = "searching"  # never said: the command goes on in the next step

CREDIT_ADD = "credit.add"
RELAY_ARM = "relay.arm"
JOURNAL_ACK = "journal.ack"
SUPPLY_KEEP = "supply.keep"
TOKEN_ENTER = "token.enter"
DEBT_SET = "debt.set"
TAMPER_CLEAR = "tamper.clear"
# op: (code in the journal, purpose of its key, needs a challenge); the rare ones are in orders.py
OPS = {
    CREDIT_ADD: (1, "credit", False),
    RELAY_ARM: (2, "relay", True),
    JOURNAL_ACK: (3, "config", False),
    SUPPLY_KEEP: (4, "relay", True),
    TOKEN_ENTER: (5, "credit", False),
    DEBT_SET: (8, "config", True),
    TAMPER_CLEAR: (20, "config", True),
}
UNKNOWN_OP = 0
OPENING = 9  # relay.open, the one that needs the gate
PURPOSES = ("relay", "credit", "config")
GATE = "gate"  # the second signature, of another service, around a relay.open
PAYLOAD_KEYS = ("m", "op", "ch", "ctr", "a")

BAD_A_MINUTE = 10
MOST_A_MINUTE = 60  # commands with a good signature, journal.ack apart
ENTRIES = 16  # about messages that did nothing, and one more every ten minutes: who may send
ENTRY_MS = 600000  # them again, without a key, must not be able to fill the journal
SILENCE_MS = 60000
MINUTE_MS = 60000
MAX_AMOUNT_MICRO = 1000000000000000


class CommandDesk:
    """`handle(message)` returns an answer dict to sign and send, or None for silence.

    `actions` maps an op to a function of its arguments that returns (result, detail); `rare(op)`
    gives (code, purpose, needs a challenge, function) of one that it does not hold, or None.
    """

    def __init__(self, meter, keyring, challenge, link_clock, actions, report, rare=None):
        self._meter = meter
        self._keyring = keyring
        self._challenge = challenge
        self._clock = link_clock
        self._actions = actions
        self._rare = rare
        self._report = report  # called with an event code and a value
        self.root = None  # a RootDesk, on a meter with a root key
        self.refused = 0
        self.bad_signatures = 0
        self._bad_at = []  # ticks of bad signatures within the last minute
        self._silent_since = None
        self._retained_at = None
        self._minute = link_clock.ticks_ms()
        self._taken = 0  # commands since then
        self._counted = None  # the digest of the last of them
        self._room = ENTRIES
        self._room_since = self._minute
        self.writes = False  # the last answer has a place in the journal
        self._last = None
        self._last_answer = None

    def is_silent(self):
        """True while too many bad signatures have closed the topic."""
        if self._silent_since is None:
            return False
        if self._clock.elapsed_ms(self._silent_since) >= SILENCE_MS:
            self._silent_since = None
            self._bad_at = []
        return self._silent_since is not None

    def handle(self, message, retained):
        """Answer one message of the command topic. Nothing it holds can raise past here."""
        if retained:
            self.refused += 1
            self._report_retained()
            return None
        if self.is_silent():
            self.refused += 1
            return None
        self.writes = False
        digest = hashlib.sha256(message).digest()
        if digest == self._last:
            return self._last_answer
        answer = {
            "m": self._meter,
            "of": binascii.hexlify(digest[:8]).decode(),
            "op": UNKNOWN_OP,
            "digest": digest[:8],
        }
        try:
            result, detail = self._do(message, answer)
        except RefusalError as refusal:
            result, detail = refusal.result, refusal.detail
        if result not in (OK, SCHEDULED, SEARCHING):
            self.refused += 1
        answer["result"] = result
        answer["detail"] = detail
        if result != SEARCHING:
            self.writes = result in (OK, SCHEDULED) or self.may_write()
        # A repeated journal.ack is no repetition: it says that nothing new has arrived.
        if (
            result in (OK, SCHEDULED, DUPLICATE, RANGE, DENIED)
            and answer["op"] != OPS[JOURNAL_ACK][0]
        ):
            self._last, self._last_answer = digest, answer
        return answer

    def _report_retained(self):
        """Say so once a minute at most."""
        at = self._retained_at
        if (at is None or self._clock.elapsed_ms(at) >= MINUTE_MS) and self.may_write():
            self._retained_at = self._clock.ticks_ms()
            self._report(events.RETAINED_COMMAND, 0)

    def may_write(self):
        """True while there is room for one more entry about what changed nothing."""
        more = self._clock.elapsed_ms(self._room_since) // ENTRY_MS
        if more:
            self._room = min(self._room + more, ENTRIES)
            self._room_since = self._clock.ticks_ms()
        if not self._room:
            return False
        self._room -= 1
        return True

    def result_code(self, result):
        """The number of a result in the journal."""
        return RESULTS.index(result)

    def _do(self, message, answer):
        try:
            gated, purpose, payload = self._open(message)
        except EnvelopeError:
            self._count_bad()
            raise RefusalError(BAD_SIGNATURE)
        if payload is None:
            return SEARCHING, ""
        from wattledger.agent.comms.strict_json import parse  # with a command only

        try:
            command = parse(payload)
        except ValueError:
            command = None
        if command is None or command.get("op") != JOURNAL_ACK:
            self._limit(answer["digest"])
        if command is None:
            raise RefusalError(RANGE, "the payload is no command")
        if command.get("m") != self._meter:
            raise RefusalError(RANGE, "m names another meter")
        for key in command:
            if key not in PAYLOAD_KEYS:
                raise RefusalError(RANGE, "unknown key in the command")
        op = command.get("op")
        code, owner, fresh, act = self._find(op)
        answer["op"] = code
        if purpose != owner:
            raise RefusalError(DENIED, "the %s key may not %s" % (purpose, op))
        if gated != (code == OPENING):
            raise RefusalError(DENIED, "%s needs %s" % (op, "no gate" if gated else "the gate"))
        if fresh and not self._is_fresh(command):
            raise RefusalError(STALE)
        arguments = command.get("a")
        if not isinstance(arguments, dict):
            raise RefusalError(RANGE, "a must be an object")
        return act(arguments)

    def _open(self, message):
        """(signed by the gate too, purpose of the key, payload or None: not verified yet)."""
        if self.root is not None and self.root.is_root(message):
            return False, "root", self.root.open(message)
        purpose, payload = self._keyring.open(message)
        if purpose != GATE:
            return False, purpose, payload
        return (True,) + self._keyring.open(payload)

    def _find(self, op):
        """(code, purpose, needs a challenge, what does it) of an op; RefusalError for others."""
        if isinstance(op, str):
            if op in self._actions:
                return OPS[op] + (self._actions[op],)
            found = self._rare(op) if self._rare else None
            if found:
                return found
        raise RefusalError(RANGE, "unknown op")

    def _is_fresh(self, command):
        counter = command.get("ctr")
        if not is_integer(counter) or not 0 < counter < 1 << 53:
            raise RefusalError(RANGE, "ctr must be a whole number above 0")
        return self._challenge.accepts(command.get("ch"), counter)

    def _limit(self, digest):
        """RefusalError above what a utility can need; a search of many steps counts once."""
        if digest == self._counted:
            return
        if self._clock.elapsed_ms(self._minute) >= MINUTE_MS:
            self._minute = self._clock.ticks_ms()
            self._taken = 0
        self._taken += 1
        if self._taken > MOST_A_MINUTE:
            raise RefusalError(RATE, "%d commands a minute at most" % MOST_A_MINUTE)
        self._counted = digest

    def _count_bad(self):
        self.bad_signatures += 1
        self._bad_at = [at for at in self._bad_at if self._clock.elapsed_ms(at) < MINUTE_MS]
        self._bad_at.append(self._clock.ticks_ms())
        if len(self._bad_at) >= BAD_A_MINUTE:
            self._silent_since = self._clock.ticks_ms()
            if self.may_write():
                self._report(events.COMMANDS_SILENCED, len(self._bad_at))


def whole(arguments, key, low, high):
    """A whole number of a command's arguments; RefusalError names the key and the range."""
    value = arguments.get(key)
    if not is_integer(value) or not low <= value <= high:
        raise RefusalError(RANGE, "%s must be a whole number from %d to %d" % (key, low, high))
    return value
