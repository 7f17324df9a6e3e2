"""A meter's books for corrections: an account on a journal, and corrections of it. Portable."""

from wattledger.agent.billing import dynamic as dynamics
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.billing.correction import Corrections
from wattledger.agent.billing.recall import replay
from wattledger.agent.billing.summary import sum_up
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.checkpoint import Checkpoint
from wattledger.agent.journal.journal import Journal
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tests.both.houses_account import METER, open_account, stored
from wattledger.tests.both.houses_tariffs import data, prices_data, tariff


class Books:
    """An account under a tariff from `at` on; intervals are written one after the other."""

    def __init__(self, at, balance=10**12, used_wh=0, **document):
        self.storage, self.journal, self.account = open_account(balance, used_wh, at)
        self.document = document
        self.account.pending = tariff(start=at, **document)
        self.account.switch(at, TRUST_SYNCED)
        self.registers = [0, 0]
        self.now = at
        self.corrections = None

    def switch(self, at, **document):
        """Another set comes into force."""
        self.document = document
        self.account.pending = tariff(start=at, **document)
        self.account.switch(at, TRUST_SYNCED)

    def interval(self, at, wh, export=0, seconds=900, trust=TRUST_SYNCED):
        """An interval from `at` on in which the registers move by `wh` and `export`."""
        self.account.charge_standing(at, trust)
        self.account.begin(at, self.registers[0], self.registers[1], trust)
        self.registers[0] += wh
        self.registers[1] += export
        self.now = at + seconds
        self.account.close(self.now, self.registers[0], self.registers[1])
        self.journal.flush()

    def seal(self):
        """Begin a segment, with the checkpoint that opens it."""
        checkpoint = Checkpoint()
        checkpoint.previous = self.journal.hash
        checkpoint.meter = METER
        sum_up(self.account, checkpoint)
        self.journal.rotate()
        self.journal.append(records.CHECKPOINT, self.now, TRUST_SYNCED, 0, checkpoint.pack())
        self.journal.flush()

    def offer(self, start, until, n=9, **document):
        """Offer the correction of the records from `start` to before `until`."""
        document["correct"] = {"from": start, "until": until}
        raw = data(n=n, **document)
        return self._corrections().offer(tariffs.load(raw), raw, self.now)

    def correct_prices(self, start, prices, n=1, **changes):
        """Correct the dynamic prices of slots of 900 s from `start` on; as correct()."""
        known = len(self.entries(records.ADJUST))
        raw = prices_data(start, prices, n=n, step=900, correct=True, **changes)
        self._corrections().offer(dynamics.load(raw), raw, self.now, data(**self.document))
        self.work()
        return self.adjusted()[known:]

    def _corrections(self):
        if self.corrections is None:
            self.corrections = Corrections(self.storage, self.account, self.journal, METER)
        return self.corrections

    def work(self):
        """Do what waits; returns the slices it took."""
        slices = 0
        corrections = self._corrections()
        while corrections.is_waiting():
            slices += 1
            if corrections.work(self.now, TRUST_SYNCED, *self.registers):
                self.journal.flush()
            assert slices < 100000
        return slices

    def correct(self, start, until, n=9, **document):
        """Take a correction and do it; (cycle, amount, unrated Wh, diverted) of each adjustment
        it posted."""
        known = len(self.entries(records.ADJUST))
        self.offer(start, until, n, **document)
        self.work()
        return self.adjusted()[known:]

    def boot(self):
        """The account, the journal and the corrections as a boot finds them again."""
        held, begun = self.account.tariff, self.account.standing_day
        self.storage.power_cut()
        self.journal = Journal(self.storage, METER)
        self.journal.open(lambda entry: None)
        self.account = Account(self.journal)
        self.account.adopt(held)
        for entry in stored(self.storage):
            replay(self.account, entry)
        self.account.standing_day = begun  # the slot says
        self.account.begin(self.now, self.registers[0], self.registers[1], TRUST_SYNCED)
        self.account.debt.settle(self.account, TRUST_SYNCED)
        self.corrections = None

    def entries(self, kind):
        return [entry for entry in stored(self.storage) if entry.kind == kind]

    def adjusted(self):
        """(cycle, amount, unrated Wh, diverted) of every adjustment."""
        found = []
        for entry in self.entries(records.ADJUST):
            reason, _, cycle, unrated_wh, diverted, _ = readers.unpack_adjust(entry.payload)
            assert reason in payloads.CORRECTING
            found.append((cycle, entry.amount, unrated_wh, diverted))
        return found

    def sum(self):
        return sum([entry.amount for entry in stored(self.storage)])
