"""The plan of a run: every event of a scenario at its millisecond, the random ones drawn."""

from typing import Any, NamedTuple

from wattledger.host_sim.noise import between
from wattledger.tools import sim_tokens
from wattledger.tools.scenario import Scenario
from wattledger.tools.scenario_parts import Event, Random

# What a random draw may take; lengths in seconds, amounts in micro-units.
CUT_S = (20, 1800)
OUTAGE_S = (30, 3600)
SILENCE_S = (600, 7200)
WELD_S = (60, 3600)
FIRST_WRITE = (1, 12)  # the meter stores something every 10 s
AGAIN_WRITE = (0, 6)  # a boot writes so much; 0 is not again
JUMP_S = (-580, 7200)  # a source further off than 10 min back is not believed at all
CREDIT_MICRO = (100_000, 5_000_000)
PERMILLE = (-300, 1300)  # below 0 nothing arrives, above 1000 all of it
WRITE_CUT = (CUT_S, FIRST_WRITE, PERMILLE, AGAIN_WRITE, PERMILLE)
BAD = ("retained", "replayed", "forged", "out of range", "wrong key", "stale")
LASTING = ("cut", "broker", "silent", "weld")  # their value is how many seconds


class WriteCut(NamedTuple):
    """Power goes within the `write`th write, when `permille` of it has arrived, for `seconds`;
    then, unless `again` is 0, within the `again`th write after its return."""

    seconds: int
    write: int
    permille: int = 0
    again: int = 0
    again_permille: int = 0


class Action(NamedTuple):
    """`what` happens at `ms` (unix ms); `value` depends on what."""

    ms: int
    what: str
    value: Any = None


def plan(scenario: Scenario, seed: int) -> list[Action]:
    """Actions in order; those of the same millisecond as the file has them."""
    found: list[Action] = []
    for index, event in enumerate(scenario.events):
        at_s = scenario.at(event)
        if event.random is not None:
            found += _draw(event.random, at_s, scenario, seed, index)
        else:
            found.append(_action(event, at_s, scenario, seed, index))
    tick_ms = scenario.tick_s * 1000
    start_ms = scenario.start_s * 1000
    # A world stands still between ticks, so an event waits for the next.
    placed = [
        action._replace(ms=start_ms + -(-action.ms // tick_ms) * tick_ms) for action in found
    ]
    return sorted(placed, key=lambda action: action.ms)


def _action(event: Event, at_s: int, scenario: Scenario, seed: int, index: int) -> Action:
    value: Any = getattr(event, event.kind)
    if event.cut and event.cut.write:
        cut = event.cut
        return Action(at_s * 1000, "write_cut", WriteCut(cut.seconds, cut.write, 0, cut.again))
    if event.cut or event.weld:
        value = value.seconds
    elif event.document is not None:
        value = scenario.document_of(event)
    elif event.token is not None:
        value = sim_tokens.entry(event.token, scenario, seed)
    elif event.broker is not None:
        value = event.broker.down
    elif event.bit_errors is not None:
        errors = event.bit_errors
        value = [
            (between(0, errors.seconds * 1000, seed, index, number, 1), 1 << (number * 7 % 16))
            for number in range(errors.count)
        ]
    return Action(at_s * 1000, event.kind, value)


def _draw(wanted: Random, at_s: int, scenario: Scenario, seed: int, index: int) -> list[Action]:
    """Random events between `at_s` and the end, leaving the last tenth to recover in."""
    span_s = (scenario.seconds - at_s) * 9 // 10
    found = []
    for kind, (name, count) in enumerate(wanted.model_dump().items()):
        # Each in a slot of its own, so that none falls into the one before.
        slot_s = span_s // count if count else 0
        for number in range(count):
            keys = (seed, 301, index, kind, number)
            what, value = _drawn(name, keys)
            if what in LASTING:
                value = max(min(value, slot_s // 2), 1)
            room_s = slot_s - value if what in LASTING else slot_s
            if what == "write_cut":
                room_s = slot_s // 2
                value = value._replace(seconds=max(min(value.seconds, slot_s // 8), 1))
            into_s = between(0, max(room_s - 1, 0), *keys, 0)
            found.append(Action((at_s + number * slot_s + into_s) * 1000, what, value))
    return found


def _drawn(name: str, keys: tuple[int, ...]) -> tuple[str, Any]:
    if name == "cuts":
        return "cut", between(*CUT_S, *keys, 1)
    if name == "brown_outs":
        return "brown_out", True
    if name == "broker_outages":
        return "broker", between(*OUTAGE_S, *keys, 1)
    if name == "credits":
        return "credit", between(*CREDIT_MICRO, *keys, 1)
    if name == "commands":
        return "command", BAD[between(0, len(BAD) - 1, *keys, 1)]
    if name == "clock_jumps":
        return "jump", (between(*JUMP_S, *keys, 1), between(*OUTAGE_S, *keys, 2))
    if name == "clock_silences":
        return "silent", between(*SILENCE_S, *keys, 1)
    if name == "welds":
        return "weld", between(*WELD_S, *keys, 1)
    if name == "bit_errors":
        return "bit_errors", [(0, 1 << between(0, 15, *keys, 1))]
    if name == "write_cuts":
        draws = (between(*limits, *keys, place) for place, limits in enumerate(WRITE_CUT, 1))
        return "write_cut", WriteCut(*draws)
    return "press", 4
