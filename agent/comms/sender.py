"""What the meter says: hello, state, acks and the journal, a message a call.

The journal's cursor is the sequence the utility acknowledged. A PUBACK only moves the sending
position, which lives in RAM and starts again at the cursor on each connect.
"""

import binascii
import json

from wattledger.agent.comms import topics
from wattledger.agent.comms.envelope import base64url

COMPACT = (",", ":")
PART = 192
BATCH = 8
IN_FLIGHT = 4
MAX_ACKS = 8
STALE_HELLO_MS = 5000
CHANGE_MS = 1000
RESEND_MS = 15000  # the utility says nothing; twice as long each time
MOST_RESEND_MS = 900000  # a head end that is down for days must not cost a backlog each minute
REWIND_MS = 1000  # it says that it misses something, and what was on its way does not help


class Sender:
    """`work(...)` sends at most one message and says whether it did."""

    def __init__(self, config, link, keyring, journal, challenge, link_clock):
        self._topic = {}
        for leaf in (topics.STATUS, topics.HELLO, topics.STATE, topics.JOURNAL, topics.ACK):
            self._topic[leaf] = topics.topic(config.tenant, config.meter, leaf)
        self._meter = config.meter
        self.take_config(config)
        self._link = link
        self._keyring = keyring
        self._journal = journal
        self._challenge = challenge
        self._clock = link_clock
        self._session = 0
        self._messages = 0
        self._hello_due = False
        self._hello_asked = False  # due once five seconds are over since the last
        self._status_due = False
        self._last_hello = None
        self._last_state = None
        self._said = None
        self._acks = []
        self._flying = []  # (token, last sequence) of journal messages on their way
        self._next = 1
        self._again = None  # (next, last) of a range the utility reads once more
        self._stalled_since = link_clock.ticks_ms()
        self._missed_since = None  # when it first said again what we knew
        self._resend_ms = RESEND_MS
        self.acknowledged = 0

    def take_config(self, config):
        """Take what can change in the field."""
        self._state_ms = config.state_s * 1000

    def send_again(self, first, last):
        """Send the entries of a range once more, beside what is new."""
        self._again = (first, last)

    def start_at(self, acknowledged):
        """Go on after a boot: nothing up to `acknowledged` is sent again."""
        self.acknowledged = acknowledged
        self._next = acknowledged + 1

    def acknowledge(self, sequence):
        """The utility holds everything up to `sequence`.

        One that says what we knew already misses what followed, unless that is on its way: go
        back in a while.
        """
        self._resend_ms = RESEND_MS
        if sequence > self.acknowledged:
            self.acknowledged = sequence
            self._next = max(self._next, sequence + 1)
            self._stalled_since = self._clock.ticks_ms()
            self._missed_since = None
        elif self._missed_since is None:
            self._missed_since = self._clock.ticks_ms()

    def ask_hello(self):
        """Send a fresh hello soon (after a stale command, a document): once in five seconds."""
        self._hello_asked = True

    def answer(self, answer):
        """Queue the signed ack of a command; the oldest gives way when the link stays down."""
        self._acks = self._acks[1 - MAX_ACKS :] + [
            {key: answer[key] for key in ("m", "of", "result", "detail")}
        ]

    def must_answer(self):
        """True while so many answers wait that one more would push one out."""
        return len(self._acks) >= MAX_ACKS and self._link.is_up()

    def leave(self):
        """Say that the meter goes on purpose; the will says it otherwise."""
        if self._link.is_up():
            self._send(topics.STATUS, topics.OFFLINE, True)

    def work(self, hello, state, said):
        """Send one message that is due. `hello()` and `state()` build dicts; `said` is compared
        with its value at the last state: another value makes a state due early."""
        if not self._link.is_up():
            return False
        if self._link.session() != self._session:
            self._connected()
        return (
            self._send_status()
            or self._send_hello(hello)
            or self._send_ack()
            or self._send_state(state, said)
            or self._send_journal()
        )

    def is_waiting(self):
        """True while more of the journal could go as soon as the broker has taken what flies."""
        return len(self._flying) >= IN_FLIGHT and self._link.is_up()

    def _connected(self):
        self._session = self._link.session()
        self._challenge.renew()
        self._hello_due = self._status_due = True
        self._last_state = None
        self._flying = []
        self._resend_ms = RESEND_MS
        self._rewind()

    def _send(self, leaf, data, retain):
        return self._link.send(self._topic[leaf], data, retain)

    def _send_status(self):
        if self._status_due and self._send(topics.STATUS, topics.ONLINE, True):
            self._status_due = False
            return True
        return False

    def _send_hello(self, hello):
        if self._challenge.due():
            self._challenge.renew()
            self._hello_due = True
        if not (self._hello_due or self._may_answer_with_hello()):
            return False
        self._messages += 1
        content = hello()
        content["m"] = self._meter
        content["message"] = self._messages
        content["challenge"] = self._challenge.now
        content["head"] = self._head()
        if not self._send(topics.HELLO, self._keyring.sign(json.dumps(content).encode()), True):
            return False
        self._hello_due = self._hello_asked = False
        self._last_hello = self._clock.ticks_ms()
        return True

    def _may_answer_with_hello(self):
        last = self._last_hello
        return self._hello_asked and (
            last is None or self._clock.elapsed_ms(last) >= STALE_HELLO_MS
        )

    def _head(self):
        return {
            "sequence": self._journal.durable,
            "hash": binascii.hexlify(self._journal.durable_hash).decode(),
        }

    def _send_ack(self):
        if not self._acks:
            return False
        answer = self._acks[0]
        answer["head"] = self._head()
        if not self._send(topics.ACK, self._keyring.sign(json.dumps(answer).encode()), False):
            return False
        self._acks = self._acks[1:]
        return True

    def _send_state(self, state, said):
        if self._last_state is not None:
            age = self._clock.elapsed_ms(self._last_state)
            if age < CHANGE_MS or (age < self._state_ms and said == self._said):
                return False
        if not self._send(topics.STATE, _parts(state()), True):
            return False
        self._last_state = self._clock.ticks_ms()
        self._said = said
        return True

    def _send_journal(self):
        while self._flying and self._link.sent(self._flying[0][0]):
            self._flying = self._flying[1:]
        if self._must_go_back():
            self._rewind()
        if len(self._flying) >= IN_FLIGHT:
            return False
        if self._again:
            sent = self._send_entries(*self._again)
            if sent:
                first, last = self._flying[-1][1] + 1, self._again[1]
                self._again = (first, last) if first <= last else None
            if sent is not False:
                return sent  # a full link takes it later: the range was promised
            self._again = None
        if not self._send_entries(self._next, self._journal.durable):
            return False
        self._next = self._flying[-1][1] + 1
        return True

    def _send_entries(self, first, last):
        """One message of the entries from `first` on; True when it is on its way, 0 when the link
        is full, False when there is none."""
        if first > last:
            return False
        first = self._journal.present_from(first)
        previous = self._journal.hash_before(first)
        if previous is None:
            return False
        entries = []
        sequence = first
        while len(entries) < BATCH and sequence <= last:
            data = self._journal.read(sequence)
            if data is None:
                break
            entries.append(base64url(data).decode())
            sequence += 1
        if not entries:
            return False
        message = {
            "m": self._meter,
            "from": first,
            "prev": binascii.hexlify(previous).decode(),
            "e": entries,
        }
        token = self._send(topics.JOURNAL, json.dumps(message).encode(), False)
        if not token:
            return 0
        self._flying.append((token, sequence - 1))
        return True

    def _must_go_back(self):
        missed = self._missed_since
        if missed is not None:
            return self._clock.elapsed_ms(missed) >= REWIND_MS
        if self._next <= self.acknowledged + 1:
            self._stalled_since = self._clock.ticks_ms()  # nothing waits for a word
            return False
        if self._flying or self._clock.elapsed_ms(self._stalled_since) < self._resend_ms:
            return False
        self._resend_ms = min(self._resend_ms * 2, MOST_RESEND_MS)
        return True

    def _rewind(self):
        """Send again from the cursor."""
        self._next = self.acknowledged + 1
        self._stalled_since = self._clock.ticks_ms()
        self._missed_since = None


def _parts(content):
    """A dict as JSON, in parts (bytes) of at least 192 each: nowhere is it in one piece."""
    parts = []
    part = "{"
    for name in content:
        if len(part) >= PART:
            parts.append(part.encode())
            part = ""
        if parts or len(part) > 1:
            part += ","
        part += '"%s":%s' % (name, json.dumps(content[name], separators=COMPACT))
    parts.append((part + "}").encode())
    return parts
