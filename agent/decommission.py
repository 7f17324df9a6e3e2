"""The end of a meter's service: its readings are wiped, its legal registers stay.

    final        JSON: meter, time, registers, balance, head of the journal, boots, powered seconds
    final.log    the journal's entries that are no readings, byte for byte as they lay in it
    kept, slot.a, slot.b   as they were (docs/storage.md)

Everything else goes: the load profile is in the journal's interval entries, so its segments do.
The utility's copy of the journal still proves the head. May be cut anywhere and done again.
"""

import binascii
import json

from wattledger.agent.errors import AgentError
from wattledger.agent.journal import record as records
from wattledger.agent.journal.retention import KEPT
from wattledger.agent.journal.segments import walk
from wattledger.agent.journal.slots import NAMES as SLOTS
from wattledger.agent.ledger import Ledger

FINAL = "final"
LOG = "final.log"
STAY = (FINAL, LOG, KEPT) + SLOTS
LOGGED = (
    records.OPENING,
    records.TARIFF,
    records.EVENT,
    records.RELAY,
    records.COMMAND,
    records.CLOCK,
    records.FREEZE,
)
BATCH = 4096


def is_decommissioned(storage):
    """True for a store whose meter is out of service."""
    return storage.size(FINAL) > 0


def decommission(storage, config):
    """Wipe the store of a meter that does not run; what is left of it, as a dict. AgentError when
    it is another meter's; OSError: do it again."""
    if not is_decommissioned(storage):
        final = _sum_up(Ledger(storage, config), config.meter)
        _keep_log(storage, config.meter)
        storage.commit(FINAL, json.dumps(final).encode())
    for name in storage.names():
        if name not in STAY:
            storage.remove(name)
    final = bytearray(storage.size(FINAL))
    storage.read_from(FINAL, 0, final)
    return json.loads(bytes(final))


def _sum_up(ledger, meter):
    state = ledger.open()
    if ledger.missing:
        raise AgentError("there is no ledger of %s here: nothing was wiped" % meter)
    account, journal = ledger.account, ledger.journal
    return {
        "v": 1,
        "meter": meter,
        "time": ledger.last_time(),
        # Entries after the snapshot may know of more energy.
        "import_wh": max(state.import_wh, account.start_import),
        "export_wh": max(state.export_wh, account.start_export),
        "balance_nano": journal.balance,
        "sequence": journal.sequence,
        "hash": binascii.hexlify(journal.hash).decode(),
        "boots": state.boots,
        "powered_s": ledger.last_powered_s(),
        "fault": ledger.fault,
    }


def _keep_log(storage, meter):
    storage.remove(LOG)  # of a try that was cut
    batch = bytearray()
    for data, entry in walk(storage, records.first_hash(meter)):
        if entry.kind in LOGGED:
            batch.extend(data)
        if len(batch) > BATCH:
            storage.append(LOG, batch)
            batch = bytearray()
    if batch:
        storage.append(LOG, batch)
    storage.sync(LOG)
