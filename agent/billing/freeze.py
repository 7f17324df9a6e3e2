"""The end of a billing cycle: its minimum is charged, and what it comes to is frozen.

A block counter that starts anew within a cycle (a season) is frozen in the same way, so that a
boot finds every turn in the journal and needs no document to know of it.
"""

from wattledger.agent.journal import cycle_payload
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import record as records
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import TRUST_SYNCED


def freeze(account, now, cycle_day, block_day, whole, due):
    """Post what ends where the periods that began on these days follow; `whole` is the cycle's
    to come. `due`: the cycle ends as its tariff says, not because another one says so."""
    cycle = account.cycle
    flags = payloads.BEGINS_WHOLE if whole else 0
    if 0 < account.block_day < block_day:
        flags |= payloads.BLOCKS_ANEW
    if 0 < cycle.day < cycle_day:
        flags |= payloads.CYCLE_ENDED
        if due and cycle.whole:
            flags |= payloads.ENDED_WHOLE
            _charge_minimum(account, now)
    account.post(
        records.FREEZE,
        0,
        cycle_payload.pack_freeze(
            flags,
            cycle.key(),
            max(cycle_day, cycle.day),
            max(block_day, account.block_day),
            account.start_import,
            account.start_export,
            account.used_wh,
            cycle,
            account.tariff.minimum,
        ),
        now,
        TRUST_SYNCED,
    )


def _charge_minimum(account, now):
    """What energy and standing of the whole cycle lack of the minimum; export does not count."""
    cycle = account.cycle
    minimum = account.tariff.minimum
    lack = minimum * NANO_PER_MICRO - cycle.energy - cycle.standing
    if minimum and lack > 0:
        account.post(
            records.MINIMUM,
            -lack,
            cycle_payload.pack_minimum(
                cycle.key(), minimum, cycle.energy, cycle.standing, account.tariff.n
            ),
            now,
            TRUST_SYNCED,
        )
        cycle.whole = False  # charged, whatever becomes of the freeze
