"""The promises I1 to I10 of a run, judged from its evidence: a promise kept has no problems."""

from collections.abc import Callable, Iterator

from wattledger.agent import events
from wattledger.agent.comms.commands import RESULTS
from wattledger.agent.journal import payload_read as readers
from wattledger.agent.journal import record as records
from wattledger.agent.journal.payload import EXPORT
from wattledger.agent.supply.rules import WARNED_S
from wattledger.agent.supply.states import CONNECTED
from wattledger.hal.sample import TRUST_SYNCED
from wattledger.tools.evidence import Evidence

COUNT_MWS = 11_250  # one count of the chip
OPEN_S = 5
ANSWER_MS = 30_000
# What can lift credit above the floor, or move the floor.
MAY_CLEAR = (records.RELAY, records.CREDIT, records.TOKEN, records.CLOCK, records.EMERGENCY)
KEPT_MS = 12_000  # a command is durable with the next snapshot, 10 s


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """Problems by invariant, I1 to I10; empty lists where the promise was kept."""
    found = {}
    for name, rule in RULES.items():
        found[name] = [*rule(evidence), *evidence.faults.get(name, [])]
    return found


def _events(evidence: Evidence, *codes: int) -> Iterator[tuple[records.Record, int]]:
    for entry in evidence.entries:
        if entry.kind == records.EVENT:
            code, value = readers.unpack_event(entry.payload)
            if code in codes:
                yield entry, value


def _intervals(evidence: Evidence) -> Iterator[tuple[records.Record, readers.Interval]]:
    for entry in evidence.entries:
        if entry.kind == records.INTERVAL:
            yield entry, readers.unpack_interval(entry.payload)


def registers_rise(evidence: Evidence) -> Iterator[str]:
    """I1: registers never go down, and lose at most the bound per cut."""
    before = (0, 0)
    for entry, interval in _intervals(evidence):
        now = (interval.import_wh, interval.export_wh)
        if now[0] < before[0] or now[1] < before[1]:
            yield f"entry {entry.sequence}: registers fell from {before} to {now} Wh"
        before = now
    # Export and import are summed with sign each tick, so only the net is exact at a change.
    net = evidence.truth[0] - evidence.truth[1]
    missing = abs(net - evidence.registers[0] + evidence.registers[1])
    allowed = evidence.loss_bound_mws + 2 * COUNT_MWS
    if missing > allowed:
        yield f"the registers differ from the truth by {missing} mWs; {allowed} are allowed"


def balance_is_the_sum(evidence: Evidence) -> Iterator[str]:
    """I2: balance is exactly the sum of entries, and the chain that proves them is whole."""
    if not evidence.chain_ok:
        yield "the chain is broken"
    balance = None
    for entry in evidence.entries:
        before = balance if balance is not None else entry.balance - entry.amount
        if entry.balance != before + entry.amount:
            yield f"entry {entry.sequence}: {before} + {entry.amount} is not {entry.balance}"
        balance = entry.balance
    for entry, interval in _intervals(evidence):
        if interval.amount() != entry.amount:
            yield f"entry {entry.sequence}: its parts do not add up to {entry.amount}"
    for mine, theirs in zip(evidence.entries, evidence.copy, strict=False):
        if theirs[-8:] != mine.hash:
            yield f"entry {mine.sequence} is not the one the utility holds"
            return


def each_credit_once(evidence: Evidence) -> Iterator[str]:
    """I3: each purchase once, none unasked, and none that was acknowledged is missing."""
    posted: dict[int, int] = {}
    tokens = set()
    for entry in evidence.entries:
        if entry.kind == records.TOKEN:
            token = readers.unpack_token(entry.payload)[:3]
            if token[2] and token in tokens:
                yield f"entry {entry.sequence}: token {token[2]} is posted a second time"
            tokens.add(token)
        if entry.kind == records.CREDIT:
            n = readers.unpack_credit(entry.payload)[0]
            if n in posted:
                yield f"entry {entry.sequence}: purchase {n} is posted a second time"
            posted[n] = entry.amount
    sold = {c.n: c.amount * 1000 for c in evidence.commands if c.n}
    for n, amount in posted.items():
        if sold.get(n) != amount:
            yield f"purchase {n} of {amount} nano was never sold"
    for command in evidence.commands:
        if command.n and "ok" in command.results and command.n not in posted:
            yield f"purchase {command.n} was acknowledged and is not in the journal"


def opens_in_time(evidence: Evidence) -> Iterator[str]:
    """I4: open within 5 s of available <= floor, unless friendly, with keep-power or without a
    synced clock; a cut that was not warned of may come 5 minutes later.

    Here from closed intervals; the run itself adds what it saw between them.
    """
    closed = True
    kept = False
    floor = 0
    entries = evidence.entries
    for index, entry in enumerate(entries):
        if entry.kind == records.RELAY:
            closed = readers.unpack_relay(entry.payload)[0] == CONNECTED
        elif entry.kind == records.EMERGENCY:
            floor = -readers.unpack_emergency(entry.payload)[0] * 1000
        elif entry.kind == records.EVENT:
            code, value = readers.unpack_event(entry.payload)
            kept = value > 0 if code == events.KEEP_POWER else kept
        elif entry.kind in records.MONEY_IN and 0 < entry.balance <= entry.amount:
            floor = 0  # emergency credit is repaid
        if entry.kind != records.INTERVAL or not closed or kept or entry.balance > floor:
            continue
        interval = readers.unpack_interval(entry.payload)
        if entry.trust != TRUST_SYNCED or not interval.tariff_n:
            continue
        if evidence.tariff.friendly_until(entry.time) is None:
            limit = entry.time + WARNED_S + OPEN_S + evidence.tick_ms // 1000
            if not _opens(entries[index + 1 :], limit):
                yield f"entry {entry.sequence}: credit is {entry.balance} nano, nothing opened"


def _opens(following: list[records.Record], limit: int) -> bool:
    """True when an opening, a credit or a restart follows before `limit`, or the run ends."""
    for entry in following:
        if entry.kind in MAY_CLEAR:
            return True
        if entry.kind == records.EVENT and (
            readers.unpack_event(entry.payload)[0] == events.STARTED
        ):
            return True
        if entry.time > limit:
            return False
    return True


def movements_have_causes(evidence: Evidence) -> Iterator[str]:
    """I5: the relay moved only as the journal says, and each entry has a cause."""
    written = []
    for entry in evidence.entries:
        if entry.kind == records.RELAY:
            operation, _, cause, _ = readers.unpack_relay(entry.payload)
            written.append(operation == CONNECTED)
            if not cause:
                yield f"entry {entry.sequence}: a movement without a cause"
    rest = iter(written)
    for number, closing in enumerate(evidence.movements, 1):
        if closing not in rest:
            what = "closing" if closing else "opening"
            yield f"movement {number} of the relay, a {what}, is not in the journal"
            return


def nothing_was_uncaught(evidence: Evidence) -> Iterator[str]:
    """I6: no tick and no step failed, and the meter's memory did not grow."""
    for entry, value in _events(evidence, events.TICK_FAILED, events.STEP_FAILED):
        yield f"entry {entry.sequence}: failure {value} of a tick or a step"
    if evidence.growth is not None and evidence.growth > evidence.growth_limit:
        yield (
            f"the meter holds {evidence.growth} bytes more than an hour after its boot;"
            f" {evidence.growth_limit} are allowed"
        )


def no_sample_missed(evidence: Evidence) -> Iterator[str]:
    """I7: no tick came late."""
    for entry, value in _events(evidence, events.LATE_TICK):
        yield f"entry {entry.sequence}: {value} s between two ticks"


def refusals_are_told(evidence: Evidence) -> Iterator[str]:
    """I8: each refused command is journalled and answered."""
    written: dict[str, set[str]] = {}
    for entry in evidence.entries:
        if entry.kind == records.COMMAND:
            of, _, result = readers.unpack_command(entry.payload)
            written.setdefault(of.hex(), set()).add(RESULTS[result])
    dropped = sum(1 for _ in _events(evidence, events.RETAINED_COMMAND))
    silenced = any(_events(evidence, events.COMMANDS_SILENCED))
    for command in evidence.commands:
        calm = [ms for ms in command.taken_ms if not _is_disturbed(evidence, ms)]
        if not calm:
            continue
        name = f"{command.kind} {command.of}"
        if command.retained:
            if not dropped:
                yield f"{name}: dropped as retained, and no event says so"
        elif not command.results:
            if not silenced:
                yield f"{name}: taken and not answered"
        else:
            missing = set(command.results) - written.get(command.of, set())
            if missing and (len(calm) == len(command.taken_ms) or missing >= set(command.results)):
                yield f"{name}: answered {', '.join(sorted(missing))}, and not journalled"


def _is_disturbed(evidence: Evidence, ms: int) -> bool:
    """True when power or link went before the answer could be durable and sent."""
    before = evidence.tick_ms + 5000
    after = max(ANSWER_MS, KEPT_MS + 2 * evidence.tick_ms)
    return any(ms - before <= until and ms + after >= since for since, until in evidence.outages)


def clock_spends_nothing(evidence: Evidence) -> Iterator[str]:
    """I9: whatever the clock does, what is spent stays, and no Wh and no day is charged twice."""
    by_sequence = {entry.sequence: entry for entry in evidence.entries}
    for sequence, head, balance in evidence.marks:
        entry = by_sequence.get(sequence)
        if entry is not None and (entry.hash.hex() != head or entry.balance != balance):
            yield f"entry {sequence} was changed after a clock fault"
    days: set[int] = set()
    for entry in evidence.entries:
        if entry.kind == records.STANDING:
            day = readers.unpack_standing(entry.payload)[0]
            if day in days:
                yield f"entry {entry.sequence}: the standing charge of {day} a second time"
            days.add(day)
    before = (0, 0)
    for entry, interval in _intervals(evidence):
        moved = interval.import_wh - before[0], interval.export_wh - before[1]
        before = interval.import_wh, interval.export_wh
        parts = interval.parts
        rated = sum(part.wh for part in parts if not part.band & EXPORT)
        sold = sum(part.wh for part in parts if part.band & EXPORT)
        if interval.tariff_n and (rated, sold) != moved:
            yield f"entry {entry.sequence}: {moved} Wh passed and {(rated, sold)} are rated"


def recovers(evidence: Evidence) -> Iterator[str]:
    """I10: judged while the run goes on, 60 s after the end of each fault."""
    return iter(())


RULES: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "I1": registers_rise,
    "I2": balance_is_the_sum,
    "I3": each_credit_once,
    "I4": opens_in_time,
    "I5": movements_have_causes,
    "I6": nothing_was_uncaught,
    "I7": no_sample_missed,
    "I8": refusals_are_told,
    "I9": clock_spends_nothing,
    "I10": recovers,
}
