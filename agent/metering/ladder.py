"""What the tick found wrong with the chip becomes events, and a silent chip is set up again.

Three missed reads: a reset. Three resets in an hour: a fault. The relay never moves for it.
"""

from wattledger.agent import events

HOUR_S = 3600
MANY_CORRUPT = 5  # readings an hour
MANY_UNCONFIRMED = 36  # one in a hundred at a second each


def climb(meter, powered_s, report):
    """Once a step, for setting up takes tens of milliseconds; `report(code, value)` journals."""
    if meter.rejected:
        report(events.ENERGY_REJECTED, meter.rejected)
        meter.rejected = 0
    if meter.restarted_gap_ms >= 0:
        report(events.CHIP_RESTARTED, meter.restarted_gap_ms // 1000)
        meter.restarted_gap_ms = -1
    if meter.late_gap_ms >= 0:
        report(events.LATE_TICK, meter.late_gap_ms // 1000)
        if meter.uncertain:
            meter.uncertain = False
            report(events.COUNTS_UNCERTAIN, meter.late_gap_ms // 1000)
        meter.late_gap_ms = -1
    if meter.recovered_gap_ms >= 0:
        report(events.CHIP_ANSWERS, meter.recovered_gap_ms // 1000)
        meter.recovered_gap_ms = -1
    if powered_s // HOUR_S != meter.hour:
        meter.hour = powered_s // HOUR_S
        _tell_hour(meter, report)
    meter.watch(powered_s)
    if meter.needs_reset():
        if not meter.silent:
            meter.silent = True
            report(events.CHIP_SILENT, meter.missed)
        if meter.reset(powered_s):
            report(events.CHIP_FAULT, 0)


def _tell_hour(meter, report):
    """Readings that were hit on the wire are told as numbers, and only when they are many."""
    if meter.corrupt > MANY_CORRUPT:
        report(events.CHIP_CORRUPT, meter.corrupt)
    if meter.unconfirmed > MANY_UNCONFIRMED:
        report(events.CHIP_UNCONFIRMED, meter.unconfirmed)
    meter.corrupt = meter.unconfirmed = 0
