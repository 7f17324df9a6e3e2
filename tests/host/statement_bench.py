"""A month of a house in a journal, made without ticks: registers, charges, credits, cuts, faults.

The energy of each quarter of an hour comes from a seed. `plain` keeps, beside the journal and with
nothing of the agent's, what each entry moved and in which local day, band and block.
"""

import datetime
import json
import random

from wattledger.agent import events
from wattledger.agent.billing import tariff as tariffs
from wattledger.agent.billing.account import Account
from wattledger.agent.billing.shelf import ACTIVE
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal
from wattledger.agent.ledger import commission
from wattledger.agent.supply import rules, states
from wattledger.hal.sample import QUALITY_ESTIMATED, QUALITY_OK, TRUST_RESTORED, TRUST_SYNCED
from wattledger.hal.storage.posix_linux import PosixStorage
from wattledger.tests.host.meter_bench import FROM, METER
from wattledger.tests.micropython.staging import ROOT

DEMO = (ROOT / "tools" / "data" / "demo-tariff.json").read_bytes()
CHINA = datetime.timezone(datetime.timedelta(hours=8))
QUARTER = 900


class PlainEngine:
    """The demo tariff with plain dicts and loops: an independent reading of docs/tariffs.md."""

    def __init__(self):
        self.document = json.loads(DEMO)
        self.used = 0
        self.month = None
        self.moved = []  # (local date, what, Wh, nano)

    def interval(self, start, wh, synced):
        local = datetime.datetime.fromtimestamp(start, CHINA)
        if synced and self.month not in (None, local.month):
            self.used = 0
        if synced:
            self.month = local.month
        weekend = local.isoweekday() % 7 in self.document["weekend"]
        table = self.document["days"]["weekend" if weekend else "workday"]
        minute = local.hour * 60 + local.minute
        band = [index for at, index in table if at <= minute][-1] if synced else 1
        for _ in range(wh):  # one Wh at a time, so that no block edge can be missed
            block = sum(self.used >= limit * 1000 for limit in self.document["blocks"])
            price = self.document["price"][block][band]
            self.moved.append((local.date().isoformat(), (band, block, synced), 1, -price))
            self.used += 1

    def post(self, unix, what, nano):
        date = datetime.datetime.fromtimestamp(unix, CHINA).date().isoformat()
        self.moved.append((date, what, 0, nano))


class Month:
    """`days` of a house from the demo tariff's start, kept in `folder`."""

    def __init__(self, folder, days=26, seed=1):
        self.plain = PlainEngine()
        self._chance = random.Random(seed)
        storage = PosixStorage(folder, durable=False)
        storage.commit(ACTIVE, DEMO)
        commission(storage, METER, FROM, TRUST_SYNCED, 20 * 10**6, states.CONNECTED)
        self.plain.post(FROM, "opening", 20 * 10**9)
        self.journal = Journal(storage, METER)
        self.journal.open(lambda entry: None)
        self._account = Account(self.journal)
        self._account.pending = tariffs.load(DEMO)
        self._account.switch(FROM, TRUST_SYNCED)
        self._import = 0
        self._credits = 0
        self._off = False
        self._live(FROM, FROM + days * 86400)
        self.journal.flush()

    def _live(self, at, until):
        while at < until:
            if self._off:
                at += self._restore(at)
            elif self._chance.random() < 0.004:
                at = self._power_cut(at)
            else:
                at = self._quarter(at)
            if at % 86400 < QUARTER:
                self.journal.flush()

    def _quarter(self, at, trust=TRUST_SYNCED):
        local = datetime.datetime.fromtimestamp(at, CHINA)
        if local.hour == local.minute == 0:
            self._account.charge_standing(at, TRUST_SYNCED)
            self.plain.post(at, "standing", -120 * 10**6)
        self._account.begin(at, self._import, 0, trust)
        busy = 3 if local.hour in (7, 8, 18, 19, 20, 21) else 1
        wh = 0 if self._off else self._chance.randrange(60, 180) * busy
        self._import += wh
        self.plain.interval(at, wh, trust == TRUST_SYNCED)
        end = at + QUARTER
        quality = QUALITY_OK if trust == TRUST_SYNCED else QUALITY_ESTIMATED
        self._account.close(end, self._import, 0, quality)
        if self.journal.balance <= 0 and not self._off:
            self._off = True
            value = self.journal.balance // 1000
            self._event(end, events.CREDIT_EXHAUSTED, value)
            self._relay(end, states.DISCONNECTED, rules.BY_CREDIT, rules.NO_CREDIT)
        return end

    def _restore(self, at):
        """Two quarters without supply, then a top-up and a person."""
        start = at
        for _ in range(2):
            at = self._quarter(at)
        self._credits += 1
        amount = self._chance.choice((80, 120)) * 10**6
        self._account.credit(self._credits, amount, at, TRUST_SYNCED)
        self.plain.post(at, "credit", amount * 1000)
        self._relay(at, states.CONNECTED, rules.BY_PERSON, 0)
        self._off = False
        return at - start

    def _power_cut(self, at):
        """Two hours without power, then a quarter before the clock is set; not over midnight."""
        local = datetime.datetime.fromtimestamp(at, CHINA)
        if not 0 < local.hour < 20:
            return self._quarter(at)
        self._event(at + 7200, events.STARTED, 2)
        return self._quarter(at + 7200, TRUST_RESTORED)

    def _event(self, at, code, value):
        payload = payloads.pack_event(code, value)
        self.journal.append(records.EVENT, at, TRUST_SYNCED, 0, payload)

    def _relay(self, at, operation, cause, reasons):
        payload = payloads.pack_relay(operation, reasons, cause, 0)
        self.journal.append(records.RELAY, at, TRUST_SYNCED, 0, payload)
