"""The token desk: one place for tokens from the keypad, the page and MQTT, and one memory.

A token's money and its identifier are one journal entry, durable before anybody is told. The cold
state follows; a boot applies the entries after it. A new key is staged in the cold state and takes
force with its one entry, which does not hold it.
"""

from wattledger.agent import events
from wattledger.agent.comms import commands
from wattledger.agent.errors import RefusalError
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.cold import ColdPair
from wattledger.agent.journal.segments import segments, walk
from wattledger.agent.tokens import attempts, results
from wattledger.agent.tokens.memory import FREE_TRIES, UNLOCKED, TokenMemory, Tries
from wattledger.agent.tokens.results import TokenError
from wattledger.agent.tokens.settings import STS

MOST_DIGITS = 20
MOST_WRONG = 8
NOT_STORED = "not stored yet; enter it again later"


class TokenDesk:
    """Wired to the agent, as Actions is. `key` is what the meter was made with; a cold state has
    the last word."""

    def __init__(self, agent, storage, settings, key, phases):
        self.agent = agent
        self._storage = storage
        self._cold = ColdPair(storage)
        self.settings = settings
        self.phases = phases
        self.memory = TokenMemory(settings, key)
        self.covered = 0  # the last token entry the memory holds
        self.due = True  # the memory has what the cold state on storage has not
        self.kept = False  # there is a cold state on storage
        self.lost = False
        # Signed ones have a lock-out of their own, in RAM: who has recorded one may send it again,
        # without a key, and must not be able to close the keypad.
        self._signed = Tries()
        self._wrong = []  # the last signed ones that counted, which count once
        self.attempts = attempts.Attempts(storage)
        self.clears_tamper = False  # an entry said so, and it is not done yet
        # Only the scheme this meter has is ever loaded.
        if settings.scheme == STS:
            from wattledger.agent.tokens.sts_desk import StsDesk as Scheme
        else:
            from wattledger.agent.tokens.paygo_desk import PaygoDesk as Scheme
        self._scheme = Scheme(self)

    # --- what a boot does ---

    def open(self, first_hash, expected):
        """Take the cold state; replay() brings what came after it. `expected`: the journal says
        that there is one. Events to report."""
        found = self._cold.load()
        if found is not None and self.memory.restore(found[1]):
            self.covered = found[0]
            self.due = False
            self.kept = True
            if self._cold.damaged:
                self._catch_up(first_hash)
        else:
            self.lost = expected
            self.keep()  # before the first checkpoint that says there is one
        return [(events.TOKEN_MEMORY_LOST, 0)] if self.lost else []

    def _catch_up(self, first_hash):
        """The newest of the pair is gone: the other may lack more than the last segment holds."""
        self.due = True
        present = segments(self._storage)
        self.lost = bool(present) and present[0] > self.covered + 1
        for _, entry in walk(self._storage, first_hash):
            self.replay(entry)

    def replay(self, entry):
        """Take a stored entry, in order, after a boot."""
        if entry.kind != records.TOKEN or entry.sequence <= self.covered:
            return
        _, kind, id, value, until = readers.unpack_token(entry.payload)
        self._scheme.remember(kind, id, value, until)
        self.covered = entry.sequence
        self.due = True

    def settle(self, durable):
        """Commit the cold state when it lacks a durable entry; `durable` is the journal's last.

        Comes before any checkpoint is flushed, for a boot looks for entries after one only.
        OSError: not stored.
        """
        if self.due and self.covered <= durable and not self.lost:
            self._cold.commit(durable, self.memory.pack())
            self.due = False
            self.kept = True

    # --- what people and the utility do ---

    def enter(self, digits, source=attempts.KEYPAD):
        """(result number, detail) of a token, or None: ask again with the same digits, a search
        goes on."""
        account = self.agent.account
        known, covered = account.recent, self.covered
        said = self._enter(digits, source)
        if said is not None and said[0] != results.LOCKED:  # a locked meter did not look at it
            amount = account.recent[0][1] if account.recent is not known else 0
            lasting = source == attempts.KEYPAD or self.covered != covered
            self.attempts.note(self.agent.time.unix(), digits, said[0], source, amount, lasting)
        return said

    def _enter(self, digits, source):
        try:
            self._admit(digits, self.memory if source == attempts.KEYPAD else self._signed)
            taken = self._scheme.take(digits)
        except TokenError as error:
            self._scheme.stop()  # nobody comes back for a search that was answered
            if error.result in results.COUNTED:
                self._count_failure(digits, source)
            return error.result, error.detail
        return taken

    def order(self, arguments):
        """The command token.enter (token: its digits), as Actions answers commands."""
        digits = arguments.get("token")
        if not isinstance(digits, str) or len(digits) > MOST_DIGITS:
            raise RefusalError(commands.RANGE, "token must be a text of at most 20 digits")
        covered = self.covered
        said = self.enter(digits, attempts.REMOTE)
        if said is None:
            return commands.SEARCHING, ""
        result, detail = said
        words = results.NAMES[result] + (": " + detail if detail else "")
        if result in (results.ACCEPT, results.FIRST_SECTION, results.SECOND_SECTION):
            # A test or a section can be taken again and again.
            if self.covered == covered and not self.agent.desk.may_write():
                return commands.RATE, words
            return commands.OK, words
        if result == results.USED:
            return commands.DUPLICATE, words
        if result == results.LOCKED:
            return commands.RATE, words
        return commands.DENIED if result == results.NOT_READY else commands.RANGE, words

    def locked_s(self):
        """Seconds for which no token that is typed is looked at."""
        return self.memory.locked_s(self.agent.time.powered_s)

    def is_closed(self):
        """True while no token at all can be taken: none was kept, or there is no key to tell."""
        return self.lost or len(self.memory.key) != self.settings.key_bytes()

    def time_left_s(self):
        """Seconds of OpenPAYGO time left; None where time does not run out, or nobody knows."""
        settings, memory = self.settings, self.memory
        if settings.scheme == STS or settings.paygo_unit or memory.flags & UNLOCKED:
            return None
        if self.is_closed():
            return None
        return max(memory.until - self.agent.time.powered_s, 0)

    def _admit(self, digits, tries):
        agent = self.agent
        for holds, why in (
            (self.lost, "the token memory is lost"),
            (agent.ledger.fault, "the ledger is %s" % agent.ledger.fault),
            (agent.keeper.failed, "storage does not take writes"),
            (len(self.memory.key) != self.settings.key_bytes(), "the meter has no decoder key"),
        ):
            if holds:
                raise TokenError(results.NOT_READY, why)
        wait = tries.locked_s(agent.time.powered_s)
        if wait and not self._scheme.is_free(digits):
            raise TokenError(results.LOCKED, "wait %d s" % wait)

    def _count_failure(self, digits, source):
        memory = self.memory
        if source != attempts.KEYPAD:
            if digits not in self._wrong:
                self._wrong = [digits] + self._wrong[: MOST_WRONG - 1]
                self._signed.count_failure(self.agent.time.powered_s)
            return
        memory.count_failure(self.agent.time.powered_s)
        if memory.failures >= FREE_TRIES:
            self.agent.report(events.TOKENS_LOCKED, memory.failures)
        self.keep()

    def keep(self):
        """Commit what has no entry of its own (a failure, a section); True when it is durable."""
        self.due = True
        try:
            self.settle(self.agent.journal.durable)
        except OSError:
            return False  # the keeper comes back to it
        return not self.due

    def post(self, scheme, kind, id, value, until, amount):
        """Make a token's entry durable and remember it; `amount` in nano-units. Returns what it
        paid of a debt, in words.

        TokenError NOT_READY when it could not be stored; it will be, or a power cut unmakes it.
        """
        agent = self.agent
        payload = payloads.pack_token(scheme, kind, id, value, until)
        told = agent.account.token(amount, payload, agent.time.unix(), agent.time.trust())
        self._scheme.remember(kind, id, value, until)
        self.memory.forgive()
        self._signed.forgive()
        self.covered = agent.journal.sequence
        self.due = True
        account = agent.account
        if amount > 0:
            register = agent.meter.register
            account.watch.arm(
                account.tariff, account.available(register.import_wh, register.export_wh)
            )
            agent.control.topped_up()
        agent.control.look_again()
        self.apply_limits()
        if not agent.keeper.money():
            raise TokenError(results.NOT_READY, NOT_STORED)
        self.clear_tamper()
        return told

    def apply_limits(self):
        """Hand the limits of tokens to the supply, the power's in place of device.json's."""
        limits = self.agent.control.limits
        if self.memory.power_limit_w:
            limits.set_load_limit(self.memory.power_limit_w)
        limits.unbalance_limit_w = self.memory.unbalance_limit_w

    def clear_tamper(self):
        """Do what an entry said, once it is durable; a boot finds it again until the cold state
        covers it."""
        if self.clears_tamper and self.covered <= self.agent.journal.durable:
            self.clears_tamper = False
            self.agent.watch.clear()

    def check_credit(self, amount):
        """TokenError unless `amount` (nano) may be added; the token then stays unused."""
        if amount <= 0:
            raise TokenError(results.RANGE, "a token only adds credit")
        if self.agent.account.is_over(amount):
            raise TokenError(results.OVERFLOW, "the balance would be over the limit; not used up")
