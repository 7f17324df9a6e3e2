"""Corrections: documents that re-rate what is already in the journal, one adjustment a cycle.

A tariff may be corrected, and dynamic prices, each with numbers of its own. A document waits in a
file named by the sequence of its CORRECTION entry, is worked on in slices, and stays as a file
afterwards: a later correction of the same records has to know what they cost by then. The ADJUST
entries are the memory of what is posted; the file's new name only saves the next boot from
looking.
"""

from wattledger.agent import events
from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.debt import MAX_OWED
from wattledger.agent.billing.rerating import Rerating
from wattledger.agent.errors import TariffError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.segments import walk
from wattledger.agent.units import NANO_PER_MICRO

WAITING = "correct."  # and the sequence in ten digits
DONE = "corrected."
SIZE_BYTES = 2  # before a document of prices, which the set in force then follows
SLICE = 16  # records a step
MOST_HELD = 8
ANY_PRICE = 1 << 60  # the price was checked when the document came


class Held:
    """A correction: `start` to before `until` (unix) of the records before `sequence`."""

    def __init__(self, sequence, payload, waiting):
        self.sequence = sequence
        self.waiting = waiting
        self.n, self.digest, self.start, self.until, self.standing_day, self.id = (
            readers.unpack_correction(payload)
        )
        self.of_prices = not self.standing_day
        self.reason = payloads.ADJUST_PRICES if self.of_prices else payloads.ADJUST_CORRECTION

    def name(self):
        """Its file."""
        return "%s%010d" % (WAITING if self.waiting else DONE, self.sequence)

    def touches(self, start, end):
        """True when some of a record's time lies in the corrected time."""
        return start < self.until and max(end, start + 1) > self.start

    def holds(self, piece):
        """True when all of a record's time lies in it, and the record is older."""
        inside = self.start <= piece.start < self.until and piece.end <= self.until
        return inside and piece.sequence < self.sequence


class Corrections:
    """offer() takes a document, work() does the next slice of what waits."""

    def __init__(self, storage, account, journal, meter):
        self._storage = storage
        self._account = account
        self._journal = journal
        self._first_hash = records.first_hash(meter)
        self._held = []  # Held, oldest first
        self._run = None
        self._cycle_day = 0  # of the account's when the run began
        self._posted_at = None  # sequence whose durability ends the correction
        self._over = []  # files that have no use any more
        self._open()

    def _open(self):
        for name in sorted(self._storage.names(), key=lambda name: (name[-10:], name)):
            for prefix in (WAITING, DONE):
                if name.startswith(prefix):
                    self._take_file(name, int(name[len(prefix) :]), prefix == WAITING)

    def _take_file(self, name, sequence, waiting):
        payload = self._read(name)[0]
        if waiting and not self._is_entered(sequence, payload):
            self._storage.remove(name)  # the power went before its entry was durable
            return
        if self._held and self._held[-1].sequence == sequence:
            # The power went between the new name and the old, which sorts first.
            self._storage.remove(self._held.pop().name())
        self._held.append(Held(sequence, payload, waiting))

    def _is_entered(self, sequence, payload):
        data = self._journal.read(sequence)
        if data is None:
            return False
        entry = records.decode(data)
        return entry.kind == records.CORRECTION and entry.payload == payload

    def _read(self, name):
        """(payload of its entry, document) of a file."""
        data = bytearray(self._storage.size(name))
        self._storage.read_from(name, 0, data)
        return bytes(data[1 : 1 + data[0]]), bytes(data[1 + data[0] :])

    def is_waiting(self):
        """True while there is something to do."""
        return bool(self._over or self._held and self._held[-1].waiting)

    def has_used(self, document, of_prices=False):
        """True when a correction of its kind that is held has the id and n of this document."""
        return any(
            held.of_prices == of_prices and held.id == document.id and held.n == document.n
            for held in self._held
        )

    def offer(self, document, data, now, in_force=None):
        """Take a Tariff or PriceList that has `correct`, and its bytes; False when it was taken
        before. With one of prices come the bytes of the set `in_force`, which says the cycles.

        TariffError says why not; OSError: storage does not take it.
        """
        if not self._journal.sequence:
            raise TariffError((), "comes to a meter whose ledger is missing; open that first")
        of_prices = in_force is not None
        newest = None
        inside = False
        start, until = document.correct
        for held in self._held:
            if held.digest == document.digest:
                return False
            if held.of_prices == of_prices:
                newest = held
                inside = inside or (start <= held.start and held.until <= until)
        if newest and document.id == newest.id and document.n <= newest.n:
            message = "must be above %d, the correction the meter took last" % newest.n
            raise TariffError(("n",), message)
        if len(self._held) >= MOST_HELD and not inside:
            raise TariffError(
                ("correct",),
                "the meter holds %d corrections; send one that covers several" % MOST_HELD,
            )
        standing_day = self._account.standing_day
        if of_prices:
            standing_day = 0
            data = len(data).to_bytes(SIZE_BYTES, "little") + data + in_force
        payload = payloads.pack_correction(
            document.n, document.digest, start, until, standing_day, document.id
        )
        self._journal.flush()
        held = Held(self._journal.sequence + 1, payload, True)
        self._storage.commit(held.name(), bytes([len(payload)]) + payload + data)
        self._journal.append(records.CORRECTION, now, self._account.trust, 0, payload)
        self._held.append(held)
        self._journal.flush()
        return True

    def work(self, now, trust, import_wh, export_wh):
        """One slice; True when adjustments were posted (flush them at once).

        The registers are those of now: a debit leaves the available credit at low 2.
        """
        held = self._next()
        try:
            while self._over:
                self._storage.remove(self._over[-1])
                self._over.pop()
            if held is None or self._journal.durable < held.sequence:
                return False
            if self._posted_at is not None:
                if self._journal.durable >= self._posted_at:
                    self._finish(held)
                return False
            if self._run is None:
                self._run = self._begin(held)
            self._run.work(SLICE)
        except OSError:
            if self._posted_at is None:
                self._run = None  # storage cannot be read now: begin again
            return False
        except TariffError:
            return self._fail(held, now, trust)
        if not self._run.done:
            return False
        if self._cycle_day != self._account.cycle.day:
            self._run = None  # a cycle ended meanwhile: its minimum is to be made anew too
            return False
        if not self._run.complete:
            return self._fail(held, now, trust)
        before = self._journal.sequence
        self._post(held, now, trust, import_wh, export_wh)
        self._posted_at = self._journal.sequence
        return self._journal.sequence > before

    def _next(self):
        for held in self._held:
            if held.waiting:
                return held
        return None

    def _begin(self, held):
        earlier = [
            other
            for other in reversed(self._held)
            if other.sequence < held.sequence
            and other.start < held.until
            and held.start < other.until
        ]
        self._journal.flush()  # what the walk is to find
        self._cycle_day = self._account.cycle.day
        return Rerating(
            self._storage, self._first_hash, held, earlier, self._load, self._load_prices
        )

    def _load(self, held):
        data = self._read(held.name())[1]
        if held.of_prices:
            data = data[SIZE_BYTES + int.from_bytes(data[:SIZE_BYTES], "little") :]
        return tariffs.load(data, ANY_PRICE)

    def _load_prices(self, held):
        data = self._read(held.name())[1]
        size = int.from_bytes(data[:SIZE_BYTES], "little")
        return dynamics.load(data[SIZE_BYTES : SIZE_BYTES + size], ANY_PRICE)

    def _fail(self, held, now, trust):
        """Nothing is posted: a sum of some of the records would be wrong for ever."""
        event = payloads.pack_event(events.CORRECTION_FAILED, held.n)
        self._posted_at = self._journal.append(records.EVENT, now, trust, 0, event)
        self._run.shadowed = []
        return True

    def _post(self, held, now, trust, import_wh, export_wh):
        account = self._account
        changes = self._run.changes
        # What is given back comes first, so that less has to be diverted.
        for key in sorted(changes, key=lambda key: (changes[key].amount < 0, key)):
            change = changes[key]
            if key in self._run.posted or not change.is_any():
                continue
            running = self._is_running(key)
            if not (running or change.ended):
                change.charged = 0  # no cycle that the meter counts
            owed = account.debt.owed
            if change.amount > 0:
                # What an earlier one added to the debt is taken from there first.
                diverted = -max(min(change.amount, self._run.diverted.get(key, 0), owed), 0)
                amount = change.amount + diverted
            else:
                diverted = self._diverted(change.amount, import_wh, export_wh)
                amount = change.amount + diverted
                diverted = max(min(diverted, MAX_OWED - owed), 0)
            payload = payloads.pack_adjust(
                held.reason,
                held.n,
                key,
                change.unrated_wh,
                diverted,
                held.id,
                change.charged,
                change.minimum,
                change.lack,
            )
            account.debt.owed += diverted
            if running:
                account.cycle.energy += change.charged
            account.post(records.ADJUST, amount, payload, now, trust)

    def _is_running(self, key):
        """True when it is the cycle that runs, and the document ends it when the set in force
        does: what it changes then counts for the minimum."""
        tariff, own = self._account.tariff, self._run.tariff
        if not key or key != self._account.cycle.key() or tariff is None:
            return False
        return (tariff.cycle, tariff.cycle_start) == (own.cycle, own.cycle_start)

    def _diverted(self, amount, import_wh, export_wh):
        """What of a debit would take available credit below low 2, nano."""
        tariff = self._account.tariff
        if amount >= 0 or tariff is None:
            return 0
        available = self._account.available(import_wh, export_wh)
        # Where low 2 is 0 a micro-unit stays all the same: at 0 the supply is cut.
        room = max(available - max(tariff.low[1], 1) * NANO_PER_MICRO, 0)
        return max(-amount - room, 0)

    def _finish(self, held):
        """The adjustments are durable: the file takes its new name, and what no later correction
        can ask for goes."""
        old = held.name()
        data = bytearray(self._storage.size(old))
        self._storage.read_from(old, 0, data)
        gone = self._gone(held)
        done = Held(held.sequence, bytes(data[1 : 1 + data[0]]), False)
        self._storage.commit(done.name(), data)
        self._held = [other for other in self._held if other not in gone and other is not held]
        self._held.append(done)
        self._held.sort(key=lambda other: other.sequence)
        self._run = None
        self._posted_at = None
        self._over = [other.name() for other in gone + [held]]

    def _gone(self, newest):
        """Corrections that the newest has replaced, or whose records were all dropped."""
        oldest = None
        for _, entry in walk(self._storage, self._first_hash):
            oldest = entry.time
            break
        return [
            other
            for other in self._held
            if other.sequence < newest.sequence
            and (other in self._run.shadowed or (oldest is not None and other.until <= oldest))
        ]
