"""The document desk: tariffs and prices for a group, signed once for all its meters (ES256).

Length, then signature, then parsing; and before the signature, which costs a second, whether the
document is held already. Verified in slices from step(), at most one a minute, the latest of each
topic. Only the tariff id and at least the n that the meter's signed `want` names are taken.
"""

import hashlib

from wattledger.agent import events
from wattledger.agent.comms import topics
from wattledger.agent.comms import want as wants
from wattledger.agent.comms.envelope import base64url, from_base64url
from wattledger.agent.errors import EnvelopeError, TariffError
from wattledger.agent.values import parse_object

LIMIT = 6144
VERIFY_MS = 60000
REPORT_MS = 600000
KINDS = (topics.WANT, topics.TARIFF, topics.PRICE)
SIGNERS = ("tariff", "root")
HEADERS = ('{"alg":"ES256","kid":"%s"}', '{"kid":"%s","alg":"ES256"}')
MAX_PAYLOAD = 4096
# Why a document was refused: the value of the event, for good.
TOO_LONG = 1
NOT_SIGNED = 2
NO_WANT = 3
NOT_WANTED = 4  # another id, or an n below the one that is wanted
OLD_WANT = 5
BAD_CONTENT = 6


class DocumentDesk:
    """`hear(topic, data)` what arrives, `work()` once a step. `public_keys` maps a kid
    (`tariff.1`) to its point (64 bytes)."""

    def __init__(self, agent, public_keys, storage, link, link_clock):
        self._agent = agent
        self._storage = storage
        self._link = link
        self._clock = link_clock
        self._keys = {}
        for kid, point in public_keys.items():
            if kid.split(".")[0] in SIGNERS:
                for header in HEADERS:
                    self._keys[base64url((header % kid).encode())] = point
        self._waiting = {}  # kind: the latest message of it
        self._done = {}  # kind: SHA-256 of the last message that was judged
        self._job = None  # (kind, payload, SHA-256 of the message, verification)
        self._verified_at = None
        self._reported_at = None
        self.why = None  # why the last document that was signed was refused, for the utility
        self.want = wants.load(storage, agent.config.meter)
        self._floor = wants.floor(storage)
        self._topics = {}
        self._join()

    def _join(self):
        """Listen to the topics of this meter and, once a want is held, of its group."""
        config = self._agent.config
        self._topics = {topics.topic(config.tenant, config.meter, topics.WANT): topics.WANT}
        if self.want:
            self._agent.ledger.shelf.wanted_id = self.want.id
            for kind in (topics.TARIFF, topics.PRICE):
                self._topics[topics.group_topic(config.tenant, self.want.group, kind)] = kind
        for topic in self._topics:
            self._link.subscribe(topic)

    def hear(self, topic, data):
        """Take a message (bytes) in; whatever it is, nothing here raises for it."""
        kind = self._topics.get(topic)
        if kind is None:
            return  # of a group this meter has left
        if len(data) > LIMIT:
            self._report(TOO_LONG)
        elif hashlib.sha256(data).digest() != self._done.get(kind):
            self._waiting[kind] = bytes(data)

    def work(self):
        """One slice of what waits; True when there is more to do at once."""
        if self._job is None:
            return self._begin()
        kind, payload, digest, verification = self._job
        good = verification.work()
        if good is None:
            return True
        self._job = None
        self._done[kind] = digest
        if good:
            self.why = None
            self._take(kind, payload)
            self._agent.sender.ask_hello()  # it tells what is held now, or why not
        else:
            self._report(NOT_SIGNED)
        return True

    def may_verify(self):
        """True once a minute: then the minute begins."""
        if self._rests():
            return False
        self._verified_at = self._clock.ticks_ms()
        return True

    def set_floor(self, version):
        """Take no want up to `version` again, whatever storage has lost. OSError: not kept."""
        self._storage.commit(wants.FLOOR, b"%d" % version)
        self._floor = version

    def _rests(self):
        at = self._verified_at
        return at is not None and self._clock.elapsed_ms(at) < VERIFY_MS

    def _begin(self):
        if self._rests():
            return False
        for kind in KINDS:
            if kind not in self._waiting:
                continue
            message = self._waiting.pop(kind)
            digest = hashlib.sha256(message).digest()
            try:
                self._job = self._open(kind, message, digest)
            except EnvelopeError:
                self._done[kind] = digest
                self._report(NOT_SIGNED)
            return True
        return False

    def _open(self, kind, message, digest):
        """The verification of a message; None when its content is held already."""
        first, last = message.find(b"."), message.rfind(b".")
        point = self._keys.get(message[:first]) if 0 < first < last else None
        if point is None:
            raise EnvelopeError("unknown protected header")
        payload = decoded(message[first + 1 : last])
        if self._is_held(kind, payload):
            self._done[kind] = digest
            return None
        signature = decoded(message[last + 1 :])
        # Only here: it is 3 kB of code, and is wanted once in a long while.
        from wattledger.agent.comms.p256 import Verification

        self._verified_at = self._clock.ticks_ms()
        signed = hashlib.sha256(message[:last]).digest()
        return kind, payload, digest, Verification(point, signed, signature)

    def _is_held(self, kind, payload):
        if kind == topics.WANT:
            return self.want is not None and payload == self.want.data
        return hashlib.sha256(payload).digest() in self._agent.ledger.shelf.digests()

    def _take(self, kind, payload):
        try:
            if kind == topics.WANT:
                self._take_want(payload)
            else:
                self._take_document(kind, payload)
        except (TariffError, wants.WantError) as error:
            self._refuse(BAD_CONTENT, "%s: %s" % (kind, error))
        except OSError:
            self._done.pop(kind, None)  # not judged: it is taken when it is sent again
            self.why = "%s: storage does not take it; it is taken when it is sent again" % kind

    def _take_want(self, payload):
        want = wants.Want(payload, self._agent.config.meter)
        held = self.want
        least = max(held.version if held else -1, self._floor)
        if want.version <= least:
            self._refuse(OLD_WANT, "want: v must be above %d" % least)
            return
        self._storage.commit(wants.STORE, payload)
        self.want = want
        # What was not wanted may be now. The utility sends it again on the hello that follows.
        self._done = {kind: self._done[kind] for kind in self._done if kind == topics.WANT}
        self._join()

    def _take_document(self, kind, payload):
        want = self.want
        if want is None:
            self._refuse(NO_WANT, "%s: no want has named a tariff yet" % kind)
            return
        document = parse_object(payload, MAX_PAYLOAD, TariffError)
        named = document.get("id" if kind == topics.TARIFF else "prices_of")
        if named != want.id:
            self._refuse(NOT_WANTED, "%s: is not of %s, which is wanted" % (kind, want.id))
            return
        n = document.get("n")
        if kind == topics.TARIFF and (not isinstance(n, int) or n < want.n):
            self._refuse(NOT_WANTED, "tariff: n must be at least %d, as is wanted" % want.n)
            return
        self._agent.ledger.shelf.offer(payload, self._agent.time.unix())

    def _refuse(self, reason, why):
        self.why = why
        self._report(reason)

    def _report(self, reason):
        at = self._reported_at
        # Once in ten minutes at most: a broker must not be able to fill the journal.
        if at is None or self._clock.elapsed_ms(at) >= REPORT_MS:
            self._reported_at = self._clock.ticks_ms()
            self._agent.report(events.DOCUMENT_REFUSED, reason)


def decoded(text):
    """Bytes of base64url in its one form; EnvelopeError otherwise: a lenient decoder lets flipped
    bits pass."""
    data = from_base64url(text)
    if base64url(data) != text:
        raise EnvelopeError("not base64url in its one form")
    return data
