"""The ledger: journal, snapshot and tariff files as one store, and how a boot finds its way back.

Order of every write: records, then the slot that names them; money is done with its record. A
boot takes the newest slot, walks the journal, and applies what was written after the slot.
"""

from wattledger.agent import events
from wattledger.agent.billing.account import RECENT, Account
from wattledger.agent.billing.shelf import TariffShelf
from wattledger.agent.errors import AgentError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.audit import Audit
from wattledger.agent.journal.journal import Journal
from wattledger.agent.journal.segments import walk
from wattledger.agent.journal.slots import HotState, SlotPair
from wattledger.agent.supply.rules import BY_RESTORING
from wattledger.agent.supply.states import CONNECTED, LONG_CLOSINGS
from wattledger.agent.units import NANO_PER_MICRO

ALL = 1 << 32  # above every sequence
ENOSPC = 28


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
        credit_micro * NANO_PER_MICRO,
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

    def __init__(self, storage, config, tidy=None):
        self._storage = storage
        self._tidy = tidy
        self._meter = config.meter
        self._slots = SlotPair(storage)
        segment_bytes = config.segment_kb * 1024
        self.journal = Journal(storage, config.meter, segment_bytes)
        self.account = Account(self.journal)
        self.shelf = TariffShelf(
            storage,
            self.account,
            self.journal,
            config.price_limit_micro,
            config.price_change_percent,
            self.corrections,
            tidy,
        )
        self.account.dynamic = self.shelf.dynamic
        self.state = HotState()
        self.missing = True
        self.fault = None  # "missing" or "damaged": no credit is taken
        self.found = []  # (event code, value) to report once the clock is known
        self.accrued_micro = 0  # of the last friendly period that a cut followed
        self.closings = []  # powered seconds of the relay closings known at boot, oldest first
        self.moved_at = 0  # unix seconds of the last relay movement known at boot, 0 for none
        self._retained = (config.retention_days, config.journal_kb * 1024, segment_bytes)
        self._audit = None
        self._short_of_memory = False  # an earlier boot lost records
        self._last_tariff = None  # digest of the set the journal put in force last
        self._last_time = 0
        self._corrections = None  # made when there is one
        self.tokens = None  # the token desk of a meter that takes tokens
        self._has_tokens = False  # the journal says that a token memory was kept

    def open(self):
        """Find the way back after a boot. Never raises for damaged files: they become events."""
        slot = self._slots.load()
        if self._slots.damaged and slot is None:
            self.found.append((events.SNAPSHOT_DAMAGED, 0))
        self.state = slot or HotState()
        aside = self._walk()
        self._let_go()
        self.missing = self.journal.sequence == 0 and self.state.sequence == 0
        behind = self.journal.sequence < self.state.sequence
        if self.missing:
            self.fault = "missing"
        elif behind or self._short_of_memory or (aside and slot is None):
            self.fault = "damaged"
        if aside or behind:
            self.found.append((events.JOURNAL_DAMAGED, self.journal.sequence))
        self.found.extend(self.shelf.open(self._last_tariff, self.fault is not None))
        self._let_go()
        if self.tokens and not self.missing:
            first_hash = records.first_hash(self._meter)
            self.found.extend(self.tokens.open(first_hash, self._has_tokens))
        self._replay()
        if behind:
            self._resume()
        self._audit = Audit(
            self._storage, records.first_hash(self._meter), self.journal.durable, RECENT
        )
        if self.missing:
            self.found.append((events.LEDGER_MISSING, 0))
        self._find_corrections()
        return self.state

    def _let_go(self):
        """Of modules that the part before needed, where heap is short."""
        if self._tidy is not None:
            self._tidy()

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
        from wattledger.agent.billing.recall import begin_after  # at a boot only, as below

        state = self.state
        account = self.account
        self.journal.resume(state.sequence, state.hash, state.balance)
        begin_after(account, state)
        account.start = state.unix
        account.start_import = state.import_wh
        account.start_export = state.export_wh
        account.cycle.whole = False  # what it was charged so far is not known
        account.debt.waiting = None  # as is whether a share was: the slot's balance has the word

    def go_on(self, unix, trust):
        """After a boot: the checkpoint that opens the segment to come."""
        if not self.missing:
            if self.account.debt.waiting:
                from wattledger.agent.billing.recall import settle

                settle(self.account, self.state, self.journal, trust)
            self._write_checkpoint(unix, trust, self.closings, self.moved_at)

    def restart(self, unix, trust):
        """Go on as in order: the utility said what a lost memory must not take again."""
        self.missing = False
        self.fault = None
        self._write_checkpoint(unix, trust, self.closings, self.moved_at)

    def _write_checkpoint(self, unix, trust, closings, moved_at):
        # Once a segment, as its retention.
        from wattledger.agent.billing.summary import sum_up
        from wattledger.agent.journal.checkpoint import DAMAGED, HAS_TOKENS, Checkpoint

        checkpoint = Checkpoint()
        checkpoint.flags = DAMAGED if self.fault == "damaged" else 0
        if self._has_tokens or (self.tokens and self.tokens.kept):
            checkpoint.flags |= HAS_TOKENS
        checkpoint.previous = self.journal.hash
        checkpoint.closings = closings[-LONG_CLOSINGS:]
        checkpoint.moved_at = moved_at or 0
        checkpoint.meter = self._meter
        sum_up(self.account, checkpoint)
        self.journal.append(records.CHECKPOINT, unix, trust, 0, checkpoint.pack())

    def audit(self):
        """One slice of the full sum. (event code, value) when it ends badly, else None."""
        audit = self._audit
        if audit is None:
            return None
        try:
            audit.work()
        except OSError:
            return None  # storage cannot be read now: go on later
        if audit.sound is None:
            return None
        self._audit = None
        self.account.remember_older(audit.purchases)
        if audit.sound or self.fault:
            return None
        return events.JOURNAL_DAMAGED, audit.last or 0

    def last_time(self):
        """The latest time the store knows, unix seconds."""
        return max(self._last_time, self.state.unix)

    def last_powered_s(self):
        """The most powered seconds the store knows of; a lost slot must not set it back."""
        return max([self.state.powered_s] + self.closings)

    def _visit_first(self, entry):
        from wattledger.agent.journal import (
            checkpoint as checkpoints,
        )  # at a boot only, as the next
        from wattledger.agent.journal import payload_read as readers

        self._last_time = entry.time
        if entry.kind == records.TARIFF:
            self._last_tariff = readers.unpack_tariff(entry.payload)[1]
        elif entry.kind == records.CHECKPOINT:
            checkpoint = checkpoints.unpack(entry.payload)
            self._last_tariff = (
                None if checkpoint.tariff == checkpoints.NO_TARIFF else checkpoint.tariff
            )
            self._short_of_memory = bool(checkpoint.flags & checkpoints.DAMAGED)
            self._has_tokens = bool(checkpoint.flags & checkpoints.HAS_TOKENS)
            self.closings = checkpoint.closings
            self.moved_at = checkpoint.moved_at
        elif entry.kind == records.TOKEN:
            self._has_tokens = True
        elif entry.kind == records.RELAY:
            operation, _, cause, powered_s = readers.unpack_relay(entry.payload)
            self.moved_at = entry.time
            if operation == CONNECTED:
                self.accrued_micro = 0
            if operation == CONNECTED and cause != BY_RESTORING:
                self.closings = self.closings[1 - LONG_CLOSINGS :] + [powered_s]
        elif entry.kind == records.EVENT:
            code, value = readers.unpack_event(entry.payload)
            if code == events.CUT_FRIENDLY:
                self.accrued_micro = value

    def _stored(self):
        """Every good record, as far as storage lets itself be read."""
        try:
            first_hash = records.first_hash(self._meter)
            for _, entry in walk(self._storage, first_hash, self.journal.start):
                yield entry
        except OSError as error:
            self.found.append((events.STORAGE_FAILED, error.errno or 0))

    def _replay(self):
        from wattledger.agent.billing.recall import replay_all

        replay_all(self.account, self._stored(), self.state, self.tokens)

    def corrections(self):
        """The corrections of this ledger (agent/billing/correction.py)."""
        if self._corrections is None:
            # Rare, and larger than it deserves to be held for.
            from wattledger.agent.billing.correction import Corrections

            self._corrections = Corrections(self._storage, self.account, self.journal, self._meter)
        return self._corrections

    def _find_corrections(self):
        """One that a power cut stopped goes on; those that are done need not be in memory."""
        try:
            if any(name.startswith("correct.") for name in self._storage.names()):
                self.corrections()
        except OSError as error:
            self.found.append((events.STORAGE_FAILED, error.errno or 0))

    def correct(self, unix, trust, import_wh, export_wh):
        """One slice of a correction that waits; True when money was posted: store it at once."""
        waiting = self._corrections
        if waiting is None:
            return False
        posted = waiting.work(unix, trust, import_wh, export_wh)
        if not waiting.is_waiting():
            self._corrections = None
        return posted

    def estimate(self, after_s):
        """A walk that charges what could not be measured (agent/billing/estimate.py)."""
        from wattledger.agent.billing.estimate import Estimate  # after a chip's fault only

        first_hash = records.first_hash(self._meter)
        return Estimate(self._storage, first_hash, self.account, after_s)

    def turn(self, boundary, trust):
        """Put a due tariff in force at `boundary`."""
        self.shelf.turn(boundary, trust)

    def flush(self, unix):
        """Make the journal durable, dropping its oldest segment when room is short. OSError: not
        stored."""
        try:
            self._flush()
        except OSError as error:
            self._free(error, unix)
            self._flush()

    def keep(self, state, closings, moved_at):
        """Flush the journal, then commit the slot that names its head. OSError: not stored."""
        try:
            self._keep(state, closings, moved_at)
        except OSError as error:
            self._free(error, state.unix)
            self._keep(state, closings, moved_at)

    def _flush(self):
        self._settle_tokens()
        self.journal.flush()

    def _keep(self, state, closings, moved_at):
        self._flush()
        self._settle_tokens()
        if self.journal.is_full():
            self.journal.rotate()
            self._write_checkpoint(state.unix, self.account.trust, closings, moved_at)
            self._make_room(state.unix, False)
            if self._retention().expired(state.unix, state.acknowledged):
                self._audit = None
            self.journal.flush()
        state.sequence = self.journal.sequence
        state.hash = self.journal.hash
        state.balance = self.journal.balance
        state.generation = self.state.generation
        state.boots = self.state.boots
        self._slots.commit(state)
        self.state = state
        self.shelf.settle()

    def _settle_tokens(self):
        if self.tokens and not self.missing:
            self.tokens.settle(self.journal.durable)

    def _retention(self):
        from wattledger.agent.journal.retention import Retention

        return Retention(self._storage, *self._retained)

    def _free(self, error, unix):
        """Make room for what a full store did not take; raises the error of any other."""
        if error.errno != ENOSPC or not self._make_room(unix, True):
            raise error

    def _make_room(self, unix, short):
        """Drop the oldest segment when room is short; True when one went."""
        lost = self._retention().crowded(short)
        if not lost:
            return False
        self._audit = None
        self.journal.append(
            records.EVENT,
            unix,
            self.account.trust,
            0,
            payloads.pack_event(events.JOURNAL_DROPPED, lost),
        )
        return True
