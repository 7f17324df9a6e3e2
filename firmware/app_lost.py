"""Tells of an application that is not what was installed, or that did not prove itself."""

from wattledger.agent import events
from wattledger.firmware import slots

TOLD = "app.told"  # the sequence whose failure is in the journal


def tell_lost(agent, storage, selection, damaged):
    """Each start for the slots that are `damaged`; once for an application that failed, however
    often the meter starts."""
    for slot in damaged:
        agent.report(events.APP_DAMAGED, slots.SLOTS.index(slot))
    text = b"%d" % selection.failed
    held = bytearray(len(text) + 1)
    try:
        size = storage.read_from(TOLD, 0, held)
        if selection.failed and bytes(held[:size]) != text:
            agent.report(events.APP_REVERTED, selection.failed)
            if agent.keeper.now():
                storage.commit(TOLD, text)
    except OSError:
        pass  # told at the next start
