"""How events read: a condition with its phase and what was measured, and the sets of kinds."""

import pytest

from wattledger.agent import events
from wattledger.agent.journal import payload as payloads
from wattledger.tools import book, entries


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (
            payloads.pack_condition(events.SAG, 2, 171_234, 5_000, 856_170),
            "sag began on phase B: 171234 mV, 5000 mA, 856170 mW",
        ),
        (
            payloads.pack_condition(events.REVERSE, 3 + 8, 230_000, 0, 0),
            "reverse current ended on phase C: 230000 mV, 0 mA, 0 mW",
        ),
        (
            payloads.pack_condition(events.COVER, 0, 230_000, 10, -2_300),
            "cover open began: 230000 mV, 10 mA, -2300 mW",
        ),
        (
            payloads.pack_condition(events.FREQUENCY, 51_020 << 8 | 8, 230_000, 0, 0),
            "frequency out of range ended at 51020 mHz: 230000 mV, 0 mA, 0 mW",
        ),
        (
            payloads.pack_event(events.TAMPER_CLEARED, 1 << 8 | 1),
            "tamper cleared: reverse current, cover open",
        ),
        (
            payloads.pack_event(events.CONDITIONS_HELD, 44 << 8 | events.SAG),
            "conditions not told: sag, 44 times in the hour",
        ),
        (payloads.pack_event(events.CHIP_ANSWERS, 90), "chip answers again: 90"),
        (payloads.pack_event(events.ASSIST_ASKED, 2), "remote assistance asked for: display"),
        (
            payloads.pack_event(events.ASSIST_REFUSED, 1),
            "remote assistance refused: nobody answered",
        ),
        (payloads.pack_event(events.ASSIST_OVER, 0), "remote assistance over: by a person"),
        (payloads.pack_event(47, 183_999), "47: 183999"),
    ],
)
def test_an_event_in_words(payload, words):
    assert entries.describe("event", bytes(payload)) == words


def test_the_book_has_the_same_words():
    row = {"code": events.SAG, "value": 2, "snapshot": [171_234, 5_000, 856_170]}
    assert book._describe(row) == "sag began on phase B: 171234 mV, 5000 mA, 856170 mW"
    assert book._describe({"code": events.LATE_TICK, "value": 30}) == "late tick: 30"
