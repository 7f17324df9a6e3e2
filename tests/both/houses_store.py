"""A life of a meter on storage that can lose its power, and what must hold after it. Portable.

One Wh passes each second at a flat price, so money is counted on the fingers: balance = opening +
purchases - posted Wh x price.
"""

from wattledger.agent import events
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload_read
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import walk
from wattledger.tests.both.houses_meter import METER, House, credit
from wattledger.tests.both.houses_tariffs import data, local_2027

NOON = local_2027(6, 2, 12)
OPENING = 50 * 10**9
PURCHASE = 10 * 10**9
PRICE = 777777  # nano-units a Wh, until the second tariff
SETTINGS = {
    "tick_ms": 10000,
    "profile_s": 60,
    "segment_kb": 4,
    "journal_kb": 16,
    "retention_days": 1,
    "price_change_percent": 100,
}
DAMAGE = (events.SNAPSHOT_DAMAGED, events.JOURNAL_DAMAGED, events.LEDGER_MISSING)


AUDITED = 60  # ticks in which a journal of this size is summed up
BEFORE = 950  # ticks of a life before the power is cut anywhere


def work(life):
    """Purchases, intervals, a tariff of the same price that comes into force, a reboot, a segment
    that fills and one that goes: what a meter writes. True when nothing was refused."""
    life.run(13)
    whole = life.buy() and life.take(data(n=2, **{"from": NOON + 9900}))
    life.run(20)
    life.reboot()
    life.run(7)
    whole = life.buy() and whole
    life.run(60)
    return whole


class Promise:
    """What the meter had said was safe after so many operations of its storage."""

    def __init__(self, operations, house, purchases):
        state = house.agent.ledger.state
        self.operations = operations
        self.import_wh = state.import_wh
        self.sequence = house.agent.journal.durable
        self.purchases = purchases  # the highest that was acknowledged


class Life:
    """Runs a meter on `storage`; `count()` gives the operations that storage has done."""

    def __init__(self, storage, count, start=NOON, opening=50000000):
        self.house = House(start, opening, storage, **SETTINGS)
        self._count = count
        self.promises = []
        self._purchases = 0

    def begin(self, ticks):
        """Boot, make a purchase and run so long."""
        self.house.boot(data())
        self.run(1)
        self.buy()
        self.run(ticks - 1)

    def run(self, ticks):
        """Tick, and note what is safe whenever it changed."""
        for _ in range(ticks):
            self.house.run(1)
            self._note()

    def buy(self):
        """The next purchase; True when it is acknowledged, so that it is safe."""
        taken = credit(self.house, self._purchases + 1) in ("ok", "duplicate")
        self._purchases += taken
        self._note()
        return taken

    def take(self, document):
        """A tariff document that the utility sent; True when it is taken."""
        try:
            self.house.agent.accept_document(document)
        except TariffError:
            return False
        self._note()
        return True

    def reboot(self):
        """A restart without a word."""
        self.house.agent = None
        self.house.chip.brown_out()
        self.house.boot()
        self._note()

    def _note(self):
        found = Promise(self._count(), self.house, self._purchases)
        last = self.promises[-1] if self.promises else None
        if last is None or (last.sequence, last.import_wh, last.purchases) != (
            found.sequence,
            found.import_wh,
            found.purchases,
        ):
            self.promises.append(found)

    def go_on(self):
        """Boot on what another life left, with its purchase made."""
        self.house.boot()
        self._purchases = 1
        self._note()

    def promised(self, operations):
        """The last Promise made by then."""
        kept = None
        for promise in self.promises:
            if promise.operations <= operations:
                kept = promise
        return kept


def broken(storage, promise):
    """What a meter that boots from `storage` does not keep of a promise: a list of texts."""
    house = House(NOON + 7200, credit=None, storage=storage, **SETTINGS)
    house.boot()
    agent = house.agent
    booted = agent.journal.durable
    house.run(1)
    wrong = []
    if agent.ledger.fault:
        wrong.append("the ledger is %s" % agent.ledger.fault)
    for code, _ in agent.ledger.found:
        if code in DAMAGE:
            wrong.append("event %d" % code)
    if house.relay.operations:
        wrong.append("the relay moved")
    if agent.journal.durable < promise.sequence:
        wrong.append("entry %d is gone" % promise.sequence)
    if agent.ledger.state.import_wh < promise.import_wh:
        wrong.append("register at %d Wh" % agent.ledger.state.import_wh)
    balance = agent.journal.balance
    last = None
    for _, entry in walk(storage, records.first_hash(METER)):
        last = entry
    is_whole = last and last.sequence == agent.journal.durable and last.balance == balance
    if agent.ledger.fault:
        # It takes no credit, and so says of none that it has it.
        return wrong if is_whole else wrong + ["the chain ends early"]
    bought = 0
    while credit(house, bought + 1) == "duplicate":
        bought += 1
    if bought < promise.purchases:
        wrong.append("purchase %d is gone" % promise.purchases)
    posted = agent.account.start_import
    if balance != OPENING + bought * PURCHASE - posted * PRICE:
        wrong.append("balance %d with %d purchases and %d Wh" % (balance, bought, posted))
    if not is_whole:
        wrong.append(_told_by_the_audit(house, booted) or "the chain ends early")
    return wrong


def _told_by_the_audit(house, sequence):
    """What the meter has said of its journal behind an entry, once it has summed it up, a slice a
    step; "" for nothing."""
    journal = house.agent.journal
    house.run(AUDITED)
    while sequence < journal.durable:
        sequence += 1
        entry = records.decode(journal.read(sequence))
        if entry.kind == records.EVENT:
            code = payload_read.unpack_event(entry.payload)[0]
            if code in DAMAGE:
                return "event %d" % code
    return ""


def is_told(text):
    """Whether the meter itself says so of what it does not keep."""
    return text.startswith(("the ledger is", "event"))


def is_older(text):
    """Whether it is what a store of some time before has, whole and in order."""
    return text.startswith("register") or text.endswith("is gone")
