"""What an account remembers over a boot, replayed from the records. Imported at a boot only."""

from wattledger.agent.billing import rating
from wattledger.agent.billing.calendar import day_number
from wattledger.agent.journal import checkpoint as checkpoints
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.supply.rules import ACCEPTED, USED
from wattledger.agent.units import NANO_PER_MICRO
from wattledger.hal.sample import TRUST_SYNCED

REARMING = records.MONEY_IN + (records.ADJUST,)  # alarms may sound again after these


def begin_at(account, checkpoint):
    """Stand where a checkpoint says, whatever came before it."""
    cycle = account.cycle
    account.start_import = checkpoint.import_wh
    account.start_export = checkpoint.export_wh
    account.start = checkpoint.start
    account.used_wh = checkpoint.used_wh
    account.block_day = checkpoint.block_day
    account.standing_day = checkpoint.standing_day
    account.purchases.restore(checkpoint.highest, checkpoint.seen)
    account.day = checkpoint.day
    account.day_wh = checkpoint.day_wh
    account.day_nano = checkpoint.day_nano
    account.estimated = bool(checkpoint.flags & checkpoints.ESTIMATED)
    cycle.begin(checkpoint.cycle_day, bool(checkpoint.flags & checkpoints.WHOLE))
    cycle.energy = checkpoint.energy
    cycle.standing = checkpoint.standing
    cycle.demand_w = checkpoint.demand_w
    cycle.bands = checkpoint.bands
    cycle.cells = checkpoint.cells
    account.debt.restore(checkpoint.debt)
    account.watch.restore(checkpoint.emergency)


def begin_after(account, state):
    """The slot's part, at the record it was written after."""
    account.used_wh = state.used_wh
    account.block_day = state.cycle_day
    account.cycle.demand_w = state.demand_w
    account.cycle.window_wh = state.window_wh
    account.cycle.window_at = state.start
    account.standing_day = max(account.standing_day, state.standing_day)
    # A clock set back opens an interval earlier than the last one ended.
    account.start = state.start
    account.watch.alarms = state.alarms
    account.watch.accepted = bool(state.flags & ACCEPTED)
    account.watch.used = bool(state.flags & USED)


def replay_all(account, entries, state, tokens):
    """Take what stored records say, in order, after a boot; `tokens` is a TokenDesk or None."""
    balance = None  # after a credit whose alarms are still to be armed
    for entry in entries:
        kind = entry.kind
        # Alarms are armed after all that came with a credit: one adjustment may follow another,
        # and a share of a top-up goes to the debt.
        follows = kind == records.ADJUST or (
            kind == records.DEBT and readers.unpack_debt(entry.payload)[0] == payloads.DEBT_SHARE
        )
        if balance is not None and not follows:
            arm(account, state, balance)
            balance = None
        replay(account, entry)
        if kind in REARMING or (follows and balance is not None):
            balance = entry.balance
        if tokens:
            tokens.replay(entry)
        if entry.sequence == state.sequence:
            begin_after(account, state)
            balance = None
    if balance is not None and not account.debt.waiting:
        arm(account, state, balance)


def settle(account, state, journal, trust):
    """Post the share of a top-up that the cut came before; what the top-up arms comes after it."""
    unarmed = journal.sequence > state.sequence  # else the slot says what it armed
    account.debt.settle(account, trust)
    if unarmed:
        arm(account, state, journal.balance)


def arm(account, state, balance):
    """Arm alarms as at a credit that left `balance`: the open interval had accrued at least what
    the slot knows of, and stands in no record."""
    account.trust = state.trust
    account.look_up()
    parts = account.parts(
        max(state.import_wh, account.start_import), max(state.export_wh, account.start_export)
    )
    account.watch.arm(account.tariff, balance + rating.total(parts))


def replay(account, entry):
    """Take what a stored record says."""
    kind = entry.kind
    watch = account.watch
    account.debt.waiting = None
    if kind == records.CHECKPOINT:
        begin_at(account, checkpoints.unpack(entry.payload))
    elif kind == records.OPENING:
        account.start_import, account.start_export, account.used_wh, _ = readers.unpack_opening(
            entry.payload
        )
        account.start = entry.time
    elif kind == records.INTERVAL:
        _replay_interval(account, entry)
    elif kind == records.TARIFF:
        if account.tariff is not None and account.standing_day:
            account.compare_cycles(entry.time)
        elif account.tariff is not None:
            account.begin_first(entry.time)
    elif kind == records.FREEZE:
        from wattledger.agent.journal import cycle_payload  # rare, as the next

        freeze = cycle_payload.unpack_freeze(entry.payload)
        if freeze.flags & payloads.BLOCKS_ANEW:
            account.used_wh = 0
        account.begin_periods(
            freeze.cycle_day, freeze.block_day, bool(freeze.flags & payloads.BEGINS_WHOLE)
        )
    elif kind == records.STANDING:
        key, _ = readers.unpack_standing(entry.payload)
        days = day_number(key // 10000, key // 100 % 100, key % 100)
        account.standing_day = max(account.standing_day, days)
        account.cycle.standing -= entry.amount
        if account.tariff is not None:
            account.count_day(account.tariff.zone.first_instant(days), 0, entry.amount)
    elif kind == records.CREDIT:
        n, highest, seen = readers.unpack_credit(entry.payload)
        account.purchases.restore(highest, seen)
        account.remember(entry.time, entry.amount // NANO_PER_MICRO, n)
        account.debt.waiting = (entry.amount, n, entry.time)
    elif kind == records.REFUND:
        n, highest, seen = readers.unpack_credit(entry.payload)
        account.purchases.restore(highest, seen)
        account.remember(entry.time, entry.amount // NANO_PER_MICRO, n)
    elif kind == records.TOKEN and entry.amount > 0:
        id = readers.unpack_token(entry.payload)[2]
        account.remember(entry.time, entry.amount // NANO_PER_MICRO, id)
        account.debt.waiting = (entry.amount, id, entry.time)
    elif kind not in records.MONEY_IN and entry.amount:
        account.count_day(entry.time, 0, entry.amount)
    if kind == records.DEBT:
        account.debt.restore(readers.unpack_debt(entry.payload)[2])
    elif kind == records.ADJUST:
        reason, _, cycle, _, diverted, _ = readers.unpack_adjust(entry.payload)
        account.debt.owed += diverted
        if reason in (payloads.ADJUST_ESTIMATE, payloads.ADJUST_REVERSAL):
            account.estimated = reason == payloads.ADJUST_ESTIMATE
        elif reason in payloads.CORRECTING and cycle == account.cycle.key():
            account.cycle.energy += readers.unpack_adjusted_cycle(entry.payload)[0]
    elif kind == records.EMERGENCY:
        watch.accepted = True
        watch.used = readers.unpack_emergency(entry.payload)[1] <= 0
    elif kind == records.MINIMUM:
        account.cycle.whole = False  # charged: the freeze after it may be lost in a torn write
    elif kind == records.DEMAND:
        from wattledger.agent.journal import cycle_payload

        account.cycle.demand_w = cycle_payload.unpack_demand(entry.payload)[1]
    if kind not in REARMING and watch.accepted and entry.balance <= 0:
        watch.used = True


def _replay_interval(account, entry):
    interval = readers.unpack_interval(entry.payload)
    if interval.duration_s < payloads.LONG:
        account.start = entry.time - interval.duration_s
    if interval.tariff_n and entry.trust == TRUST_SYNCED and account.tariff is not None:
        account.begin_first(account.start)
    energy = account.cycle.after(interval.parts)
    account.count(interval.import_wh, interval.export_wh, interval.parts, entry.amount, energy)
    account.cycle.window_wh = (
        None  # the slot knows of the window that was open when it was written
    )
    account.start = entry.time
