"""What an account stands at, summed up in a checkpoint. Imported when a segment begins."""

from wattledger.agent.journal import checkpoint as checkpoints


def sum_up(account, checkpoint):
    """Write what the account stands at into a checkpoint."""
    cycle = account.cycle
    if cycle.whole:
        checkpoint.flags |= checkpoints.WHOLE
    if account.estimated:
        checkpoint.flags |= checkpoints.ESTIMATED
    checkpoint.import_wh = account.start_import
    checkpoint.export_wh = account.start_export
    checkpoint.start = account.start
    checkpoint.used_wh = account.used_wh
    checkpoint.block_day = account.block_day
    checkpoint.cycle_day = cycle.day
    checkpoint.standing_day = account.standing_day
    checkpoint.highest = account.purchases.highest
    checkpoint.seen = account.purchases.seen
    checkpoint.day = account.day
    checkpoint.day_wh = account.day_wh
    checkpoint.day_nano = account.day_nano
    checkpoint.energy = cycle.energy
    checkpoint.standing = cycle.standing
    checkpoint.demand_w = cycle.demand_w
    checkpoint.bands = cycle.bands
    checkpoint.cells = cycle.cells
    checkpoint.emergency = account.watch.pack()
    if account.debt.id or account.debt.owed:
        checkpoint.debt = account.debt.pack()
    if account.tariff is not None:
        checkpoint.tariff = account.tariff.digest
