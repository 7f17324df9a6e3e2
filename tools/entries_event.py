"""How an event of the journal reads to a person."""

from wattledger.agent import events
from wattledger.agent.comms.assistance import SCOPES
from wattledger.agent.journal import payload as payloads
from wattledger.agent.journal import payload_read as readers

PHASES = ("", " on phase A", " on phase B", " on phase C")
# Values in words, from 0 on.
WORDS = {
    events.ASSIST_ASKED: ("no scope", *SCOPES),
    events.ASSIST_BEGUN: ("no scope", *SCOPES),
    events.ASSIST_REFUSED: ("by a person", "nobody answered", "another request came"),
    events.ASSIST_OVER: ("by a person", "by its time", "another request came"),
}
KINDS = 15  # codes from events.REVERSE on that are conditions


def kinds(mask: int) -> str:
    """The names of a set of conditions, bit 0 being the first."""
    found = [events.NAMES[events.REVERSE + bit] for bit in range(KINDS) if mask >> bit & 1]
    return ", ".join(found) or "none"


def describe(payload: bytes) -> str:
    """An event in words. RecordError when its length is that of none."""
    code, value = readers.unpack_event(payload)
    name = events.NAMES.get(code, str(code))
    snapshot = readers.unpack_snapshot(payload)
    if snapshot is not None:
        ended = value & payloads.ENDED
        words = f"{name} {'ended' if ended else 'began'}{PHASES[value & 3]}"
        if value >> 8:
            words += f" at {value >> 8} mHz"
        return words + ": {} mV, {} mA, {} mW".format(*snapshot)
    told = WORDS.get(code, ())
    if 0 <= value < len(told):
        return f"{name}: {told[value]}"
    if code == events.TAMPER_CLEARED:
        return f"{name}: {kinds(value)}"
    if code == events.CONDITIONS_HELD:
        held = events.NAMES.get(value & 0xFF, str(value & 0xFF))
        return f"{name}: {held}, {value >> 8} times in the hour"
    return f"{name}: {value}"
