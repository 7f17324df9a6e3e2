"""An account on a journal in memory. Portable."""

from wattledger.agent.billing.account import Account
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.journal.journal import Journal, walk
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.hal.storage.memory import MemoryStorage

METER = "demo-0001"


def open_account(balance, used_wh, at):
    """(storage, Journal, Account) with an opening entry."""
    storage = MemoryStorage()
    journal = Journal(storage, METER)
    account = Account(journal)
    journal.append(
        records.OPENING, at, TRUST_SYNCED, balance, payloads.pack_opening(METER, 0, 0, used_wh)
    )
    account.used_wh = used_wh
    return storage, journal, account


def stored(storage):
    """The Records in storage, in order."""
    return [entry for _, entry in walk(storage, records.first_hash(METER))]
