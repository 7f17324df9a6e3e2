"""What a start tells of the application, before anything is to be done for it."""

import binascii

from wattledger.agent import events
from wattledger.firmware import slots

TOLD = "app.told"  # the sequence whose failure is in the journal


def told(selection, running, proven):
    """The member `application` of a hello, of what is `running`."""
    is_before = running == selection.before
    digest = selection.before_digest if is_before else selection.digest
    return {
        "seq": selection.before_sequence if is_before else selection.sequence,
        "digest": binascii.hexlify(digest).decode(),
        "proven": proven,
        "refused": None,
    }


def floor(mirror, selection):
    """The highest sequence that ever proved itself, in the mirror too."""
    try:
        kept = mirror.read()
        if selection.floor > kept:
            mirror.write(selection.floor)
    except OSError:
        kept = 0
    return max(kept, selection.floor)


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
