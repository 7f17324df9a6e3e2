"""Money that the utility moves by hand: a refund of what was paid, an adjustment with its reason.

Neither causes a cut. Loaded when one comes. Each returns (result, detail).
"""

import struct

from wattledger.agent.billing.account import DEFAULT_CREDIT_MAX
from wattledger.agent.billing.credit import MAX_N, NEW, OLD
from wattledger.agent.billing.debt import MAX_OWED
from wattledger.agent.comms import commands
from wattledger.agent.comms.actions import TOO_MUCH, only
from wattledger.agent.errors import RefusalError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply import states
from wattledger.agent.units import NANO_PER_MICRO, micro_of

STORE = "adjusted"
FORMAT = "<IIB"  # n of the last adjustment, sequence of its entry, 1 once that is durable
MAX_NUMBER = 0xFFFFFFFF
MOST_REASON = 60  # characters
MOST_BYTES = 180


def credit_refund(agent, arguments):
    """n, of the vendor's one counter, and amount (micro-units) that leaves the balance."""
    only(arguments, "n", "amount")
    n = commands.whole(arguments, "n", 1, MAX_N)
    amount = commands.whole(arguments, "amount", 1, commands.MAX_AMOUNT_MICRO)
    _forbid(agent)
    account = agent.account
    found = account.purchases.check(n)
    if found == OLD:
        raise RefusalError(commands.RANGE, "n is too far below the highest seen")
    if found != NEW:
        return commands.DUPLICATE, ""
    # A supply that is on keeps low 2, so that no refund surprises; one that is open gives all.
    connected = agent.supply.state == states.CONNECTED
    room = _available(agent) - (_low(account) if connected else 0)
    if amount * NANO_PER_MICRO > room:
        most = max(micro_of(room), 0)
        raise RefusalError(commands.DENIED, "at most %d micro-units can be refunded" % most)
    unix, trust = agent.time.unix(), agent.time.trust()
    highest, seen = account.purchases.after(n)
    payload = payloads.pack_credit(n, highest, seen)
    account.post(records.REFUND, -amount * NANO_PER_MICRO, payload, unix, trust)
    account.purchases.restore(highest, seen)
    account.remember(unix, -amount, n)
    return _settle(agent, "")


def ledger_correct(agent, arguments):
    """n that rises, amount (micro-units, negative: a charge) and its reason: an adjust entry. What
    of a charge would take available credit below low 2 is owed as debt."""
    only(arguments, "n", "amount", "reason")
    most = commands.MAX_AMOUNT_MICRO
    n = commands.whole(arguments, "n", 1, MAX_NUMBER)
    amount = commands.whole(arguments, "amount", -most, most)
    reason = arguments.get("reason")
    if not is_reason(reason):
        raise RefusalError(
            commands.RANGE, "reason must be 1 to %d printable characters" % MOST_REASON
        )
    _forbid(agent)
    account, journal = agent.account, agent.journal
    try:
        last, sequence, done = _load(agent.storage)
        posted = n == last and (done or _is_posted(journal, sequence, n))
    except OSError:
        raise RefusalError(commands.NO_SPACE, "storage cannot be read; send it again later")
    if n < last:
        raise RefusalError(commands.RANGE, "n is below %d, the last one" % last)
    if posted:
        return commands.DUPLICATE, ""
    limit = account.tariff.credit_max if account.tariff else DEFAULT_CREDIT_MAX
    nano = amount * NANO_PER_MICRO
    if not amount or abs(amount) > limit or (amount > 0 and account.is_over(nano)):
        raise RefusalError(
            commands.RANGE, "the amount is 0 or over the limit, or the balance would be"
        )
    diverted = 0
    if nano < 0:
        diverted = max(-nano - max(_available(agent) - _low(account), 0), 0)
    if diverted and account.debt.owed + diverted > MAX_OWED:
        raise RefusalError(commands.RANGE, TOO_MUCH)
    # First what is to come: a boot that finds no such entry knows that it was not posted.
    if not _keep(agent.storage, n, journal.sequence + 1, 0):
        raise RefusalError(commands.NO_SPACE, "storage does not take writes")
    account.debt.owed += diverted
    payload = payloads.pack_adjust(payloads.ADJUST_ORDERED, n, 0, 0, diverted, reason)
    unix, trust = agent.time.unix(), agent.time.trust()
    sequence = account.post(records.ADJUST, nano + diverted, payload, unix, trust)
    told = "%d micro-units of it are owed as debt" % micro_of(diverted) if diverted else ""
    answer = _settle(agent, told)
    _keep(agent.storage, n, sequence, 1)
    return answer


def is_reason(text):
    """True for a reason that an entry can hold and a person can read."""
    if not isinstance(text, str) or not 0 < len(text) <= MOST_REASON:
        return False
    if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text):
        return False
    return len(text.encode()) <= MOST_BYTES


def _forbid(agent):
    if agent.ledger.fault:
        raise RefusalError(commands.DENIED, "the ledger is %s" % agent.ledger.fault)
    if agent.keeper.failed:
        raise RefusalError(commands.NO_SPACE, "storage does not take writes")


def _available(agent):
    register = agent.meter.register
    return agent.account.available(register.import_wh, register.export_wh)


def _low(account):
    """The second low level, nano: what moves no money below it never surprises anybody. A
    micro-unit where that is 0: at 0 the supply is cut."""
    return max(account.tariff.low[1], 1) * NANO_PER_MICRO if account.tariff else 0


def _settle(agent, told):
    """Store what was posted and let zones, alarms and the supply look at the new balance."""
    account = agent.account
    account.watch.arm(account.tariff, _available(agent))
    agent.control.look_again()
    if not agent.keeper.money():
        raise RefusalError(commands.NO_SPACE, "not stored yet; send it again later")
    return commands.OK, told


def _load(storage):
    buffer = bytearray(struct.calcsize(FORMAT))
    if storage.read_from(STORE, 0, buffer) < len(buffer):
        return 0, 0, 0
    return struct.unpack(FORMAT, buffer)


def _keep(storage, n, sequence, done):
    try:
        storage.commit(STORE, struct.pack(FORMAT, n, sequence, done))
    except OSError:
        return False
    return True


def _is_posted(journal, sequence, n):
    """Whether the journal has the entry that was to come. RefusalError: it cannot tell."""
    if sequence > journal.sequence:
        return False
    if sequence > journal.durable:
        return True  # posted since the boot and not stored yet
    data = journal.read(sequence)
    if not data:
        raise RefusalError(commands.DENIED, "%d may have been posted: give another n" % n)
    entry = records.decode(data)
    if entry.kind != records.ADJUST:
        return False
    return readers.unpack_adjust(entry.payload)[:2] == (payloads.ADJUST_ORDERED, n)
