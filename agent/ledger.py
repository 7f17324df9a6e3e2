"""The ledger: journal, snapshot and tariff files as one store, and how a boot finds its way back.

Order of every write: records, then the slot that names them. A boot takes the newest slot, walks
the journal, and applies what was written after the slot.
"""

from wattledger.agent import events
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.errors import AgentError, TariffError
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.checkpoint import NO_TARIFF, Checkpoint
from wattledger.agent.journal.journal import Journal, walk
from wattledger.agent.journal.slots import HotState, SlotPair
from wattledger.agent.supply.states import CONNECTED, LONG_CLOSINGS

ACTIVE = "tariff.active"
NEXT = "tariff.next"
ALL = 1 << 32  # above every sequence


def commission(storage, meter, unix, trust, credit_micro, supply, used_wh=0):
    """Open a new meter's ledger: opening entry and first slot. AgentError when it has one."""
    journal = Journal(storage, meter)
    journal.open(lambda entry: None)
    if journal.sequence:
        raise AgentError("this meter has a ledger already; it is never opened twice")
    journal.append(
        records.OPENING,
        unix,
        trust,
        credit_micro * 1000,
        payloads.pack_opening(meter, 0, 0, used_wh),
    )
    journal.flush()
    state = HotState()
    state.unix = state.start = unix
    state.trust = trust
    state.supply = supply
    state.used_wh = used_wh
    state.sequence, state.hash, state.balance = journal.sequence, journal.hash, journal.balance
    SlotPair(storage).commit(state)


class Ledger:
    """`account`, `journal` and the last durable `state`; `missing` without an opening entry."""

    def __init__(self, storage, config):
        self._storage = storage
        self._meter = config.meter
        self._price_limit = config.price_limit_micro
        self._slots = SlotPair(storage)
        self.journal = Journal(storage, config.meter)
        self.account = Account(self.journal)
        self.state = HotState()
        self.missing = True
        self.fault = None  # "missing" or "damaged": no credit is taken
        self.found = []  # (event code, value) to report once the clock is known
        self.gaps = 0  # checkpoints after lost records: the memory of purchases may be short
        self.movements = []  # (unix, powered seconds, operation) of the past
        self._last_tariff = None  # digest of the set the journal put in force last
        self._last_time = 0
        self._unmoved = False  # the set in force still lies in NEXT

    def open(self):
        """Find the way back after a boot. Never raises for damaged files: they become events."""
        slot = self._slots.load()
        if self._slots.damaged and slot is None:
            self.found.append((events.SNAPSHOT_DAMAGED, 0))
        self.state = slot or HotState()
        aside = self._walk()
        self.missing = self.journal.sequence == 0 and self.state.sequence == 0
        behind = self.journal.sequence < self.state.sequence
        if self.missing:
            self.fault = "missing"
        elif behind or self.gaps or (aside and slot is None):
            self.fault = "damaged"
        if aside or behind:
            self.found.append((events.JOURNAL_DAMAGED, self.journal.sequence))
        self._load_tariffs()
        self._replay()
        if behind:
            self._resume()
        if self.missing:
            self.found.append((events.LEDGER_MISSING, 0))
        self.account.watch.alarms = self.state.alarms
        return self.state

    def _walk(self):
        try:
            known = self.state.sequence if self.state.generation else ALL
            return self.journal.open(self._visit_first, known)
        except OSError as error:  # setting damaged segments aside failed
            self.found.append((events.STORAGE_FAILED, error.errno or 0))
            return 1

    def _resume(self):
        """Records the slot names are gone: go on from the slot, and take no credit, for the memory
        of purchases went with them."""
        state = self.state
        account = self.account
        self.journal.resume(state.sequence, state.hash, state.balance)
        account.start = state.unix
        account.start_import = state.import_wh
        account.start_export = state.export_wh
        account.used_wh = state.used_wh
        account.cycle_day = state.cycle_day
        account.standing_day = state.standing_day

    def closings(self):
        """Powered seconds of the relay closings the journal knows, oldest first."""
        return [at for _, at, operation in self.movements if operation == CONNECTED]

    def go_on(self, unix, trust):
        """After a boot that lost records: a checkpoint, so that what follows can be walked."""
        if self.fault != "damaged":
            return
        checkpoint = Checkpoint()
        checkpoint.previous = self.journal.hash
        checkpoint.closings = self.closings()[-LONG_CLOSINGS:]
        self.account.sum_up(checkpoint)
        self.journal.append(records.CHECKPOINT, unix, trust, 0, checkpoint.pack())

    def last_time(self):
        """The latest time the store knows, unix seconds."""
        return max(self._last_time, self.state.unix)

    def last_powered_s(self):
        """The most powered seconds the store knows of; a lost slot must not set it back."""
        return max([self.state.powered_s] + [powered_s for _, powered_s, _ in self.movements])

    def _visit_first(self, entry):
        self._last_time = entry.time
        if entry.kind == records.TARIFF:
            self._last_tariff = payloads.unpack_tariff(entry.payload)[1]
        elif entry.kind == records.CHECKPOINT:
            checkpoint = checkpoints.unpack(entry.payload)
            self._last_tariff = None if checkpoint.tariff == NO_TARIFF else checkpoint.tariff
            self.movements = [(entry.time, at, CONNECTED) for at in checkpoint.closings]
            self.gaps += 1
        elif entry.kind == records.RELAY:
            operation, _, _, powered_s = payloads.unpack_relay(entry.payload)
            self.movements.append((entry.time, powered_s, operation))

    def _load_tariffs(self):
        """The set in force is the one the journal names last, whichever file holds it."""
        active = self._load(ACTIVE)
        following = self._load(NEXT)
        if following and following.digest == self._last_tariff:
            # The power went between the entry and the files: finish the change.
            active, following = following, None
            self._unmoved = True
        # A damaged journal may have lost the entry; the file is written only after it.
        if active and active.digest != self._last_tariff and self.fault is None:
            self.found.append((events.TARIFF_REFUSED, active.n))
            active = None
        if active:
            self.account.adopt(active)
        self.account.pending = following

    def _load(self, name):
        try:
            data = self._read(name)
            return tariffs.load(data, self._price_limit) if data else None
        except (TariffError, OSError):
            self.found.append((events.TARIFF_REFUSED, 0))
            return None

    def _read(self, name):
        size = self._storage.size(name)
        buffer = bytearray(size)
        return bytes(buffer[: self._storage.read_from(name, 0, buffer)]) if size else b""

    def _stored(self):
        """Every good record, as far as storage lets itself be read."""
        try:
            for _, entry in walk(self._storage, records.first_hash(self._meter)):
                yield entry
        except OSError as error:
            self.found.append((events.STORAGE_FAILED, error.errno or 0))

    def _replay(self):
        state = self.state
        account = self.account

        for entry in self._stored():
            account.replay(entry)
            if entry.sequence == state.sequence:
                account.used_wh = state.used_wh
                account.cycle_day = state.cycle_day
                account.standing_day = max(account.standing_day, state.standing_day)
                # A clock set back opens an interval earlier than the last one ended.
                account.start = state.start

    def _move_tariff(self):
        """The set in force leaves NEXT for ACTIVE once the journal names it."""
        if self._unmoved:
            self._storage.commit(ACTIVE, self._read(NEXT))
            self._storage.remove(NEXT)
            self._unmoved = False

    def offer_tariff(self, data):
        """Take a tariff document (bytes) as the next set; TariffError says why not.

        The set that is held already is silent. It comes into force at the first 15-minute boundary
        at or after its `from`.
        """
        tariff = tariffs.load(data, self._price_limit)
        for held in (self.account.tariff, self.account.pending):
            if held is None:
                continue
            if tariff.digest == held.digest:
                return held
            if tariff.id != held.id:
                raise TariffError(("id",), "is %s, the meter has %s" % (tariff.id, held.id))
            if tariff.n <= held.n and held is self.account.tariff or tariff.n < held.n:
                raise TariffError(("n",), "must be above %d, which the meter holds" % held.n)
            if tariff.n == held.n:
                raise TariffError(("n",), "%d is held already with other content" % held.n)
        self.journal.flush()  # the entry of the set in force comes before its file is moved
        self._move_tariff()
        self._storage.commit(NEXT, data)
        self.account.pending = tariff
        return tariff

    def turn(self, boundary, trust):
        """Put a due tariff in force at `boundary`. Its file is moved once the entry is durable."""
        if self.account.switch(boundary, trust):
            self._unmoved = True

    def keep(self, state):
        """Flush the journal, then commit the slot that names its head. OSError: not stored."""
        self.journal.flush()
        state.sequence = self.journal.sequence
        state.hash = self.journal.hash
        state.balance = self.journal.balance
        state.generation = self.state.generation
        state.boots = self.state.boots
        self._slots.commit(state)
        self.state = state
        self._move_tariff()
