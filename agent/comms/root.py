"""Commands that only the root key signs (ES256): what a lost or damaged ledger begins anew with.

They come on the command topic with a challenge like any other, and are verified in slices.
"""

import hashlib

from wattledger.agent.billing.credit import MAX_N, WINDOW
from wattledger.agent.comms import commands
from wattledger.agent.comms.documents import HEADERS, decoded
from wattledger.agent.comms.envelope import COMMAND_LIMIT, base64url
from wattledger.agent.errors import EnvelopeError, RefusalError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO

ROOT = "root"
MAX_VERSION = 0xFFFFFFFF
ALL_SEEN = (1 << WINDOW) - 1
FLOORS = ("credit", "want", "balance")


class RootDesk:
    """`is_root(message)`, then `open(message)` once a step until it answers."""

    def __init__(self, public_keys, documents):
        self._documents = documents
        self._keys = {}
        for kid, point in public_keys.items():
            if kid.split(".")[0] == ROOT:
                for header in HEADERS:
                    self._keys[base64url((header % kid).encode())] = point
        self._job = None  # (SHA-256 of the message, payload, verification)

    def is_root(self, message):
        """True for a message whose header names a root key."""
        return bytes(message[: max(message.find(b"."), 0)]) in self._keys

    def open(self, message):
        """The payload (bytes), None while it is verified; EnvelopeError when it is not signed."""
        message = bytes(message)
        if len(message) > COMMAND_LIMIT:
            raise EnvelopeError("longer than %d bytes" % COMMAND_LIMIT)
        digest = hashlib.sha256(message).digest()
        if self._job is None or self._job[0] != digest:
            self._job = (digest,) + self._begin(message)
        good = self._job[2].work()
        if good is None:
            return None
        payload, self._job = self._job[1], None
        if not good:
            raise EnvelopeError("wrong signature")
        return payload

    def _begin(self, message):
        first, last = message.find(b"."), message.rfind(b".")
        if last == first:
            raise EnvelopeError("not a compact JWS")
        payload, signature = decoded(message[first + 1 : last]), decoded(message[last + 1 :])
        if not self._documents.may_verify():
            raise RefusalError(commands.RATE, "one verification a minute")
        from wattledger.agent.comms.p256 import Verification

        signed = hashlib.sha256(message[:last]).digest()
        return payload, Verification(self._keys[message[:first]], signed, signature)


def ledger_open(agent, arguments):
    """credit: the highest purchase number used; want: the highest version of a want used; balance
    (micro-units) of a ledger that is missing. Nothing up to them is taken again."""
    return begin_anew(agent, floors(agent, arguments))


def floors(agent, arguments):
    """(credit, want, balance or None) of a ledger that is to begin anew; RefusalError."""
    for key in arguments:
        if key not in FLOORS:
            raise RefusalError(commands.RANGE, "a has an unknown key")
    ledger = agent.ledger
    most = commands.MAX_AMOUNT_MICRO
    credit = commands.whole(arguments, "credit", 0, MAX_N)
    version = commands.whole(arguments, "want", 0, MAX_VERSION)
    balance = None
    if not ledger.fault:
        raise RefusalError(commands.DENIED, "the ledger is in order")
    if agent.tokens and agent.tokens.lost:
        raise RefusalError(commands.DENIED, "the token memory is lost: the meter is exchanged")
    if ledger.missing:
        balance = commands.whole(arguments, "balance", -most, most)
    elif "balance" in arguments:
        raise RefusalError(commands.RANGE, "balance is for a ledger that is missing")
    return credit, version, balance


def begin_anew(agent, found):
    """Open the ledger above the `floors`; (result, detail)."""
    credit, version, balance = found
    ledger = agent.ledger
    if agent.documents:
        agent.documents.set_floor(version)
    account, register = agent.account, agent.meter.register
    unix, trust = agent.time.unix(), agent.time.trust()
    if ledger.missing:
        payload = payloads.pack_opening(
            agent.config.meter, register.import_wh, register.export_wh, 0
        )
        agent.journal.append(records.OPENING, unix, trust, balance * NANO_PER_MICRO, payload)
        account.begin(unix, register.import_wh, register.export_wh, trust)
    account.purchases.restore(max(account.purchases.highest, credit), ALL_SEEN)
    ledger.restart(unix, trust)
    agent.control.look_again()
    if not agent.keeper.now():
        raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
    return commands.OK, "purchases go on after %d" % account.purchases.highest
