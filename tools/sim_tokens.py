"""The tokens of a scenario: STS-format (EA11), sold at its start under a test key of the seed."""

import hashlib
from typing import Any, NamedTuple

from wattledger.agent.tokens.settings import base_unix
from wattledger.tools import token_sts
from wattledger.tools.scenario import Scenario
from wattledger.tools.scenario_parts import Token

KEYPAD = "keypad"
EA, BASE = "11", 2014
APART = 10  # minutes between the identifiers of two tokens
MICRO_A_UNIT = 1_000_000


class TokenEntry(NamedTuple):
    """Digits that somebody enters, `by` keypad or mqtt."""

    by: str
    digits: str


def are_in(scenario: Scenario) -> bool:
    """True when the scenario's meter takes tokens: one is entered."""
    return any(event.token is not None for event in scenario.events)


def settings(scenario: Scenario) -> dict[str, Any]:
    """`token` of device.json: the meter was made at the scenario's start."""
    return {"scheme": "sts", "ea": EA, "base": BASE, "made": scenario.start_s}


def key(seed: int) -> bytes:
    """The decoder key."""
    return hashlib.sha256(b"a scenario's token key %d" % seed).digest()[:16]


def entry(token: Token, scenario: Scenario, seed: int) -> TokenEntry:
    """The digits of a token; the same number and worth are the same digits."""
    tid = (scenario.start_s - base_unix(BASE)) // 60 + APART * token.number
    if tid % token_sts.DAY_MINUTES == token_sts.RESERVED_MINUTE:
        tid += 1
    if token.kwh is not None:
        return TokenEntry(token.by, token_sts.kwh(str(token.kwh), tid, 0, key(seed)))
    assert token.amount is not None
    units, micro = divmod(token.amount, MICRO_A_UNIT)
    return TokenEntry(token.by, token_sts.money(f"{units}.{micro:06d}"[:-1], tid, key(seed)))
